import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { HostedZone } from "#shared/dns/zones.ts";
import { aroundName, zonesFor } from "#shared/explain/around-name.ts";
import { recordSet } from "./evidence-of.ts";

const zone = (id: string, name: string, isPrivate = false): HostedZone => ({
  id,
  name: fqdn(name),
  private: isPrivate,
  recordCount: 2,
  nameServers: isPrivate ? undefined : ["ns-1.example"],
});

describe("zonesFor", () => {
  it("takes the longest public zones, all twins of it, and every private one", () => {
    const zones = [
      zone("Z1", "example.com"),
      zone("Z2", "k8s.example.com"),
      zone("Z3", "k8s.example.com"),
      zone("Z4", "example.com", true),
      zone("Z5", "s.example.com"),
    ];
    expect(zonesFor(fqdn("web.k8s.example.com"), zones).map(({ id }) => id)).toEqual(["Z2", "Z3", "Z4"]);
    expect(zonesFor(fqdn("notexample.com"), zones)).toEqual([]);
  });
});

describe("aroundName", () => {
  const home = zone("Z1", "example.com");
  const at = (...sets: Parameters<typeof aroundName>[2]) =>
    aroundName(fqdn("web.apps.k8s.example.com"), home, sets);
  const a = (name: string) => recordSet("A", ["10.0.0.1"], fqdn(name));

  it("finds a delegation between apex and name, not that of the apex", () => {
    const ns = (name: string) => recordSet("NS", ["ns.example."], fqdn(name));
    expect(at(ns("example.com"), ns("k8s.example.com"), ns("other.example.com")).delegations).toEqual([
      ns("k8s.example.com"),
    ]);
    expect(at(ns("web.apps.k8s.example.com")).delegations).toHaveLength(1);
  });

  it("finds the wildcard that answers", () => {
    const found = at(a("*.k8s.example.com"), a("*.example.com"));
    expect(found.wildcard.map(({ name }) => name)).toEqual(["*.k8s.example.com"]);
    expect(found.blocks).toBeUndefined();
  });

  it("sees that an existing name nearer than the wildcard stops it (RFC 4592)", () => {
    const found = at(a("*.k8s.example.com"), a("other.apps.k8s.example.com"));
    expect(found.wildcard.map(({ name }) => name)).toEqual(["*.k8s.example.com"]);
    expect(found.blocks).toBe("apps.k8s.example.com");
  });

  it("sees what is at the name and below it", () => {
    const found = at(a("web.apps.k8s.example.com"), a("x.web.apps.k8s.example.com"));
    expect(found.atName).toHaveLength(1);
    expect(found.hasBelow).toBe(true);
    expect(at(a("anotherweb.apps.k8s.example.com")).hasBelow).toBe(false);
  });
});
