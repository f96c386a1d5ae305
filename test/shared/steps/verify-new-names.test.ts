import { describe, expect, it } from "vitest";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { plain } from "#shared/text.ts";
import { stubbornResolver } from "#shared/twin/sites/goldentooth-dns.ts";
import { annotated, another, deploymentOf, digest, smallSite, withFlag } from "../domain-move/dns-faults.ts";
import { driveDns, goldentoothId, pass, through } from "../domain-move/dns-sites.ts";
import type { Drive } from "./drive.ts";

const hostname = "external-dns.alpha.kubernetes.io/hostname";
const twin = "httpbin.services.k8s.goldentooth.net";

/** The new names have been added; nothing has been waited for. */
async function added(...given: Parameters<typeof driveDns>): Promise<Drive> {
  const at = driveDns(...given);
  for (const id of ["survey-dns", "cover-both-domains", "add-hostnames"]) await at.forward(id);
  expect(at.notes["add-hostnames"]).toMatchObject({ at: expect.any(Number) });
  return at;
}
const verify = async (...given: Parameters<typeof driveDns>) =>
  through(await added(...given), "verify-new-names");

const setAt = (at: Drive, name: string, type: string): RecordSet => {
  const found = at.twin.zones.recordSets(goldentoothId).find((set) => set.name === name && set.type === type);
  if (found === undefined) throw new Error(`no ${name} ${type}`);
  return found;
};

describe("verify-new-names", () => {
  it("waits for ExternalDNS's round, then asks zone, world and site, and says who said what", async () => {
    const at = await added(smallSite());
    const first = await at.forward("verify-new-names");
    expect(first).toMatchObject({ outcome: "waiting" });
    expect(first.text).toContain("not in the zone yet");
    const came = await through(at, "verify-new-names");
    expect(came.outcome).toBe("passed");
    expect(came.verified?.notes).toMatchObject({ names: [`${twin} A`] });
    const [block] = came.verified?.blocks ?? [];
    expect(block).toMatchObject({
      kind: "table",
      rows: [[[twin], ["10.4.11.1"], ["10.4.11.1"], ["10.4.11.1"], ["10.4.11.1"]]],
    });
  });

  it("fails where ExternalDNS never writes it, and says where to look", async () => {
    const elsewhere = withFlag("zone-id-filter", "Z0584361J2VQ7HELLHOLT");
    const at = driveDns(smallSite({}, elsewhere, annotated({ [hostname]: `httpbin.hellholt.net,${twin}` })));
    const covering = deploymentOf(
      smallSite({}, elsewhere, withFlag("domain-filter", "hellholt.net", "goldentooth.net")),
    );
    at.twin.store.mergePatch("deployments", "external-dns", "external-dns", { spec: covering.spec as never });
    at.notes["add-hostnames"] = { at: at.ports.clock.now() };
    expect((await at.forward("verify-new-names")).outcome).toBe("waiting");
    const came = await through(at, "verify-new-names");
    expect([came.outcome, came.codes]).toEqual(["failed", ["record-not-created"]]);
    expect(came.findings.map(({ remedy }) => plain(remedy ?? [])).join()).toContain(
      "kubectl -n external-dns logs deploy/external-dns",
    );
  });

  it("fails where nothing asks for a new name", async () => {
    const came = await driveDns(smallSite()).forward("verify-new-names");
    expect(came).toMatchObject({ outcome: "failed", codes: ["no-new-names"] });
  });

  it("fails on another target, and on another owner or none: nobody would ever correct it", async () => {
    const at = await added(smallSite());
    await pass(at, 120_000);
    const { zones } = at.twin;
    const text = setAt(at, `a-${twin}`, "TXT");
    zones.edit(goldentoothId, [
      {
        action: "UPSERT",
        set: {
          ...text,
          answer: {
            kind: "values",
            ttl: 300,
            values: ['"heritage=external-dns,external-dns/owner=other,external-dns/resource=service/a/b"'],
          },
        },
      },
      { action: "DELETE", set: setAt(at, twin, "TXT") },
    ]);
    const foreign = await at.forward("verify-new-names");
    expect([foreign.outcome, foreign.codes]).toEqual(["failed", ["ownership-foreign"]]);
    zones.edit(goldentoothId, [{ action: "DELETE", set: setAt(at, `a-${twin}`, "TXT") }]);
    expect((await at.forward("verify-new-names")).codes).toEqual(["ownership-missing"]);
    const set = setAt(at, twin, "A");
    zones.edit(goldentoothId, [
      { action: "UPSERT", set: { ...set, answer: { kind: "values", ttl: 300, values: ["10.4.11.77"] } } },
    ]);
    expect((await at.forward("verify-new-names")).codes).toEqual([
      "record-wrong-target",
      "ownership-missing",
    ]);
  });

  it("names a router that takes private addresses out", async () => {
    const came = await verify(smallSite({ resolver: stubbornResolver }));
    expect(came.outcome).toBe("failed");
    expect(came.codes).toContain("dns-private-address-filter");
  });

  it("names a router that answers for the new domain itself", async () => {
    const resolver = {
      name: "router",
      ip: "10.4.0.1",
      machine: "router",
      forwardsTo: "1.1.1.1",
      overrides: [{ domain: "goldentooth.net" as never, hosts: { "router.goldentooth.net": "10.4.0.1" } }],
    };
    const came = await verify(smallSite({ resolver }));
    expect(came.outcome).toBe("failed");
    expect(came.codes).toContain("dns-split-horizon");
  });

  it("waits out a remembered no, and passes then", async () => {
    const at = await added(smallSite());
    // Somebody was too quick: the resolver remembers that the name is not there.
    await at.on(async ({ ports: { shell, config }, signal }) => {
      const inside = config.vantages.find(({ place }) => place === "lan-wired")?.name ?? "";
      const { dig } = await import("#shared/probes/dig.ts");
      await shell(
        { kind: "vantage", name: inside },
        dig.argv("10.4.0.1", { name: twin as never, type: "A", recurse: true }),
        { signal },
      );
    });
    await pass(at, 120_000);
    const first = await at.forward("verify-new-names");
    expect(first.outcome).toBe("waiting");
    expect((await through(at, "verify-new-names")).outcome).toBe("passed");
  });

  it.each([
    ["no vantage in the segment", { vantages: () => [] }],
    ["no resolver of the site", { site: { resolvers: [] } }],
  ])("is unknown with %s, never passed", async (_, more) => {
    const came = await verify(smallSite(), more);
    expect(came.outcome).toBe("unknown");
    expect(new Set(came.codes)).toEqual(new Set(["could-not-look"]));
  });

  it("is unknown while an ExternalDNS cannot be read: its names would be missing", async () => {
    const at = await added(smallSite());
    const second = another("second", (each) => ({ ...each, image: digest }));
    const found = second(smallSite()).objects.find(({ object }) => object.metadata.name === "second");
    if (found === undefined) throw new Error("no second");
    at.twin.store.create("deployments", found.object);
    const came = await through(at, "verify-new-names");
    expect([came.outcome, came.codes]).toEqual(["unknown", ["release-unknown"]]);
  });

  it("is unknown where the zone cannot be listed", async () => {
    const at = await added(smallSite());
    const blind = { ...at.context(), ports: { ...at.ports, zones: undefined } };
    const { verifyNewNames } = await import("#shared/steps/verify-new-names.ts");
    expect(await at.on(() => verifyNewNames.verify(blind, undefined as never, undefined))).toMatchObject({
      outcome: "unknown",
    });
  });
});
