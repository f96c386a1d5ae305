import { roundMs } from "../domain-move/after-sync.ts";
import {
  askingPorts,
  explainName,
  explanationFindings,
  nameOrMore,
  type QuickLook,
  quickLook,
  unaskedFindings,
} from "../domain-move/asking.ts";
import { type DnsView, recordsIn, viewDns } from "../domain-move/dns-view.ts";
import { judgeInZone, type NewName, newNames } from "../domain-move/new-names.ts";
import { addedAt } from "../domain-move/notes.ts";
import { unreadFindings } from "../domain-move/say.ts";
import type { ExplainEvidence } from "../explain/evidence.ts";
import { answersOf, dataOf } from "../explain/evidence.ts";
import type { Explanation } from "../explain/explain.ts";
import type { Finding } from "../finding.ts";
import { isFailure } from "../finding.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import type { Block } from "../reply.ts";
import { code, text } from "../text.ts";
import { noDeeds, type StepContext, type Verified } from "./step.ts";

const pollMs = 30_000;
/** A change is usually at all servers of a zone within 60 s; doubled. */
const propagationMs = 120_000;
/** What time cures by itself. */
const passing = ["negative-cache", "stale-cache", "not-in-sync"];
/** The rest of the names that fail are told by the same reasons. */
const explainedAtMost = 3;

/** How long a resolver may keep a "no" of the zone, milliseconds: the smaller of the SOA's TTL and its last field. */
async function negativeMs(view: DnsView): Promise<number> {
  const soa = (await recordsIn(view, view.newZone)).find(({ type }) => type === "SOA");
  if (soa?.answer.kind !== "values") return 900_000;
  const minimum = Number(soa.answer.values[0]?.trim().split(/\s+/).at(-1));
  return Math.min(soa.answer.ttl, Number.isFinite(minimum) ? minimum : soa.answer.ttl) * 1_000;
}

type Looked = Readonly<{ evidence: ExplainEvidence; explanation: Explanation }>;

/** It resolves, and all three places were asked. */
const isRight = ({ evidence, explanation }: Looked): boolean =>
  explanation.state === "resolves" && evidence.site.ok && evidence.public.ok && evidence.authoritative.ok;

const saidBy = ({ evidence }: Looked): QuickLook["places"] => {
  const all = [
    ["zone", evidence.authoritative],
    ["public", evidence.public],
    ["site", evidence.site],
  ] as const;
  return all.flatMap(([place, looked]) => {
    if (!looked.ok) return [{ place, says: "could not look" }];
    const [answer] = answersOf(looked.value);
    const data = answer === undefined ? [] : dataOf(answer, evidence.type);
    const empty = answer?.rcode === "NOERROR" ? "an empty answer" : answer?.rcode;
    return [{ place, says: data.join(" ") || (empty ?? "no answer") }];
  });
};

type Asked = Readonly<{ name: NewName; right: boolean; places: QuickLook["places"] }>;

/** Asks for every name; the first and the first that fail in full, the others at three places. */
async function askAll(context: StepContext, view: DnsView, names: readonly NewName[]) {
  const asked: Asked[] = [];
  const wrong: Looked[] = [];
  const findings: Finding[] = [];
  let server: string | undefined;
  const whole = async (name: NewName): Promise<Looked> => {
    const looked = await explainName(context, view, name);
    if (looked.evidence.authoritative.ok) server ??= looked.evidence.authoritative.value[0]?.server;
    return looked;
  };
  const ports = askingPorts(context, view);
  for (const [i, name] of names.entries()) {
    context.show(text`asking for ${name.name}, ${i + 1} of ${names.length}`);
    if (i === 0) {
      const looked = await whole(name);
      findings.push(...unaskedFindings(looked.evidence));
      asked.push({ name, right: isRight(looked), places: saidBy(looked) });
      if (!isRight(looked)) wrong.push(looked);
      if (findings.length > 0) break;
      continue;
    }
    const quick = await quickLook(context, ports, server, name);
    asked.push({ name, ...quick });
    if (!quick.right && wrong.length < explainedAtMost) wrong.push(await whole(name));
  }
  return { asked, wrong, findings };
}

const table = (asked: readonly Asked[]): readonly Block[] => [
  {
    kind: "table",
    title: "Who says what",
    columns: ["name", "wanted", "zone", "public", "site"].map((title) => ({ title })),
    rows: asked.map(({ name, places }) => {
      const at = (place: string) => [
        [...new Set(places.filter((each) => each.place === place).map(({ says }) => says))].join("; ") ||
          "not asked",
      ];
      return [[name.name], [name.wanted.join(" ")], at("zone"), at("public"), at("site")];
    }),
  },
];

