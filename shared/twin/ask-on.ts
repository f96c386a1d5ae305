import type { AskServer, DnsFlag, ResourceRecord } from "../dns/answer.ts";
import { readMasterFileName } from "../dns/answer.ts";
import type { DnsRecord } from "./dns-message.ts";
import type { Twin } from "./twin.ts";

const nameTypes = new Set(["NS", "CNAME", "PTR", "DNAME"]);

const recordOf = ({ name, ttl, type, value }: DnsRecord): ResourceRecord => {
  const read = nameTypes.has(type) ? readMasterFileName(value) : undefined;
  return { name, ttl, type, data: read?.ok === true ? read.fqdn : value };
};

/** Asks name servers of a twin's world directly, without a wire between: what sockets are elsewhere. */
export const askOn =
  ({ resolvers }: Pick<Twin, "resolvers">): AskServer =>
  async (server, { name, type, recurse, checkingDisabled = false }) => {
    const outcome = resolvers.ask(server, { name, type, recursive: recurse, checkingDisabled });
    if (outcome === "timed-out") return { kind: "silence", because: "timed-out" };
    if (outcome === "connection-refused") return { kind: "silence", because: "refused" };
    const flags: readonly (readonly [DnsFlag, boolean])[] = [
      ["aa", outcome.authoritative],
      ["rd", recurse],
      ["ra", outcome.recursionAvailable],
      ["cd", checkingDisabled],
    ];
    const extended = /^\d+/.exec(outcome.extendedError ?? "")?.[0];
    return {
      kind: "answer",
      rcode: outcome.status,
      flags: flags.filter(([, on]) => on).map(([flag]) => flag),
      answer: outcome.answer.map(recordOf),
      authority: outcome.authority.map(recordOf),
      additional: outcome.additional.map(recordOf),
      extendedErrors: extended === undefined ? [] : [Number(extended)],
    };
  };
