import type { DnsAnswer, DnsFlag, DnsReply, ResourceRecord } from "#shared/dns/answer.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import type { ExplainEvidence, Looked, ServerReply, ZoneListing } from "#shared/explain/evidence.ts";
import type { Fault } from "#shared/fault.ts";

/** Evidence around `httpbin.goldentooth.net` when everything is right; cases change one probe. */
export const name = fqdn("httpbin.goldentooth.net");
export const zone = fqdn("goldentooth.net");
export const vip = "10.4.11.1";

export const rr = (type: string, data: string, ttl = 300, owner = name): ResourceRecord => ({
  name: owner,
  ttl,
  type,
  data,
});

export const soa = (ttl = 900): ResourceRecord =>
  rr("SOA", "ns-1.awsdns.example. awsdns-hostmaster.example. 1 7200 900 1209600 86400", ttl, zone);

export const answer = (
  parts: Readonly<{
    rcode?: string;
    flags?: readonly DnsFlag[];
    answer?: readonly ResourceRecord[];
    authority?: readonly ResourceRecord[];
    extendedErrors?: readonly number[];
  }> = {},
): DnsAnswer => ({
  kind: "answer",
  rcode: parts.rcode ?? "NOERROR",
  flags: parts.flags ?? ["ra"],
  answer: parts.answer ?? [],
  authority: parts.authority ?? [],
  additional: [],
  extendedErrors: parts.extendedErrors ?? [],
});

export const silence: DnsReply = { kind: "silence", because: "timed-out" };

export const seen = <T>(value: T, from = "ops-host"): Looked<T> => ({ ok: true, from, value });
export const unseen = (fault: Partial<Fault> = {}): Looked<never> => ({
  ok: false,
  fault: { kind: "not-configured", what: "site resolver", detail: "no vantage inside the site", ...fault },
});

export const servers = ["ns-1.awsdns.example", "ns-2.awsdns.example"];

export const recordSet = (type: string, values: readonly string[], at = name): RecordSet => ({
  name: at,
  type,
  routing: { policy: "simple" },
  answer: { kind: "values", ttl: 300, values },
});

export const listing = (parts: Partial<ZoneListing> = {}, id = "Z1", isPrivate = false): ZoneListing => ({
  zone: {
    id,
    name: zone,
    private: isPrivate,
    recordCount: 4,
    nameServers: isPrivate ? undefined : servers,
  },
  atName: [recordSet("A", [vip])],
  delegations: [],
  wildcard: [],
  hasBelow: false,
  ...parts,
});

export const authoritative = (
  reply: DnsReply = answer({ flags: ["aa"], answer: [rr("A", vip)] }),
  soaReply: DnsReply = answer({ flags: ["aa"], answer: [soa()] }),
  hosts: readonly string[] = servers,
) =>
  hosts.map((host, i) => ({
    host,
    server: `198.18.0.${i + 1}`,
    reply,
    soa: soaReply,
    transports: "udp and tcp" as const,
  }));

export const at = (server: string, reply: DnsReply): ServerReply => ({ server, reply });

export const right = answer({ answer: [rr("A", vip, 287)] });

export function evidence(parts: Partial<ExplainEvidence> = {}): ExplainEvidence {
  return {
    name,
    type: "A",
    wanted: [vip],
    parent: seen([
      at(
        "198.18.9.1",
        answer({ flags: [], authority: servers.map((host) => rr("NS", host, 172_800, zone)) }),
      ),
    ]),
    parentDs: seen(answer({ flags: ["aa"] })),
    delegationSets: seen([{ zoneId: "Z1", nameServers: servers }]),
    authoritative: seen(authoritative()),
    public: seen([at("198.18.8.8", right), at("198.18.8.9", right)]),
    site: seen([at("10.4.0.1", right)]),
    siteTxt: seen([{ ...at("10.4.0.1", answer({ answer: [rr("TXT", '"heritage=external-dns"')] })), name }]),
    siteUnchecked: seen([at("10.4.0.1", right)]),
    listed: seen([listing()]),
    change: seen("INSYNC" as const),
    ownership: seen({ owner: "default", ours: ["default"] }),
    ...parts,
  };
}
