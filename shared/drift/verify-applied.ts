import type { AskServer, DnsReply } from "../dns/answer.ts";
import { masterFileName } from "../dns/answer.ts";
import { decodeName } from "../dns/fqdn.ts";
import { type RecordSet, recordSetKey, valuesOf } from "../dns/record-set.ts";
import { FaultError } from "../fault.ts";
import type { PlannedBatch } from "./plan-value.ts";

/** One name server of the zone's delegation set. */
export type NameServer = Readonly<{ name: string; address: string }>;

export type Verified = Readonly<{ record: string; ok: boolean; said: string }>;

/** What has to stand after the batches, by record set; `undefined` for what has to be gone. */
export function expectedAfter(
  batches: readonly PlannedBatch[],
): readonly Readonly<{ set: RecordSet; stands: boolean }>[] {
  const last = new Map<string, Readonly<{ set: RecordSet; stands: boolean }>>();
  for (const { action, set } of batches.flatMap(({ changes }) => changes))
    last.set(recordSetKey(set), { set, stands: action !== "DELETE" });
  return [...last.values()];
}

/** Values as a name server tells them: names without their last dot and lower-cased, strings of a TXT joined. */
const told = (type: string, value: string): string => {
  if (type === "TXT") {
    const parts = value.match(/"(?:[^"\\]|\\.)*"/g);
    return parts === null ? value : parts.map((part) => part.slice(1, -1)).join("");
  }
  if (type === "CNAME" || type === "NS" || type === "PTR") return decodeName(value);
  return value.toLowerCase().replace(/\.$/, "");
};

type Said = Readonly<{ ok: boolean; said: string }>;

function judge(set: RecordSet, stands: boolean, reply: DnsReply): Said {
  if (reply.kind === "silence") return { ok: false, said: `no answer (${reply.because})` };
  if (!reply.flags.includes("aa"))
    return { ok: false, said: `${reply.rcode}, and not as an authority of the zone` };
  const found = reply.answer.filter(({ type }) => type === set.type).map(({ data }) => told(set.type, data));
  if (!stands)
    return found.length === 0
      ? { ok: true, said: reply.rcode === "NXDOMAIN" ? "no such name" : "no such record" }
      : { ok: false, said: `still ${found.join(", ")}` };
  const wanted = valuesOf(set)
    .map((value) => told(set.type, value))
    .toSorted();
  if (found.length === 0) return { ok: false, said: `${reply.rcode} without an answer` };
  const same = JSON.stringify(found.toSorted()) === JSON.stringify(wanted);
  return { ok: same, said: found.join(", ") };
}

/** Aliases and routed record sets answer with something else than is written in them; wildcards cannot be asked for. */
const isComparable = ({ name, routing, answer }: RecordSet): boolean =>
  routing.policy === "simple" && answer.kind === "values" && !masterFileName(name).startsWith("*");

/** More are not asked for: the API said INSYNC for all of them alike. */
const mostAsked = 50;

async function askAll(
  set: RecordSet,
  stands: boolean,
  servers: readonly NameServer[],
  ask: AskServer,
): Promise<Verified> {
  const said = await Promise.all(
    servers.map(async ({ name, address }) => {
      const question = { name: set.name, type: set.type, recurse: false };
      try {
        return { name, ...judge(set, stands, await ask(address, question)) };
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        return { name, ok: false, said: `could not be asked (${error.fault.detail})` };
      }
    }),
  );
  const bad = said.filter(({ ok }) => !ok);
  return {
    record: recordSetKey(set).trim(),
    ok: bad.length === 0,
    said:
      bad.length === 0
        ? `${said[0]?.said ?? ""} at all ${said.length} name servers`
        : bad.map((each) => `${each.name}: ${each.said}`).join("; "),
  };
}

/** Asks every server of the zone itself, without recursion, for what was changed. */
export async function verifyApplied(
  batches: readonly PlannedBatch[],
  servers: readonly NameServer[],
  ask: AskServer,
): Promise<Readonly<{ verified: readonly Verified[]; notAsked: number }>> {
  const all = expectedAfter(batches);
  const asked = servers.length === 0 ? [] : all.filter(({ set }) => isComparable(set)).slice(0, mostAsked);
  const verified: Verified[] = [];
  for (const { set, stands } of asked) verified.push(await askAll(set, stands, servers, ask));
  return { verified, notAsked: all.length - asked.length };
}
