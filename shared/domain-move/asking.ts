import type { Question } from "../dns/answer.ts";
import type { Fqdn } from "../dns/fqdn.ts";
import { askThrough } from "../explain/ask-through.ts";
import { answersOf, dataOf, type ExplainEvidence, type ServerReply, sameData } from "../explain/evidence.ts";
import { type Explanation, explain } from "../explain/explain.ts";
import { type ExplainPorts, gatherEvidence } from "../explain/gather.ts";
import { type Fault, FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { couldNotLook, finding } from "../migration/define-step.ts";
import type { ClusterConfig } from "../site/site.ts";
import type { StepContext } from "../steps/step.ts";
import { text } from "../text.ts";
import type { DnsView } from "./dns-view.ts";

/** A vantage in the segment and outside the cluster: only there the site's resolvers are the clients' resolvers. */
const insideOf = ({ vantages }: ClusterConfig): string | undefined =>
  vantages.find(({ place, clusterNode }) => place !== "behind-router" && clusterNode === undefined)?.name;

/**
 * Where a step may ask name servers from. Steps have no resolver of their own: without `dns.askFrom` the world is asked
 * from the vantage inside, too.
 */
export function askingPorts({ ports: { config, shell } }: StepContext, view: DnsView): ExplainPorts {
  const inside = insideOf(config);
  const here = config.dns?.askFrom ?? inside;
  const at = (place: string) => ({ place, ask: askThrough(shell, place) });
  return {
    zones: view.read,
    here: here === undefined ? undefined : at(here),
    inside: inside === undefined ? undefined : at(inside),
    publicResolvers: config.dns?.publicResolvers ?? [],
    siteResolvers: config.site.resolvers,
  };
}

const notKnown = (what: string, detail: string): Readonly<{ ok: false; fault: Fault }> => ({
  ok: false,
  fault: { kind: "not-configured", what, detail },
});

export type AskedName = Readonly<{
  name: Fqdn;
  type: string;
  wanted: readonly string[];
  owner: string | undefined;
  ours: readonly string[];
  /** An ownership text of the zone that can be asked for beside it. */
  txt: Fqdn | undefined;
}>;

/** Everything that explains why a name does or does not resolve. */
export async function explainName(
  context: StepContext,
  view: DnsView,
  { name, type, wanted, owner, ours, txt }: AskedName,
): Promise<Readonly<{ evidence: ExplainEvidence; explanation: Explanation }>> {
  const evidence = await gatherEvidence(
    askingPorts(context, view),
    {
      name,
      type,
      wanted,
      ownership: { ok: true, from: "Route 53", value: { owner, ours } },
      change: notKnown("state of the last change", "ExternalDNS made it, and does not tell"),
      txt,
    },
    context.signal,
  );
  return { evidence, explanation: explain(evidence) };
}

/** What is wrong with the name, as the explanations call it. */
export const explanationFindings = (name: string, { certain, possible }: Explanation): readonly Finding[] => [
  ...certain.map(({ diagnosis, opinion }) =>
    finding(`dns-${diagnosis.id}`, "error", { kind: "name", name }, opinion.because, {
      facts: { certainty: "certain" },
      remedy: opinion.remedy,
    }),
  ),
  ...possible.map(({ diagnosis, opinion }) =>
    finding(
      `dns-${diagnosis.id}`,
      "warning",
      { kind: "name", name },
      [...opinion.because, "; what decides: ", ...opinion.test],
      { facts: { certainty: "possible" }, remedy: opinion.remedy },
    ),
  ),
];

/** Places that could not be asked, each as unknown. */
export const unaskedFindings = ({ site, public: outside, authoritative, name }: ExplainEvidence) =>
  (
    [
      ["the zone's own servers", authoritative],
      ["public resolvers", outside],
      ["the site's resolvers", site],
    ] as const
  ).flatMap(([what, looked]): readonly Finding[] =>
    looked.ok
      ? []
      : [couldNotLook({ ...looked.fault, what: `${what} (${looked.fault.what})` }, { kind: "name", name })],
  );

/** Judges the delegation of the new domain's zone: asked at its parent, never for a name that is to come. */
export async function delegationFindings(
  context: StepContext,
  view: DnsView,
  zone: Fqdn,
): Promise<readonly Finding[]> {
  const { evidence, explanation } = await explainName(context, view, {
    name: zone,
    type: "NS",
    wanted: [],
    owner: undefined,
    ours: [],
    txt: undefined,
  });
  if (!evidence.parent.ok) return [couldNotLook(evidence.parent.fault, { kind: "zone", name: zone })];
  const about = ["not-delegated", "wrong-twin-zone", "other-delegation", "lame-server", "server-unreachable"];
  const kept = (each: Readonly<{ diagnosis: Readonly<{ id: string }> }>) => about.includes(each.diagnosis.id);
  return explanationFindings(zone, {
    ...explanation,
    certain: explanation.certain.filter(kept),
    possible: explanation.possible.filter(kept),
  });
}

/** Where a name was asked for and what came: right, or who said something else. */
export type QuickLook = Readonly<{
  right: boolean;
  places: readonly Readonly<{ place: string; says: string }>[];
}>;

const says = (reply: ServerReply, type: string): string => {
  const [answer] = answersOf([reply]);
  if (answer === undefined) return "no answer";
  const data = dataOf(answer, type);
  return data.length > 0 ? data.join(" ") : answer.rcode === "NOERROR" ? "an empty answer" : answer.rcode;
};

/** Asks one of the zone's servers, one public resolver and every resolver of the site. Throws FaultError. */
export async function quickLook(
  { signal }: StepContext,
  { here, inside, publicResolvers, siteResolvers }: ExplainPorts,
  server: string | undefined,
  { name, type, wanted }: AskedName,
): Promise<QuickLook> {
  const [resolver] = publicResolvers;
  if (here === undefined || inside === undefined || resolver === undefined || server === undefined)
    throw new FaultError({
      kind: "not-configured",
      what: "name servers",
      detail: "there is no vantage to ask from",
    });
  const question = (recurse: boolean): Question => ({ name, type, recurse });
  const asked = await Promise.all([
    here.ask(server, question(false), signal).then((reply) => ({ place: "zone", server, reply })),
    here
      .ask(resolver, question(true), signal)
      .then((reply) => ({ place: "public", server: resolver, reply })),
    ...siteResolvers.map((site) =>
      inside.ask(site, question(true), signal).then((reply) => ({ place: "site", server: site, reply })),
    ),
  ]);
  const right = asked.every(({ server: from, reply }) => {
    const [answer] = answersOf([{ server: from, reply }]);
    return answer !== undefined && sameData(dataOf(answer, type), wanted.toSorted());
  });
  return { right, places: asked.map((each) => ({ place: each.place, says: says(each, type) })) };
}

export const nameOrMore = (names: readonly string[]) =>
  names.length <= 3
    ? text`${names.join(", ")}`
    : text`${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
