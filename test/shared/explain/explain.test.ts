import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import { diagnoses } from "#shared/explain/all.ts";
import type { ExplainEvidence } from "#shared/explain/evidence.ts";
import { explain } from "#shared/explain/explain.ts";
import {
  answer,
  at,
  authoritative,
  evidence,
  listing,
  name,
  recordSet,
  rr,
  seen,
  servers,
  silence,
  soa,
  unseen,
  vip,
  zone,
} from "./evidence-of.ts";

const parentNames = (...hosts: string[]) =>
  seen([
    at("198.18.9.1", answer({ flags: [], authority: hosts.map((host) => rr("NS", host, 172_800, zone)) })),
  ]);

const noTxt = seen([{ ...at("10.4.0.1", answer({ rcode: "NXDOMAIN" })), name }]);

/** One fault each: what the probes show then, and what has to be said. */
const certain: readonly (readonly [string, Partial<ExplainEvidence>])[] = [
  [
    "not-delegated",
    {
      parent: seen([at("198.18.9.1", answer({ flags: ["aa"], rcode: "NXDOMAIN", authority: [soa()] }))]),
      public: seen([
        at(
          "198.18.8.8",
          answer({ rcode: "NXDOMAIN", authority: [rr("SOA", "a. b. 1 2 3 4 900", 900, fqdn("net"))] }),
        ),
      ]),
      site: seen([
        at(
          "10.4.0.1",
          answer({ rcode: "NXDOMAIN", authority: [rr("SOA", "a. b. 1 2 3 4 900", 900, fqdn("net"))] }),
        ),
      ]),
    },
  ],
  [
    "other-delegation",
    {
      parent: parentNames("ns-8.old.example", "ns-9.old.example"),
      authoritative: seen([
        ...authoritative(),
        ...authoritative(answer({ flags: ["aa"], answer: [rr("A", "10.4.11.9")] }), undefined, [
          "ns-8.old.example",
          "ns-9.old.example",
        ]),
      ]),
    },
  ],
  [
    "lame-server",
    {
      authoritative: seen(
        authoritative(answer({ rcode: "REFUSED", flags: [] }), answer({ rcode: "REFUSED", flags: [] })),
      ),
      public: seen([at("198.18.8.8", answer({ rcode: "SERVFAIL" }))]),
      site: seen([at("10.4.0.1", answer({ rcode: "SERVFAIL" }))]),
      siteUnchecked: seen([at("10.4.0.1", answer({ rcode: "SERVFAIL" }))]),
    },
  ],
  [
    "server-unreachable",
    {
      authoritative: seen(authoritative(silence, silence)),
      public: seen([at("198.18.8.8", answer({ rcode: "SERVFAIL" }))]),
    },
  ],
  [
    "wrong-twin-zone",
    {
      parent: parentNames("ns-3.awsdns.example", "ns-4.awsdns.example"),
      delegationSets: seen([
        { zoneId: "Z1", nameServers: servers },
        { zoneId: "Z2", nameServers: ["ns-3.awsdns.example", "ns-4.awsdns.example"] },
      ]),
      listed: seen([listing(), listing({ atName: [] }, "Z2")]),
      authoritative: seen(authoritative(answer({ flags: ["aa"], rcode: "NXDOMAIN", authority: [soa()] }))),
    },
  ],
  [
    "private-zone-only",
    {
      listed: seen([listing({ atName: [] }), listing({}, "Z2", true)]),
      authoritative: seen(authoritative(answer({ flags: ["aa"], rcode: "NXDOMAIN", authority: [soa()] }))),
      public: seen([at("198.18.8.8", answer({ rcode: "NXDOMAIN", authority: [soa(900)] }))]),
      site: seen([at("10.4.0.1", answer({ rcode: "NXDOMAIN", authority: [soa(900)] }))]),
    },
  ],
  [
    "hidden-by-delegation",
    {
      listed: seen([
        listing({ delegations: [recordSet("NS", ["ns.k8s.example."], fqdn("k8s.goldentooth.net"))] }),
      ]),
      authoritative: seen(
        authoritative(
          answer({ flags: [], authority: [rr("NS", "ns.k8s.example", 300, fqdn("k8s.goldentooth.net"))] }),
        ),
      ),
    },
  ],
  [
    "shadowed",
    {
      listed: seen([
        listing({
          atName: [recordSet("TXT", ['"x"'])],
          wildcard: [recordSet("A", [vip], fqdn("*.goldentooth.net"))],
        }),
      ]),
      authoritative: seen(authoritative(answer({ flags: ["aa"], authority: [soa()] }))),
      public: seen([at("198.18.8.8", answer({ authority: [soa(900)] }))]),
      site: seen([at("10.4.0.1", answer({ authority: [soa(900)] }))]),
    },
  ],
  ["negative-cache", { site: seen([at("10.4.0.1", answer({ rcode: "NXDOMAIN", authority: [soa(412)] }))]) }],
  ["private-address-filter", { site: seen([at("10.4.0.1", answer({ extendedErrors: [15] }))]) }],
  [
    "split-horizon",
    {
      site: seen([at("10.4.0.1", answer({ flags: ["aa", "ra"], answer: [rr("A", "10.4.0.1", 0)] }))]),
      siteTxt: noTxt,
    },
  ],
  [
    "dnssec-broken",
    {
      site: seen([at("10.4.0.1", answer({ rcode: "SERVFAIL" }))]),
      parentDs: seen(answer({ flags: ["aa"], answer: [rr("DS", "1 13 2 AA", 3600, zone)] })),
    },
  ],
  [
    "not-in-sync",
    {
      change: seen("PENDING" as const),
      authoritative: seen([
        ...authoritative(undefined, undefined, ["ns-1.awsdns.example"]),
        ...authoritative(answer({ flags: ["aa"], answer: [rr("A", "10.4.11.9")] }), undefined, [
          "ns-2.awsdns.example",
        ]),
      ]),
    },
  ],
  [
    "wrong-owner",
    {
      wanted: ["10.4.11.7"],
      ownership: seen({ owner: "other-cluster", ours: ["default"] }),
    },
  ],
];

