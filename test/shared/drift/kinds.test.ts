import { describe, expect, it } from "vitest";

import { fqdn } from "#shared/dns/fqdn.ts";
import { plain } from "#shared/text.ts";
import { alias, heritage, owns, record, wants, zoneName } from "../dns/zones.ts";
import { controllerView, drifts, planOf, steps, told } from "./scans.ts";

const upsertOnly = { policy: "upsert-only" } as const;
const createOnly = { policy: "create-only" } as const;
const owned = [record("web", "A", "10.0.0.1"), owns("a-web", "me")];
const web = wants("web", "10.0.0.1");

describe("record-missing", () => {
  it("is ExternalDNS's to create, and says when", () => {
    const [drift] = drifts({ want: [web] }, "record-missing");
    expect(drift).toMatchObject({ want: ["10.0.0.1"], have: [], repair: "external-dns", ownership: "ours" });
    expect(plain(drift?.outlook ?? [])).toBe("ExternalDNS will create it, in 1 min");
  });

  it("is nobody's where a stranger of another type blocks the create", () => {
    const site = { have: [record("web", "AAAA", "2001:db8::1")], want: [web] };
    expect(told(site)).toContain("record-missing web A unowned nobody");
  });

  it("is nobody's where Route 53 refuses the batch, and says its words", () => {
    const site = { have: [owns("a-web", "me")], want: [web], release: "0.18.0" };
    const [drift] = drifts(site, "record-missing");
    expect(drift?.repair).toBe("nobody");
    expect(plain(drift?.outlook ?? [])).toMatch(/Route 53 refuses it: it already exists/);
  });

  it("is nobody's where the release drops the endpoint as invalid", () => {
    const view = { dropped: [{ endpoint: web, why: "the target is empty" }] };
    expect(told({ view })).toContain("record-missing web A ours nobody");
  });
});

describe("record-wrong-target", () => {
  it("is ExternalDNS's to update", () => {
    const [drift] = drifts({ have: owned, want: [wants("web", "10.0.0.2")] }, "record-wrong-target");
    expect(drift).toMatchObject({
      want: ["10.0.0.2"],
      have: ["10.0.0.1"],
      repair: "external-dns",
      owner: "me",
    });
  });

  it("is ours under create-only: record and nothing else is written", () => {
    const site = { have: owned, want: [wants("web", "10.0.0.2")], with: createOnly };
    expect(told(site)).toEqual(["record-wrong-target web A ours we"]);
    expect(steps(planOf(site))).toEqual(["UPSERT web A"]);
  });
});

describe("record-ttl", () => {
  const have = [record("web", "A", "10.0.0.1", { ttl: 60 }), owns("a-web", "me")];

  it("is ours where no object sets a TTL", () => {
    expect(told({ have, want: [web] })).toEqual(["record-ttl web A ours we"]);
    expect(steps(planOf({ have, want: [web] }))).toEqual(["UPSERT web A"]);
  });

  it("is ExternalDNS's where one does", () => {
    expect(told({ have, want: [wants("web", "10.0.0.1", { ttl: 120 })] })).toEqual([
      "record-ttl web A ours external-dns",
    ]);
  });

  it("says nothing of a TTL an object wants", () => {
    expect(told({ have, want: [wants("web", "10.0.0.1", { ttl: 60 })] })).toEqual([]);
  });
});

