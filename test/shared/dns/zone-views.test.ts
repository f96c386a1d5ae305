import { describe, expect, it } from "vitest";
import { defaultController } from "#shared/dns/forecast.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { newestRelease } from "#shared/dns/release.ts";
import type { SnapshotContent } from "#shared/dns/snapshot.ts";
import { looksAt, zonesOfName, zoneViews } from "#shared/dns/zone-views.ts";

const zone = (id: string, name: string, isPrivate = false) => ({
  id,
  name: fqdn(name),
  private: isPrivate,
  recordCount: 2,
  nameServers: undefined,
});
const open = zone("Z1PUBLIC", "example.com");
const twin = zone("Z2PRIVATE", "example.com", true);
const below = zone("Z3BELOW", "k8s.example.com");

const asked = (flags: Readonly<Record<string, readonly string[]>>, include: readonly string[] = []) => {
  const controller = defaultController(newestRelease, "sync", "default");
  return {
    flags: new Map(Object.entries(flags)),
    controller: { ...controller, domainFilter: { ...controller.domainFilter, include } },
  };
};

describe("which ExternalDNS looks at a zone", () => {
  it.each([
    ["no filter", open, {}, [], true],
    ["public only, a public zone", open, { "aws-zone-type": ["public"] }, [], true],
    ["public only, a private zone", twin, { "aws-zone-type": ["public"] }, [], false],
    ["private only, a public zone", open, { "aws-zone-type": ["private"] }, [], false],
    ["an empty zone type is none", twin, { "aws-zone-type": [""] }, [], true],
    ["its id", open, { "zone-id-filter": ["Z1PUBLIC"] }, [], true],
    ["its id with the prefix of the API", open, { "zone-id-filter": ["/hostedzone/Z1PUBLIC"] }, [], true],
    ["another id", open, { "zone-id-filter": ["Z2PRIVATE"] }, [], false],
    ["one of two ids", open, { "zone-id-filter": ["Z9", "Z1PUBLIC"] }, [], true],
    ["its domain", open, {}, ["example.com"], true],
    ["a domain above it", below, {}, ["example.com"], true],
    ["a domain below it", open, {}, ["k8s.example.com"], false],
    [
      "a domain below it, parents matched",
      open,
      { "aws-zone-match-parent": ["true"] },
      ["k8s.example.com"],
      true,
    ],
    [
      "parents matched by a switch that is off",
      open,
      { "aws-zone-match-parent": ["false"] },
      ["k8s.example.com"],
      false,
    ],
    ["another domain", open, {}, ["example.org"], false],
  ] as const)("%s", (_, at, flags, include, looks) => {
    const judged = looksAt(at, asked(flags, include));
    expect(judged.looks).toBe(looks);
    if (!judged.looks) expect(judged.why).not.toBe("");
  });

  it("leaves tags open and names them", () => {
    expect(looksAt(open, asked({ "aws-zone-tags": ["owner=k8s"] }))).toEqual({
      looks: true,
      unknown: ["--aws-zone-tags=owner=k8s: tags of zones are not read"],
    });
  });
});

describe("the zones of a name", () => {
  it("are the longest public one and every private one", () => {
    const all = [open, twin, below];
    const ids = (name: string) => zonesOfName(name, all).map(({ id }) => id);
    expect(ids("a.example.com")).toEqual(["Z1PUBLIC", "Z2PRIVATE"]);
    expect(ids("a.k8s.example.com")).toEqual(["Z2PRIVATE", "Z3BELOW"]);
    expect(ids("a.example.org")).toEqual([]);
  });
});

describe("what each ExternalDNS wants in a zone", () => {
  const endpoint = (name: string) => ({
    name,
    type: "A",
    targets: ["10.0.0.1"],
    ttl: 0,
    setIdentifier: "",
    labels: {},
    providerSpecific: undefined,
  });
  const controller = (name: string, flags: Readonly<Record<string, readonly string[]>>) => ({
    name,
    image: "external-dns:v0.17.0",
    flags: { provider: ["aws"], ...flags },
    hidden: [],
    endpoints: [endpoint("a.example.com"), endpoint("a.k8s.example.com")],
    dropped: [],
    unknown: [],
  });
  const content: SnapshotContent = {
    cluster: "c",
    controllers: [
      controller("dns/out", { "aws-zone-type": ["public"] }),
      controller("dns/in", { "aws-zone-type": ["private"] }),
    ],
    faults: [],
    counts: {},
    services: {},
  };
  const all = [open, twin, below];

  it("is asked only of those that look at it, each name where it goes", () => {
    const wanted = (at: (typeof all)[number]) =>
      zoneViews(content, at, all).views.map((view) => [view.name, view.wanted.map(({ name }) => name)]);
    expect(wanted(open)).toEqual([["dns/out", ["a.example.com"]]]);
    expect(wanted(below)).toEqual([["dns/out", ["a.k8s.example.com"]]]);
    expect(wanted(twin)).toEqual([["dns/in", ["a.example.com", "a.k8s.example.com"]]]);
    expect(zoneViews(content, open, all).others).toEqual([
      { name: "dns/in", why: "--aws-zone-type=private, and the zone is public" },
    ]);
  });
});