/** What one look cannot decide: said as a candidate, with the test that decides. */
const possible: readonly (readonly [string, Partial<ExplainEvidence>])[] = [
  ["stale-cache", { site: seen([at("10.4.0.1", answer({ answer: [rr("A", "10.4.11.9", 120)] }))]) }],
  ["negative-cache", { site: seen([at("10.4.0.1", answer({ rcode: "NXDOMAIN", authority: [soa(900)] }))]) }],
  ["private-address-filter", { site: seen([at("10.4.0.1", answer())]), siteTxt: unseen() }],
  [
    "split-horizon",
    { site: seen([at("10.4.0.1", answer({ answer: [rr("A", "10.4.0.9", 0)] }))]), siteTxt: unseen() },
  ],
  ["client-side", {}],
  ["not-in-sync", { change: seen("PENDING" as const) }],
];

describe("explain", () => {
  it("knows the sixteen, each once", () => {
    expect(diagnoses.map(({ number }) => number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
    expect(new Set(diagnoses.map(({ id }) => id)).size).toBe(16);
  });

  it("says that a name resolves when every server gives what the zone holds", () => {
    const found = explain(evidence());
    expect(found.state).toBe("resolves");
    expect(found.certain).toEqual([]);
    expect(found.possible.map(({ diagnosis }) => diagnosis.id)).toEqual(["client-side"]);
    expect(found.probes.every(({ from }) => from !== undefined)).toBe(true);
  });

  it.each(certain)("%s is certain, and nothing else is", (id, parts) => {
    const found = explain(evidence(parts));
    expect(found.state).toBe("explained");
    expect(found.certain.map(({ diagnosis }) => diagnosis.id)).toEqual([id]);
  });

  it.each(possible)("%s is possible and says what decides it", (id, parts) => {
    const found = explain(evidence(parts));
    expect(found.certain).toEqual([]);
    const mine = found.possible.find(({ diagnosis }) => diagnosis.id === id);
    expect(mine?.opinion.test.length).toBeGreaterThan(0);
  });

  it("has a case above for every diagnosis", () => {
    const cases = new Set([...certain, ...possible].map(([id]) => id));
    expect(diagnoses.map(({ id }) => id).filter((id) => !cases.has(id))).toEqual([]);
  });

  it("says that nobody wrote the record", () => {
    const absent = answer({ flags: ["aa"], rcode: "NXDOMAIN", authority: [soa()] });
    const found = explain(
      evidence({
        listed: seen([listing({ atName: [] })]),
        authoritative: seen(authoritative(absent)),
        public: seen([at("198.18.8.8", answer({ rcode: "NXDOMAIN", authority: [soa(900)] }))]),
        site: seen([at("10.4.0.1", answer({ rcode: "NXDOMAIN", authority: [soa(900)] }))]),
      }),
    );
    expect(found).toMatchObject({ state: "no-record", certain: [] });
  });

  it("never turns a probe that was not possible into an answer", () => {
    const nothing = unseen();
    const blind = explain(
      evidence({
        parent: nothing,
        parentDs: nothing,
        delegationSets: nothing,
        authoritative: nothing,
        public: nothing,
        site: nothing,
        siteTxt: nothing,
        siteUnchecked: nothing,
        listed: nothing,
        change: nothing,
        ownership: nothing,
      }),
    );
    expect(blind).toMatchObject({ state: "undecided", certain: [], possible: [] });
    expect(blind.unknown.length).toBe(16);
    expect(blind.probes.every(({ fault }) => fault !== undefined)).toBe(true);
  });

  it.each([
    ["site", "private-address-filter"],
    ["site", "split-horizon"],
    ["site", "client-side"],
    ["authoritative", "server-unreachable"],
    ["parent", "not-delegated"],
  ] as const)("without %s, %s is unknown", (probe, id) => {
    const found = explain(evidence({ [probe]: unseen() }));
    expect(found.unknown.map(({ diagnosis }) => diagnosis.id)).toContain(id);
  });

  it("is at most possibly an unreachable server while resolvers outside resolve", () => {
    const silent = { authoritative: seen(authoritative(silence, silence)) };
    const found = explain(
      evidence({ ...silent, public: seen([at("198.18.8.8", answer({ answer: [rr("A", vip)] }))]) }),
    );
    expect(found.certain.map(({ diagnosis }) => diagnosis.id)).not.toContain("server-unreachable");
    expect(found.possible.map(({ diagnosis }) => diagnosis.id)).toContain("server-unreachable");
  });

  it("puts the delegation before what follows from it", () => {
    const found = explain(
      evidence({
        parent: seen([at("198.18.9.1", answer({ flags: ["aa"], rcode: "NXDOMAIN", authority: [soa()] }))]),
        public: seen([at("198.18.8.8", answer({ rcode: "SERVFAIL" }))]),
        authoritative: seen(authoritative(silence, silence)),
      }),
    );
    expect(found.certain.map(({ diagnosis }) => diagnosis.id)).toEqual([
      "not-delegated",
      "server-unreachable",
    ]);
  });

  it("takes a resolver that strips one of two addresses for a filter", () => {
    const both = answer({ flags: ["aa"], answer: [rr("A", vip), rr("A", "192.0.9.7")] });
    const found = explain(
      evidence({
        wanted: [vip, "192.0.9.7"],
        authoritative: seen(authoritative(both)),
        public: seen([at("198.18.8.8", both)]),
        site: seen([at("10.4.0.1", answer({ answer: [rr("A", "192.0.9.7")] }))]),
      }),
    );
    expect(found.certain.map(({ diagnosis }) => diagnosis.id)).toEqual(["private-address-filter"]);
  });
});