describe("record-orphaned", () => {
  it("is ExternalDNS's under sync", () => {
    expect(told({ have: owned })).toEqual(["record-orphaned web A ours external-dns"]);
  });

  it("is ours under upsert-only: record and ownership record go together", () => {
    expect(told({ have: owned, with: upsertOnly })).toEqual(["record-orphaned web A ours we"]);
    const plan = planOf({ have: owned, with: upsertOnly });
    expect(plan.batches).toHaveLength(1);
    expect(steps(plan)).toEqual(["DELETE a-web TXT", "DELETE web A"]);
  });

  it("is never said while a source could not be read or is not modelled", () => {
    const site = { have: owned, with: upsertOnly, view: { unknown: ["--fqdn-template"] } };
    expect(told(site)).toEqual([]);
  });

  it("of a type that we have no right to change is nobody's", () => {
    const have = [record("sub", "NS", "ns.example.net"), owns("ns-sub", "me")];
    const site = { have, with: { ...upsertOnly, managedTypes: ["A", "NS"] } };
    expect(drifts(site, "record-orphaned")).toMatchObject([{ type: "NS", repair: "nobody" }]);
    expect(JSON.stringify(drifts(site, "record-orphaned")[0]?.outlook)).toContain("no NS");
    expect(planOf(site).batches).toEqual([]);
  });

  it("keeps the ownership record that another record lives by", () => {
    const have = [
      record("web", "A", "10.0.0.1"),
      record("web", "MX", "10 mail.example.net"),
      owns("web", "me"),
      owns("a-web", "me"),
    ];
    const site = { have, with: upsertOnly, release: "0.17.0" };
    expect(steps(planOf(site))).not.toContain("DELETE web TXT");
  });
});

describe("record-unowned", () => {
  const have = [record("web", "A", "10.0.0.1")];

  it("is adopted where it is exactly what is wanted: its ownership record is all that is written", () => {
    expect(told({ have, want: [web] })).toEqual(["record-unowned web A unowned we"]);
    const plan = planOf({ have, want: [web] });
    expect(plan.twoPeople).toBe(true);
    expect(plan.batches[0]?.changes).toEqual([{ action: "CREATE", set: owns("a-web", "me") }]);
    expect(plan.batches[0]?.given).toEqual(have);
  });

  it.each([
    ["another target", { have, want: [wants("web", "10.0.0.2")] }],
    ["another TTL", { have: [record("web", "A", "10.0.0.1", { ttl: 60 })], want: [web] }],
    ["sources that are not modelled", { have, want: [web], view: { unknown: ["--source=node"] } }],
    ["an ordinary TXT in the way", { have: [...have, record("a-web", "TXT", '"v=spf1"')], want: [web] }],
  ])("is nobody's with %s", (_, site) => {
    expect(told(site)).toEqual(["record-unowned web A unowned nobody"]);
    expect(planOf(site).batches).toEqual([]);
  });

  it("is nobody's where its ownership record would speak for another record, too", () => {
    const host = record("a-web", "A", "10.0.0.9");
    const site = { have: [host, ...have], want: [wants("a-web", "10.0.0.9")], release: "0.16.0" };
    expect(told(site)).toEqual(["record-unowned a-web A unowned nobody"]);
    expect(planOf(site).batches).toEqual([]);
    // Read by nobody but releases of old, it still is no record for two.
    expect(planOf({ have: [host, ...have], want: [web] }).batches).toEqual([]);
    expect(planOf({ ...site, have: [host] }).batches).toHaveLength(1);
  });

  it("is left to nobody where two of ours share a name for their ownership record", () => {
    const both = [
      record("web", "A", "10.0.0.1"),
      owns("a-web", "me", "service/apps/host"),
      record("a-web", "A", "10.0.0.1"),
      owns("a-a-web", "me", "service/apps/host"),
    ];
    const host = wants("a-web", "10.0.0.1", { resource: "service/apps/host" });
    const site = {
      have: both,
      want: [web, host],
      release: "0.16.0",
      with: { policy: "create-only" as const },
    };
    expect(told(site).length).toBeGreaterThan(0);
    expect(told(site).filter((each) => each.endsWith(" we"))).toEqual([]);
    expect(planOf(site).batches).toEqual([]);
  });

  it("is ambiguous where another owner's record may be meant for it", () => {
    const target = { name: fqdn("x.elb.us-east-1.amazonaws.com"), hostedZoneId: "Z35SXDOTRQ7X7K" };
    const site = {
      have: [alias("web", "A", target), owns("a-web", "you")],
      want: [wants("web", target.name, { type: "CNAME" })],
      release: "0.20.0",
    };
    expect(told(site)).toContain("record-unowned web A ambiguous nobody");
    expect(planOf(site).batches).toEqual([]);
  });

  it("is nobody's where two controllers want it", () => {
    const other = controllerView({ want: [web], with: { owner: "me-too" }, view: { name: "dns/second" } });
    expect(told({ have, want: [web], more: [other] })).toEqual(["record-unowned web A unowned nobody"]);
  });
});

