import { type Fqdn, isWithin } from "#shared/dns/fqdn.ts";
import type { Drift } from "#shared/drift/drift.ts";
import { isUnwatchedZone } from "#shared/drift/drift-report.ts";
import type { ZoneLook } from "#shared/drift/look-at-zone.ts";
import { checkJson, countsOf, driftReply } from "#shared/drift/report.ts";
import type { Snooze } from "#shared/drift/snooze.ts";
import { isFailure } from "#shared/finding.ts";
import type { Block, Outcome, Reply } from "#shared/reply.ts";
import { code, strong, type Text, text } from "#shared/text.ts";

/** What a message about several zones is made of, zone by zone. */
export type ZoneSaid = Readonly<{
  look: ZoneLook;
  shown: readonly Drift[];
  resolved: readonly Drift[];
  snooze: Snooze | undefined;
}>;

const number = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

/** `goldentooth.net`, and which of two where a name is there twice. */
const zoneWords = ({ look }: ZoneSaid, all: readonly ZoneSaid[]): string => {
  const { id, name } = look.report.zone;
  const isTwice = all.filter((other) => other.look.report.zone.name === name).length > 1;
  return isTwice ? `${name} (${look.private === true ? "private" : "public"}, ${id})` : name;
};

/** The cluster has ExternalDNS, and none looks at this zone. */
export const isUnwatched = ({ look }: Pick<ZoneSaid, "look">): boolean => isUnwatchedZone(look.report);

const rank = (reply: Reply): number =>
  (["failed", "unknown", "info", "ok"] as readonly Outcome[]).indexOf(reply.verdict.outcome);

const replyOf = ({ look, shown, resolved, snooze }: ZoneSaid): Reply =>
  driftReply({ report: look.report, shown, resolved, plan: undefined, snooze, buttons: {} });

/** The zone is said above its table; what is folded away is found by its title alone. */
const withTitle = (blocks: readonly Block[], title: string): readonly Block[] =>
  blocks.map((block) =>
    block.kind === "evidence" ? { ...block, title: `${block.title}, ${title}` } : block,
  );

function verdictOf(said: readonly ZoneSaid[], where: string, replies: readonly Reply[]): Reply["verdict"] {
  const { we, externalDns, nobody } = countsOf(said.flatMap(({ shown }) => shown));
  const all = we + externalDns + nobody;
  const unwatched = said.filter(isUnwatched);
  const part = said.filter((each) => !each.look.report.complete && !isUnwatched(each)).length;
  const alone = unwatched.map((each) => zoneWords(each, said)).join(", ");
  const unread = part === 0 ? "" : ` · ${number(part, "zone", "zones")} not read whole`;
  if (all > 0) {
    const parts = [
      ...(we > 0 ? [`${we} ${we === 1 ? "is" : "are"} ours to fix`] : []),
      ...(externalDns > 0 ? [`${externalDns} ExternalDNS will fix`] : []),
      ...(nobody > 0 ? [`${nobody} nobody will`] : []),
    ];
    return {
      word: "DRIFT",
      outcome: "failed",
      text: [`${number(all, "difference", "differences")} · ${where} · ${parts.join(", ")}${unread}`],
    };
  }
  if (part > 0)
    return {
      word: "UNKNOWN",
      outcome: "unknown",
      text: [
        `${where}: ${number(part, "zone", "zones")} could not be compared whole: nothing is said about what is absent`,
      ],
    };
  if (unwatched.length > 0) {
    const others = said.filter((each) => !isUnwatched(each)).map((each) => zoneWords(each, said));
    const rest = others.length === 0 ? "" : `no difference in ${others.join(", ")} · `;
    return {
      word: "WARN",
      outcome: "failed",
      text: [
        `${rest}nobody will repair ${alone}: no ExternalDNS looks at ${unwatched.length === 1 ? "it" : "them"}`,
      ],
    };
  }
  const isFailed = replies.some(({ verdict }) => verdict.outcome === "failed");
  return {
    word: isFailed ? "FAIL" : "OK",
    outcome: isFailed ? "failed" : "ok",
    text: [`no difference in ${where}`],
  };
}

/** One answer about one or more zones, worst first. `name` says what it is limited to. */
export function zonesReply(cluster: string, given: readonly ZoneSaid[], name: Fqdn | undefined): Reply {
  const pairs = given
    .map((said) => ({ said, reply: replyOf(said) }))
    .toSorted((a, b) => rank(a.reply) - rank(b.reply));
  const said = pairs.map((pair) => pair.said);
  const counts = said.map((each) => {
    const { recordSets } = each.look.report;
    return `${zoneWords(each, said)} (${recordSets === undefined ? "not listed" : `${recordSets} record sets`})`;
  });
  const where = name === undefined ? (said.length === 1 ? (counts[0] ?? "") : `${said.length} zones`) : name;
  const findings = pairs.flatMap(({ reply }) => reply.findings);
  const drifts = said.flatMap(({ shown }) => shown);
  const mine = drifts.filter(({ repair }) => repair === "we").length;
  const first = drifts[0];
  const zoneOf = said.find(({ shown }) => shown.some(({ repair }) => repair === "we"))?.look.report.zone;
  return {
    verdict: verdictOf(
      said,
      where,
      pairs.map(({ reply }) => reply),
    ),
    cluster,
    findings,
    blocks:
      pairs.length === 1
        ? (pairs[0]?.reply.blocks ?? [])
        : pairs.flatMap(({ said: each, reply }): readonly Block[] => {
            const title = zoneWords(each, said);
            const words: Text =
              each.shown.length === 0
                ? text`${strong(title)}: ${isUnwatched(each) ? "no ExternalDNS looks at it, so nobody will repair it" : reply.verdict.word === "OK" ? "no difference" : "not compared whole: nothing is said about what is absent"}`
                : text`${strong(title)}: ${number(each.shown.length, "difference", "differences")}`;
            return [{ kind: "prose", text: words }, ...withTitle(reply.blocks, title)];
          }),
    next: [
      ...(mine === 0
        ? []
        : [
            text`We will repair ${mine === 1 ? "that one" : `those ${mine}`} after approval: ${code(`/dns plan ${zoneOf?.name ?? ""}`)}`,
          ]),
      ...(first === undefined ? [] : [text`What a kind means: ${code(`docs/drift/${first.kind}.md`)}`]),
      ...(drifts.length === 0 && findings.some(isFailure)
        ? [text`Who reads and repairs what: ${code("docs/dns.md")}`]
        : []),
    ],
    actions: [],
    json: {
      cluster,
      name: name ?? null,
      zones: said.map(({ look, shown }) => {
        const whole = checkJson({ ...look.report, drifts: shown });
        return {
          zoneId: look.report.zone.id,
          private: look.private ?? null,
          ...Object.fromEntries(
            Object.entries(whole).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
          ),
        };
      }),
    },
  };
}

/** What is said at a name and below it. */
export const atName = (drifts: readonly Drift[], name: Fqdn | undefined): readonly Drift[] =>
  name === undefined ? drifts : drifts.filter((drift) => isWithin(drift.name, name));
