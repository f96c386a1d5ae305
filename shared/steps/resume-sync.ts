import type { Finding } from "../finding.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { type MetalLbView, viewMetalLb } from "../migration/metallb-view.ts";
import { diffsOf, type ObjectChange, titleOf } from "../migration/objects.ts";
import { pausedAndGone, pausedBy, resumesOf } from "../migration/pausing.ts";
import { notYet } from "../migration/reached.ts";
import { text } from "../text.ts";
import { noDeeds, type StepContext } from "./step.ts";
import { surveyed } from "./survey.ts";

const changesOf = (context: StepContext, view: MetalLbView): readonly ObjectChange[] =>
  resumesOf(view, pausedBy(context.run, "pause-sync"));

const intervalMs = (context: StepContext): number => {
  const { syncSeconds } = (context.run.notes.survey ?? {}) as { syncSeconds?: number | null };
  return (syncSeconds ?? 180) * 1_000;
};

export const resumeSync = defineStep({
  id: "resume-sync",
  kind: "act",
  title: "Resume what was paused",
  proof: text`that what was paused is synced again: it stays paused until somebody resumes it`,
  reversibleWhile: text`always: pausing it again is the way back`,
  unneeded: async (context) =>
    pausedBy(context.run, "pause-sync").length === 0 ? text`nothing was paused` : undefined,
  ready: async (context): Promise<readonly Finding[]> => {
    const gone = pausedAndGone(await viewMetalLb(context), pausedBy(context.run, "pause-sync"));
    const noted = context.run.notes.persist as { compared?: number; differing?: number } | null | undefined;
    if (noted?.compared !== undefined && noted.compared > 0 && noted.differing === 0) return gone;
    return [
      ...gone,
      finding(
        "git-not-seen",
        "unknown",
        { kind: "cluster", name: context.run.cluster },
        text`whether Git has what the cluster has is not known: a sync may bring BGP back and take the L2Advertisement away`,
        {
          remedy: text`Put the manifests of step persist into Git, then go on; or leave it paused by skipping this step`,
        },
      ),
    ];
  },
  plan: async (context) => {
    const changes = changesOf(context, await viewMetalLb(context));
    return {
      ...noDeeds,
      deeds: changes.map(({ deed }) => deed),
      undo: changes.map(({ undo }) => undo).reverse(),
      diffs: diffsOf(changes),
      prediction: [text`the next sync changes nothing, because Git says what the cluster says`],
      predicted: changes.map(({ kind, before }) => titleOf(kind, before as KubeObject)),
    };
  },
  observe: async ({ ports: { clock } }) => {
    const at = clock.now();
    return { stop: async () => ({ findings: [], blocks: [], facts: { at } }) };
  },
  verify: async (context, plan, observed) => {
    const { clock } = context.ports;
    const since = (observed?.facts as { at?: number } | null | undefined)?.at;
    const until = (since ?? clock.now()) + intervalMs(context);
    if (since === undefined) await clock.sleep(until - clock.now(), context.signal);
    else if (clock.now() < until)
      return verified(
        "waiting",
        text`one sync interval has to pass before it is known that nothing comes back`,
        { until },
      );
    const view = await viewMetalLb(context);
    const pending = notYet(view, plan, clock.now());
    if (pending !== undefined) return pending;
    const back = surveyed(view).filter(
      ({ kind }) => kind !== "ipaddresspools" && kind !== "l2advertisements",
    );
    if (back.length > 0 || view.own.l2.length === 0)
      return verified(
        "failed",
        text`the sync brought back ${back.map(({ title }) => title).join(", ") || "nothing"}${view.own.l2.length === 0 ? ", and took the L2Advertisement away" : ""}. Pause it again, and correct Git`,
      );
    return verified("passed", text`resumed, and nothing came back within one sync interval`);
  },
});