describe("record-foreign", () => {
  it("is told and never touched", () => {
    const site = { have: [record("web", "A", "10.0.0.9"), owns("a-web", "you")], want: [web] };
    expect(drifts(site, "record-foreign")[0]).toMatchObject({
      ownership: "foreign",
      owner: "you",
      repair: "nobody",
    });
    expect(planOf(site).batches).toEqual([]);
  });

  it("stays foreign under owner migration: reading it as ours is no proof", () => {
    const site = {
      have: [record("web", "A", "10.0.0.1"), owns("a-web", "old")],
      with: { ...upsertOnly, migrateFromOwner: "old" },
    };
    expect(planOf(site).batches).toEqual([]);
    expect(told(site)).toEqual(["record-orphaned web A foreign nobody"]);
  });
});

describe("record-unownable", () => {
  it.each([
    ["the apex", "@"],
    ["a label that grows over 63 bytes", "l".repeat(62)],
  ])("%s", (_, name) => {
    const want = [wants(name, "10.0.0.1")];
    expect(drifts({ want }, "record-unownable")).toHaveLength(1);
    const site = { have: [record(name, "A", "10.0.0.1")], want };
    expect(drifts(site, "record-unownable")).toMatchObject([{ repair: "nobody" }]);
    expect(planOf(site).batches).toEqual([]);
  });
});

describe("txt-missing", () => {
  const have = [record("web", "A", "10.0.0.1"), owns("web", "me")];

  it("is ExternalDNS's, once", () => {
    expect(told({ have, want: [web] })).toContain("txt-missing a-web TXT wrong-name-format external-dns");
  });

  it("is ours under create-only: the new one is written and the old one goes", () => {
    const site = { have, want: [web], with: createOnly };
    expect(told(site)).toContain("txt-missing a-web TXT wrong-name-format we");
    expect(steps(planOf(site))).toEqual(["DELETE web TXT", "CREATE a-web TXT"]);
  });
});

describe("txt-dangling", () => {
  it("is ours", () => {
    const site = { have: [owns("a-web", "me")] };
    expect(told(site)).toEqual(["txt-dangling a-web TXT orphan-txt we"]);
    expect(steps(planOf(site))).toEqual(["DELETE a-web TXT"]);
  });

  it("stays where a record of a type nobody manages may live by it", () => {
    const site = {
      have: [owns("mx-web", "me"), record("web", "MX", "10 mail.example.net")],
      release: "0.16.0",
    };
    expect(planOf(site).batches).toEqual([]);
  });

  it("is not said where the next create uses it again, and is an error where it stands in the way", () => {
    const site = { have: [owns("a-web", "me")], want: [web] };
    expect(drifts(site, "txt-dangling")).toEqual([]);
    expect(drifts({ ...site, release: "0.18.0" }, "txt-dangling")).toMatchObject([
      { severity: "error", repair: "we" },
    ]);
  });

  it("of another owner is not touched", () => {
    expect(planOf({ have: [owns("a-web", "you")] }).batches).toEqual([]);
  });
});

describe("txt-blocks-delete", () => {
  const swapped = '"heritage=external-dns,external-dns/resource=service/apps/web,external-dns/owner=me"';

  it.each([
    ["the order of labels", record("a-web", "TXT", swapped)],
    ["the TTL", owns("a-web", "me", undefined, { ttl: 60 })],
    ["a second value", record("a-web", "TXT", [heritage("me"), '"more"'])],
  ])("%s", (_, txt) => {
    const site = { have: [record("web", "A", "10.0.0.1"), txt], want: [web] };
    expect(told(site)).toEqual(["txt-blocks-delete a-web TXT ours we"]);
    expect(planOf(site).batches[0]?.changes).toEqual([
      { action: "UPSERT", before: txt, set: owns("a-web", "me") },
    ]);
  });

  it("is not said of what the next round writes anew", () => {
    const have = [record("web", "A", "10.0.0.1"), record("a-web", "TXT", swapped)];
    expect(drifts({ have, want: [wants("web", "10.0.0.2")] }, "txt-blocks-delete")).toEqual([]);
  });

  it("is said of an orphan whose delete Route 53 refuses", () => {
    const have = [record("web", "A", "10.0.0.1"), record("a-web", "TXT", swapped)];
    expect(told({ have })).toEqual(
      expect.arrayContaining(["txt-blocks-delete a-web TXT ours we", "record-orphaned web A ours nobody"]),
    );
  });
});

