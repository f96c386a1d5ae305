import { negativeSoa, type ResourceRecord } from "../dns/answer.ts";
import { code, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { agreed, answersOf, type ExplainEvidence } from "./evidence.ts";
import { parentNameServers } from "./parent-name-servers.ts";

/** How long resolvers keep a "no": the smaller of the SOA's TTL and its last field (RFC 2308). Seconds. */
export function negativeTtl(soa: ResourceRecord): number {
  const minimum = Number(soa.data.trim().split(/\s+/).at(-1));
  return Number.isFinite(minimum) ? Math.min(soa.ttl, minimum) : soa.ttl;
}

/** The zone's own SOA, from its servers; undefined where they did not say. */
function ownSoa({ authoritative }: ExplainEvidence): ResourceRecord | undefined {
  if (!authoritative.ok) return undefined;
  for (const { soa } of authoritative.value) {
    if (soa.kind !== "answer") continue;
    const record = [...soa.answer, ...soa.authority].find(({ type }) => type === "SOA");
    if (record) return record;
  }
  return undefined;
}

/** A resolver remembers that the name did not exist. */
export const negativeCache: Diagnosis = {
  id: "negative-cache",
  number: 8,
  sentence: "a resolver remembers that the name did not exist",
  needs: ["P3", "P4", "P5"],
  judge: (evidence) => {
    const blind = unlooked(evidence.authoritative);
    if (blind) return blind;
    const right = agreed(evidence);
    if (right === undefined || right.length === 0) return no;
    const resolvers = [evidence.site, evidence.public].flatMap((looked) => (looked.ok ? looked.value : []));
    if (resolvers.length === 0) return unlooked(evidence.site, evidence.public) ?? no;
    const own = ownSoa(evidence);
    const isDelegated = parentNameServers(evidence).length > 0;
    const remembered = answersOf(resolvers).flatMap((answer) => {
      const soa = negativeSoa(answer);
      // A "no" with the SOA of another zone comes from before the delegation; without one, waiting is no help.
      const isOurs = own === undefined || soa?.name === own.name;
      return soa && (isOurs || isDelegated) && /^(NXDOMAIN|NOERROR)$/.test(answer.rcode)
        ? [{ server: answer.server, left: negativeTtl(soa), isOurs }]
        : [];
    });
    const [worst] = remembered.toSorted((a, b) => b.left - a.left);
    if (worst === undefined) return no;
    const full = own === undefined || !worst.isOurs ? undefined : negativeTtl(own);
    const because = text`${code(worst.server)} says that the name does not exist and will for ${worst.left} s; the zone's own servers have it`;
    const remedy = text`wait ${worst.left} s, or flush the name from that resolver's cache`;
    return full !== undefined && worst.left < full
      ? { certainty: "certain", because, remedy }
      : {
          certainty: "possible",
          because,
          test: text`ask again in a few seconds: the remaining time counts down if it is a memory`,
          remedy,
        };
  },
};