export const verifyNewNames = defineStep({
  id: "verify-new-names",
  kind: "check",
  title: "Verify the new names",
  proof: text`that the new names resolve for the people of this site: dropping the old ones would then leave them with none`,
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async (context) => {
    const { move } = await viewDns(context);
    return {
      ...noDeeds,
      prediction: [
        text`every name below ${move.to} stands in its zone with our ownership, and resolves at the zone's servers, outside and at the site's own resolvers`,
      ],
      predicted: null,
    };
  },
  verify: async (context): Promise<Verified> => {
    const view = await viewDns(context);
    const now = context.ports.clock.now();
    const since = addedAt(context.run.notes) ?? now;
    const names = await newNames(view);
    const unread = unreadFindings(view);
    if (unread.length > 0)
      return verified("unknown", text`which new names there have to be is not known`, { findings: unread });
    if (names.length === 0)
      return verified("failed", text`nothing in the cluster asks for a name below ${view.move.to}`, {
        findings: [
          finding(
            "no-new-names",
            "error",
            { kind: "cluster", name: context.run.cluster },
            text`nothing in the cluster asks for a name below ${view.move.to}`,
          ),
        ],
      });
    const zone = await judgeInZone(view, names);
    const [first] = zone.missing;
    if (first !== undefined) {
      const until = since + 3 * roundMs(view);
      if (now < until)
        return verified(
          "waiting",
          text`${zone.missing.length} of ${names.length} records are not in the zone yet: ExternalDNS has a round every ${Math.round(roundMs(view) / 1_000) - 60} s`,
          { until: now + pollMs },
        );
      return verified("failed", text`${zone.missing.length} of ${names.length} records were not written`, {
        findings: zone.missing.map(({ name, type, publisher }) =>
          finding(
            "record-not-created",
            "error",
            { kind: "name", name },
            text`${publisher} has not written ${name} ${type} in ${Math.round((now - since) / 1_000)} s`,
            {
              remedy: text`Its log says why; often its rights in AWS do not reach the new zone: ${code(`kubectl -n ${publisher.split("/")[0] ?? ""} logs deploy/${publisher.split("/")[1] ?? ""}`)}`,
            },
          ),
        ),
      });
    }
    if (zone.findings.length > 0)
      return verified(
        "failed",
        text`${zone.findings.length} new names are not as they have to be in the zone`,
        {
          findings: zone.findings,
        },
      );
    const { asked, wrong, findings } = await askAll(context, view, names);
    const blocks = table(asked);
    if (findings.length > 0)
      return verified("unknown", text`whether the new names resolve everywhere could not be seen`, {
        findings,
        blocks,
      });
    const failing = asked.filter(({ right }) => !right);
    if (failing.length === 0)
      return verified(
        "passed",
        text`${names.length} of ${names.length} new names resolve at the zone's servers, outside and at the site's resolvers, and are owned by us`,
        { blocks, notes: { at: now, names: names.map(({ name, type }) => `${name} ${type}`) } },
      );
    const reasons = wrong.flatMap(({ evidence, explanation }) =>
      explanationFindings(evidence.name, explanation),
    );
    const lasting = wrong.some(({ explanation: { certain } }) =>
      certain.some(({ diagnosis }) => !passing.includes(diagnosis.id)),
    );
    const until = since + 2 * roundMs(view) + propagationMs + (await negativeMs(view));
    const said = text`${failing.length} of ${names.length} new names do not resolve everywhere (${nameOrMore(failing.map(({ name }) => name.name))})`;
    if (!lasting && now < until)
      return verified("waiting", text`${said}: ${reasons[0]?.text ?? "servers and caches take their time"}`, {
        until: Math.min(until, now + pollMs),
      });
    const told =
      reasons.filter(isFailure).length > 0
        ? reasons
        : failing.map(({ name, places }) =>
            finding(
              "name-unresolved",
              "error",
              { kind: "name", name: name.name },
              text`${name.name}: ${places.map(({ place, says }) => `${place} says ${says}`).join(", ")}`,
              { remedy: text`Ask in full: ${code(`/dns explain ${name.name}`)}` },
            ),
          );
    const [worst] = told;
    return verified("failed", text`${said}: ${worst?.text ?? ""}`, { findings: told, blocks });
  },
});