describe("txt-leftover", () => {
  it("a legacy one beside the typed one", () => {
    const site = { have: [...owned, owns("web", "me")], want: [web] };
    expect(told(site)).toEqual(["txt-leftover web TXT wrong-name-format we"]);
    expect(steps(planOf(site))).toEqual(["DELETE web TXT"]);
  });

  it("a cname- one of an alias", () => {
    const target = { name: fqdn("x.elb.us-east-1.amazonaws.com"), hostedZoneId: "Z35SXDOTRQ7X7K" };
    const have = [alias("web", "A", target), owns("a-web", "me"), owns("cname-web", "me")];
    const want = [wants("web", "x.elb.us-east-1.amazonaws.com", { type: "CNAME" })];
    expect(drifts({ have, want }, "txt-leftover")).toMatchObject([
      { name: "cname-web.example.com", repair: "we" },
    ]);
  });

  it("stays as long as another ExternalDNS with our owner id writes it", () => {
    const old = controllerView({ release: "0.17.0", want: [web], view: { name: "dns/old" } });
    const site = { have: [...owned, owns("web", "me")], want: [web], more: [old] };
    expect(drifts(site, "txt-leftover")).toMatchObject([{ repair: "nobody" }]);
  });

  it("stays as long as the new one is missing", () => {
    const site = { have: [record("web", "A", "10.0.0.1"), owns("web", "me")], want: [web] };
    expect(drifts(site, "txt-leftover")).toMatchObject([{ repair: "nobody" }]);
  });
});

describe("txt-not-recognised", () => {
  it("is written anew where it is beyond doubt", () => {
    const have = [
      alias("web", "A", { name: fqdn("x.elb.us-east-1.amazonaws.com"), hostedZoneId: "Z35SXDOTRQ7X7K" }),
      owns("a-web", "me"),
    ];
    const want = [wants("web", "x.elb.us-east-1.amazonaws.com", { type: "CNAME" })];
    const found = drifts({ have, want, release: "0.20.0" }, "txt-not-recognised");
    expect(found).toMatchObject([{ repair: "we", ownership: "wrong-name-format" }]);
    expect(steps(planOf({ have, want, release: "0.20.0" }))).toEqual(
      expect.arrayContaining(["CREATE cname-web TXT", "DELETE a-web TXT"]),
    );
  });
});

describe("txt-unreadable", () => {
  it("is its own ownership, and nobody adopts it", () => {
    const sealed = `"${Buffer.alloc(60, 7).toString("base64")}"`;
    const site = { have: [record("web", "A", "10.0.0.1"), record("a-web", "TXT", sealed)], want: [web] };
    expect(told(site)).toEqual(["txt-unreadable web A unreadable nobody"]);
  });
});

describe("stale-resource", () => {
  it("is ours: the text names the object that wants it now", () => {
    const site = { have: owned, want: [wants("web", "10.0.0.1", { resource: "service/new/web" })] };
    expect(told(site)).toEqual(["stale-resource a-web TXT ours we"]);
    expect(planOf(site).batches[0]?.changes[0]?.set).toEqual(owns("a-web", "me", "service/new/web"));
  });
});

describe("two-claimants", () => {
  it("two objects of one controller", () => {
    const want = [web, wants("web", "10.0.0.5", { resource: "ingress/apps/other" })];
    expect(drifts({ have: owned, want }, "two-claimants")).toHaveLength(1);
  });

  it("one deletes what the other wants", () => {
    const more = [controllerView({ want: [web], view: { name: "dns/second" } })];
    expect(told({ have: owned, more })).toEqual(["two-claimants web A ours nobody"]);
  });

  it("one owns what the other wants", () => {
    const more = [controllerView({ want: [web], with: { owner: "second" }, view: { name: "dns/second" } })];
    expect(drifts({ have: owned, want: [web], more }, "two-claimants")).toMatchObject([{ owner: "me" }]);
  });

  it("both want it differently under one owner id", () => {
    const more = [controllerView({ want: [wants("web", "10.0.0.7")], view: { name: "dns/second" } })];
    expect(told({ have: owned, want: [web], more }).join()).toContain("two-claimants web A ours nobody");
  });
});

