import { describe, expect, it } from "vitest";
import { plain } from "#shared/text.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";
import { goldentoothZone } from "#shared/twin/sites/goldentooth-dns.ts";
import {
  another,
  chartLabel,
  containerOf,
  deploymentOf,
  digest,
  filterInEnvironment,
  objectOf,
  smallSite,
  withArgs,
  withFlag,
  withImage,
} from "../domain-move/dns-faults.ts";
import { argsOf, dnsSite, driveDns } from "../domain-move/dns-sites.ts";
import { argoTracks, fluxApplies, helmInstalled } from "./gitops.ts";
import { memoryTree } from "./memory-tree.ts";

const cover = (...given: Parameters<typeof driveDns>) => driveDns(...given).forward("cover-both-domains");
const filters = (args: readonly string[]) => args.filter((word) => word.startsWith("--domain-filter"));
const both = ["--domain-filter=hellholt.net", "--domain-filter=goldentooth.net"];

describe("cover-both-domains", () => {
  it("adds the zone's name beside the filter, foretells that nothing changes, and comes back", async () => {
    const at = driveDns(smallSite());
    const before = argsOf(at);
    const came = await at.forward("cover-both-domains");
    expect(came.outcome).toBe("passed");
    expect(came.plan?.predicted).toEqual([]);
    expect(came.plan?.prediction.map(plain).join("\n")).toContain("will change no record");
    expect(filters(argsOf(at))).toEqual(both);
    // ExternalDNS has its round, and a sync may take place, before it counts as lasting.
    expect(came.verified?.recheckAfterMs).toBeGreaterThanOrEqual(120_000);
    expect(await at.forward("cover-both-domains")).toMatchObject({ outcome: "unneeded" });
    await at.back("cover-both-domains");
    expect(argsOf(at)).toEqual(before);
  });

  it("changes every ExternalDNS that looks at the old domain, and no other", async () => {
    const spec = smallSite(
      {},
      another("second", ({ args, ...each }) => ({
        ...each,
        args: [
          ...args.filter((word) => !/owner-id/.test(word)),
          "--txt-owner-id=second",
          "--label-filter=a=b",
        ],
      })),
      another("other", (each) => ({
        ...each,
        args: ["--provider=aws", "--source=service", "--domain-filter=example.org"],
      })),
    );
    const at = driveDns(spec);
    const came = await at.forward("cover-both-domains");
    expect(came.outcome).toBe("passed");
    expect(came.plan?.deeds.map(({ id }) => id)).toEqual([
      "filter-external-dns-external-dns",
      "filter-external-dns-second",
    ]);
    expect(filters(argsOf(at, "second"))).toEqual(both);
    expect(filters(argsOf(at, "other"))).toEqual(["--domain-filter=example.org"]);
    // Last first.
    expect(came.plan?.undo.map(({ id }) => id)).toEqual([
      "undo-filter-external-dns-second",
      "undo-filter-external-dns-external-dns",
    ]);
  });

  it("adds a line to a filter in the environment, and a zone id where ids are named", async () => {
    const at = driveDns(
      smallSite(
        {},
        filterInEnvironment({ value: "hellholt.net" }),
        withFlag("zone-id-filter", "Z0584361J2VQ7HELLHOLT"),
      ),
    );
    expect((await at.forward("cover-both-domains")).outcome).toBe("passed");
    const { args, env } = containerOf(objectOf(at, "deployments", "external-dns", "external-dns"));
    expect(env).toEqual([{ name: "EXTERNAL_DNS_DOMAIN_FILTER", value: "hellholt.net\ngoldentooth.net" }]);
    expect(args).toContain(`--zone-id-filter=${goldentoothZone.id}`);
  });

  it("refuses where two with one owner id would delete each other's records", async () => {
    const rival = another("rival", (each) => ({ ...each, args: [...each.args, "--label-filter=a=b"] }));
    const came = await cover(smallSite({}, rival));
    expect(new Set(came.codes)).toEqual(new Set(["forecast-deletes"]));
    expect(came.text).toContain("external-dns/rival would delete httpbin.hellholt.net A");
  });

  it("is not needed where there is no filter, or where it covers both", async () => {
    expect(await cover(smallSite({}, withFlag("domain-filter")))).toMatchObject({ outcome: "unneeded" });
    const broad = withFlag("domain-filter", "hellholt.net", "goldentooth.net");
    expect(await cover(smallSite({}, broad))).toMatchObject({ outcome: "unneeded" });
  });

  it.each<[string, SiteFault, RegExp]>([
    ["a regular expression", withFlag("regex-domain-filter", "hellholt"), /regular expression/],
    ["an exclusion of the new domain", withFlag("exclude-domains", "goldentooth.net"), /leaves .* out/],
    ["zones of another kind", withFlag("aws-zone-type", "private"), /--aws-zone-type=private/],
  ])("refuses %s, which no filter beside it cures", async (_, fault, because) => {
    const came = await cover(smallSite({}, fault));
    expect(came.outcome).toBe("blocked");
    expect(came.codes).toContain("filter-not-extendable");
    expect(came.text).toMatch(because);
  });

  it("does not believe in tags that it cannot see, until somebody says that they are there", async () => {
    const spec = smallSite({}, withFlag("aws-zone-tags", "team=home"));
    expect(await cover(spec)).toMatchObject({ outcome: "blocked", codes: ["zone-tags-unseen"] });
    expect(await cover(spec, { inputs: { accept: "zone-tags-unseen" } })).toMatchObject({
      outcome: "passed",
    });
  });

  it.each<[string, SiteFault]>([
    ["is a digest", withImage(digest)],
    ["of a second one is latest", another("second", (each) => ({ ...each, image: "external-dns:latest" }))],
  ])("halts where the release %s: not needed would be a lie", async (_, fault) => {
    const came = await cover(smallSite({}, fault));
    expect(came.outcome).toBe("blocked");
    expect(came.codes).toContain("release-unknown");
    expect(came.findings.every(({ severity }) => severity !== "error")).toBe(true);
  });

  it("stops where nobody looks at the old domain", async () => {
    const came = await cover(smallSite({}, withFlag("domain-filter", "example.org")));
    expect(came).toMatchObject({ outcome: "blocked", codes: ["no-mover"] });
  });

  it("refuses when a single record would be deleted", async () => {
    const at = driveDns(smallSite());
    const set = at.twin.zones
      .recordSets("Z0584361J2VQ7HELLHOLT")
      .find(({ name, type }) => name === "httpbin.hellholt.net" && type === "A");
    const texts = at.twin.zones
      .recordSets("Z0584361J2VQ7HELLHOLT")
      .filter(({ name, type }) => name === "a-httpbin.hellholt.net" && type === "TXT");
    if (set === undefined || texts.length === 0) throw new Error("not published");
    const renamed = [set, ...texts].map((each) => ({
      ...each,
      name: each.name.replace("httpbin", "orphan") as typeof each.name,
    }));
    at.twin.zones.edit(
      "Z0584361J2VQ7HELLHOLT",
      renamed.map((each) => ({ action: "CREATE" as const, set: each })),
    );
    const came = await at.forward("cover-both-domains");
    expect([came.outcome, came.codes]).toEqual([
      "blocked",
      ["forecast-deletes", "forecast-deletes", "forecast-deletes"],
    ]);
    expect(came.text).toContain("orphan.hellholt.net");
  });

  it("halts where the new zone is not there, and where writes are refused", async () => {
    const nowhere = driveDns(smallSite(), { inputs: { from: "hellholt.net", to: "example.org" } });
    await expect(nowhere.forward("cover-both-domains")).rejects.toThrow(/no public hosted zone/);
    const denied = await cover(smallSite(), {
      around: (ports) => ({
        ...ports,
        dryRun: async () => ({ ok: false, because: "denied", message: "may not patch deployments" }) as never,
      }),
    });
    expect(denied).toMatchObject({ outcome: "blocked", codes: ["dry-run-refused"] });
  });

  describe("what somebody puts back", () => {
    const manifest = JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "external-dns", namespace: "external-dns" },
      spec: deploymentOf(smallSite()).spec,
    });
    const repositories = [{ name: "cluster", path: "/srv/cluster", branch: "arpeggio", base: "main" }];
    const argo = argoTracks("deployments", "external-dns", { selfHeal: true }, "dns");

    it.each([
      ["Argo CD", argo],
      ["Flux", fluxApplies("deployments", "external-dns", false)],
    ])("is not written where %s heals it", async (_, fault) => {
      const came = await cover(smallSite({}, fault));
      expect(came).toMatchObject({ outcome: "blocked", codes: ["managed-and-synced"] });
      expect(came.findings.map(({ remedy }) => plain(remedy ?? [])).join()).toContain("pause-dns-sync");
    });

    it("is written where Flux is suspended", async () => {
      expect(await cover(smallSite({}, fluxApplies("deployments", "external-dns", true)))).toMatchObject({
        outcome: "passed",
      });
    });

    it("is committed in a configured clone, and waited for; then it passes", async () => {
      const tree = memoryTree("cluster", "main", { "dns.yaml": manifest });
      const at = driveDns(smallSite({}, argo), { trees: [tree], migration: { repositories } });
      const came = await at.forward("cover-both-domains");
      expect(came.outcome).toBe("waiting");
      expect(came.text).toContain("not in the cluster yet");
      expect(tree.files("arpeggio")["dns.yaml"]).toContain("--domain-filter=goldentooth.net");
      at.twin.store.mergePatch("deployments", "external-dns", "external-dns", {
        spec: (came.plan?.diffs[0]?.after as { spec: never }).spec,
      });
      const { coverBothDomains } = await import("#shared/steps/cover-both-domains.ts");
      const again = await at.on((context) => coverBothDomains.verify(context, came.plan as never, undefined));
      expect(again.outcome).toBe("passed");
    });

    it("is refused where two manifests could be meant", async () => {
      const tree = memoryTree("cluster", "main", { "a.yaml": manifest, "b.yaml": manifest });
      const came = await cover(smallSite({}, argo), { trees: [tree], migration: { repositories } });
      expect(came).toMatchObject({ outcome: "blocked", codes: ["managed-and-synced"] });
      expect(came.text).toContain("2 manifests");
    });

    it.each<[string, SiteFault]>([
      ["Helm", helmInstalled("deployments", "external-dns")],
      ["a chart that Argo CD applies", (spec) => chartLabel(argo(spec))],
    ])("goes by values a person applies where %s makes it", async (_, fault) => {
      const came = await cover(smallSite({}, fault));
      expect(came.outcome).toBe("waiting");
      const [deed] = came.plan?.deeds ?? [];
      expect(deed?.kind === "document" ? deed.text : "").toBe(
        "domainFilters:\n  - hellholt.net\n  - goldentooth.net\n",
      );
      expect(came.plan?.instructions.map(plain).join()).toMatch(/Way back: the old values/);
    });
  });

  it("fails when the filter is put back", async () => {
    const at = driveDns(smallSite());
    const { plan } = await at.forward("cover-both-domains");
    await at.back("cover-both-domains");
    const { coverBothDomains } = await import("#shared/steps/cover-both-domains.ts");
    const again = await at.on((context) => coverBothDomains.verify(context, plan as never, undefined));
    expect([again.outcome, again.findings.map(({ code }) => code)]).toEqual(["failed", ["change-undone"]]);
  });

  it("keeps both domains under every release that is known", async () => {
    for (const release of ["0.13.6", "0.18.0", "0.21.0"]) {
      const at = driveDns(dnsSite({ release, services: (all) => all.slice(0, 1) }));
      expect(await at.forward("cover-both-domains"), release).toMatchObject({ outcome: "passed" });
    }
  });

  it("takes words apart that stand after their flag", async () => {
    const at = driveDns(
      smallSite(
        {},
        withArgs((args) =>
          args.flatMap((word) =>
            word.startsWith("--domain-filter=") ? ["--domain-filter", "hellholt.net"] : [word],
          ),
        ),
      ),
    );
    expect((await at.forward("cover-both-domains")).outcome).toBe("passed");
    expect(argsOf(at).join(" ")).toContain("--domain-filter hellholt.net --domain-filter=goldentooth.net");
  });
});
