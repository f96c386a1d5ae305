import { decodeName, isWithin } from "../dns/fqdn.ts";
import { nameOrMore } from "../domain-move/asking.ts";
import { type DnsView, viewDns, wishesOf } from "../domain-move/dns-view.ts";
import { isNew, isOld, type Move } from "../domain-move/move.ts";
import { syncNotes, verifiedNames } from "../domain-move/notes.ts";
import { notYetDns } from "../domain-move/reached.ts";
import { unreadFindings } from "../domain-move/say.ts";
import type { Finding } from "../finding.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { defineStep, finding, recheckAfterSync, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { diffsOf, titleOf } from "../migration/objects.ts";
import { pausedAndGone, pausedBy, resumesOf } from "../migration/pausing.ts";
import { text } from "../text.ts";
import { noDeeds, type StepContext } from "./step.ts";

const paused = ({ run }: StepContext) => pausedBy(run, "pause-dns-sync");

/** One interval of whoever syncs, milliseconds; three minutes, as Argo CD has it, where it is not known. */
const intervalMs = ({ run }: StepContext): number =>
  recheckAfterSync(syncNotes(run.notes)).recheckAfterMs ?? 180_000;

const remedy = text`Pause that sync at once (roll this step back), correct Git, then go on`;

/** Names of a domain that the cluster asks for, whichever ExternalDNS looks there. Throws FaultError. */
const asked = (view: DnsView, within: (name: string, move: Move) => boolean): readonly string[] =>
  [
    ...new Set(
      view.publishers.flatMap((publisher) =>
        wishesOf(publisher, view.lists)
          .endpoints.filter(({ name }) => within(name, view.move))
          .map(({ name }) => decodeName(name)),
      ),
    ),
  ].sort();

export const resumeDnsSync = defineStep({
  id: "resume-dns-sync",
  kind: "act",
  title: "Resume what was paused for the names",
  proof: text`that what was paused is synced again: it stays paused until somebody resumes it`,
  reversibleWhile: text`always: pausing it again is the way back`,
  unneeded: async (context) => (paused(context).length === 0 ? text`nothing was paused` : undefined),
  ready: async (context): Promise<readonly Finding[]> => {
    const view = await viewDns(context);
    const changes = resumesOf(view, paused(context));
    const persisted = context.run.notes["persist-dns"] as
      | { compared?: number; differing?: number; unseen?: number }
      | null
      | undefined;
    const isSeen =
      (persisted?.compared ?? 0) > 0 && persisted?.differing === 0 && (persisted.unseen ?? 0) === 0;
    return [
      ...pausedAndGone(view, paused(context)),
      ...(isSeen
        ? []
        : [
            finding(
              "git-not-seen",
              "unknown",
              { kind: "cluster", name: context.run.cluster },
              text`whether Git has the names and filters that the cluster has is not known: a sync may bring the old names back and take the new ones away`,
              {
                remedy: text`Put the file of step persist-dns into Git, then go on; or leave it paused by skipping this step`,
              },
            ),
          ]),
      ...(await dryRunFindings(
        context,
        changes.map(({ deed }) => deed),
      )),
    ];
  },
  plan: async (context) => {
    const changes = resumesOf(await viewDns(context), paused(context));
    return {
      ...noDeeds,
      deeds: changes.map(({ deed }) => deed),
      undo: changes.map(({ undo }) => undo).reverse(),
      diffs: diffsOf(changes),
      prediction: [text`the next sync changes no name and no filter, because Git says what the cluster says`],
      predicted: changes.map(({ kind, before }) => titleOf(kind, before as KubeObject)),
    };
  },
  observe: async (context) => {
    const at = context.ports.clock.now();
    const names = asked(await viewDns(context), isNew);
    return { stop: async () => ({ findings: [], blocks: [], facts: { at, names: [...names] } }) };
  },
  verify: async (context, plan, observed) => {
    const { clock } = context.ports;
    const facts = observed?.facts as { at?: number; names?: readonly string[] } | null | undefined;
    const until = (facts?.at ?? clock.now()) + intervalMs(context);
    if (facts?.at === undefined) await clock.sleep(until - clock.now(), context.signal);
    else if (clock.now() < until)
      return verified(
        "waiting",
        text`one sync interval has to pass before it is known that no old name comes back`,
        { until },
      );
    const view = await viewDns(context);
    const pending = notYetDns(view, plan, clock.now());
    if (pending !== undefined) return pending;
    const unread = unreadFindings(view);
    if (unread.length > 0)
      return verified("unknown", text`what ExternalDNS looks at is not known`, { findings: unread });
    const old = asked(view, isOld);
    const now = new Set(asked(view, isNew));
    const lost = (facts?.names ?? verifiedNames(context.run.notes)).filter((name) => !now.has(name));
    const filters = view.publishers.filter(
      ({ read }) =>
        read?.controller.domainFilter.include.some((filter) =>
          isWithin(filter.replace(/^\./, ""), view.move.from),
        ) === true,
    );
    const findings = [
      ...(old.length === 0
        ? []
        : [
            finding(
              "sync-brought-back",
              "error",
              { kind: "zone", name: view.move.from },
              text`${old.length} names below ${view.move.from} are asked for again (${nameOrMore(old)})`,
              { facts: { names: [...old] }, remedy },
            ),
          ]),
      ...filters.map(({ name, object }) =>
        finding(
          "sync-brought-back",
          "error",
          { kind: "config", name: titleOf("deployments", object) },
          text`${name} has a filter for ${view.move.from} again`,
          { remedy },
        ),
      ),
      ...(lost.length === 0
        ? []
        : [
            finding(
              "sync-took-away",
              "error",
              { kind: "zone", name: view.move.to },
              text`${lost.length} names below ${view.move.to} are asked for no more (${nameOrMore(lost)}): ExternalDNS will delete them`,
              { facts: { names: [...lost] }, remedy },
            ),
          ]),
    ];
    const [first] = findings;
    return first === undefined
      ? verified("passed", text`resumed, and every name stayed within one sync interval`)
      : verified("failed", text`the sync changed what this run has done: ${first.text}`, { findings });
  },
});