describe("old-domain", () => {
  const elsewhere = {
    domainFilter: {
      include: ["new.example.net"],
      exclude: [],
      regexInclude: undefined,
      regexExclude: undefined,
    },
  };

  it("is ours below the domain that is being left", () => {
    const site = { have: owned, with: elsewhere, scan: { oldDomains: [zoneName] } };
    expect(told(site)).toEqual(["old-domain web A ours we"]);
    expect(steps(planOf(site))).toEqual(["DELETE a-web TXT", "DELETE web A"]);
  });

  it("is only told where nothing says that the domain is being left", () => {
    expect(drifts({ have: owned, with: elsewhere }, "old-domain")).toMatchObject([
      { severity: "info", repair: "nobody" },
    ]);
  });

  it("stays as long as an object asks for it", () => {
    const site = { have: owned, want: [web], with: elsewhere, scan: { oldDomains: [zoneName] } };
    expect(drifts(site, "old-domain")).toMatchObject([{ repair: "nobody" }]);
  });
});

describe("annotation-ignored", () => {
  it("is told, and blocks deletes", () => {
    const view = {
      dropped: [{ endpoint: wants("api", "10.0.0.2"), why: "annotated under x/", ignoredPrefix: "x/" }],
    };
    const site = { have: owned, view, with: upsertOnly };
    expect(told(site)).toContain("annotation-ignored api A ours nobody");
    expect(planOf(site).batches).toEqual([]);
    expect(drifts(site, "record-orphaned")).toMatchObject([{ repair: "nobody" }]);
  });
});

describe("address-not-the-services", () => {
  const scan = { services: [{ service: "apps/web", addresses: ["10.4.11.1"] }] };

  it("a target left behind", () => {
    expect(drifts({ have: owned, want: [web], scan }, "address-not-the-services")).toMatchObject([
      { want: ["10.4.11.1"], have: ["10.0.0.1"] },
    ]);
  });

  it("says nothing of a right one", () => {
    const right = { scan: { services: [{ service: "apps/web", addresses: ["10.0.0.1"] }] } };
    expect(told({ have: owned, want: [web], ...right })).toEqual([]);
  });
});

describe("address-not-announced", () => {
  const prediction = (order: readonly string[]) => [
    { ip: "10.0.0.1", service: "apps/web", pool: "primary", order, why: {}, interfaces: {} },
  ];

  it("is told where prediction has no announcer, and only there", () => {
    const site = { have: owned, want: [web] };
    expect(drifts({ ...site, scan: { predictions: prediction([]) } }, "address-not-announced")).toHaveLength(
      1,
    );
    expect(told({ ...site, scan: { predictions: prediction(["bettley"]) } })).toEqual([]);
  });
});

describe("rewritten-every-round", () => {
  it("an apex owned through a record whose successor lies outside the zone", () => {
    const site = {
      have: [record("@", "A", "10.0.0.1"), owns("txt", "me")],
      want: [wants("@", "10.0.0.1")],
      with: { ownership: { prefix: "txt." } },
      release: "0.18.0",
    };
    const have = [record("@", "A", "10.0.0.1"), { ...owns("x", "me"), name: fqdn("txt.example.com") }];
    expect(drifts({ ...site, have }, "rewritten-every-round").map(({ repair }) => repair)).toEqual([
      "nobody",
    ]);
  });
});

describe("external-dns-crash", () => {
  it("a name with fewer labels than the suffix has dots", () => {
    const site = { have: [owns("x", "me")], with: { ownership: { suffix: ".a.b.c" } }, release: "0.18.0" };
    expect(drifts(site, "external-dns-crash")).toMatchObject([{ severity: "critical", repair: "nobody" }]);
  });
});
