import { describe, expect, it } from "vitest";
import { narrowFilter } from "#shared/steps/narrow-filter.ts";
import type { StepPlan } from "#shared/steps/step.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";
import {
  annotated,
  another,
  containerOf,
  digest,
  filterInEnvironment,
  objectOf,
  smallSite,
  withFlag,
  withImage,
} from "../domain-move/dns-faults.ts";
import { argsOf, driveDns, hellholtId } from "../domain-move/dns-sites.ts";
import type { Drive } from "./drive.ts";
import { argoTracks, helmInstalled } from "./gitops.ts";

const hostname = "external-dns.alpha.kubernetes.io/hostname";
const twin = "httpbin.services.k8s.goldentooth.net";
const bothFilters = withFlag("domain-filter", "hellholt.net", "goldentooth.net");
const newNameAlone = annotated({ [hostname]: twin });
const filters = (at: Drive) => argsOf(at).filter((word) => word.startsWith("--domain-filter"));

/** Only new names are asked for, and nothing of ours is left in the old zone. */
const emptied = (...faults: readonly SiteFault[]) =>
  driveDns(smallSite({}, bothFilters, newNameAlone, ...faults));

describe("narrow-filter", () => {
  it("takes the old domain from the filter, deletes nothing, and comes back", async () => {
    const at = emptied();
    const before = argsOf(at);
    const came = await at.forward("narrow-filter");
    expect(came.outcome).toBe("passed");
    expect(came.plan?.predicted).toEqual([]);
    expect(filters(at)).toEqual(["--domain-filter=goldentooth.net"]);
    expect(came.verified?.recheckAfterMs).toBeGreaterThan(0);
    expect(await at.forward("narrow-filter")).toMatchObject({ outcome: "unneeded" });
    await at.back("narrow-filter");
    expect(argsOf(at)).toEqual(before);
  });

  it("takes a line from the environment, and deeper filters of the old domain too", async () => {
    const inEnvironment = driveDns(
      smallSite(
        {},
        filterInEnvironment({ value: "hellholt.net\ngoldentooth.net\napps.hellholt.net" }),
        newNameAlone,
      ),
    );
    expect((await inEnvironment.forward("narrow-filter")).outcome).toBe("passed");
    expect(containerOf(objectOf(inEnvironment, "deployments", "external-dns", "external-dns")).env).toEqual([
      { name: "EXTERNAL_DNS_DOMAIN_FILTER", value: "goldentooth.net" },
    ]);
  });

  describe("is refused", () => {
    it("while a record of ours is in the old domain, whatever is accepted", async () => {
      const at = driveDns(
        smallSite({}, bothFilters, annotated({ [hostname]: `httpbin.hellholt.net,${twin}` })),
        { inputs: { accept: "old-domain-not-empty,old-names-wanted" } },
      );
      const came = await at.forward("narrow-filter");
      expect([came.outcome, came.codes]).toEqual(["blocked", ["old-domain-not-empty"]]);
      expect(came.text).toContain("httpbin.hellholt.net");
    });

    it("while somebody asks for an old name, even if it has no record yet", async () => {
      const at = emptied();
      at.twin.store.mergePatch("services", "httpbin", "httpbin", {
        metadata: { annotations: { [hostname]: `late.hellholt.net,${twin}` } },
      });
      const came = await at.forward("narrow-filter");
      expect([came.outcome, came.codes]).toEqual(["blocked", ["old-names-wanted"]]);
    });

    it("where no other filter would be left: it would then look at every zone", async () => {
      const came = await driveDns(smallSite({}, newNameAlone)).forward("narrow-filter");
      expect([came.outcome, came.codes]).toEqual(["blocked", ["filter-not-narrowable"]]);
    });

    it("where its filter is a regular expression, which names the old domain too", async () => {
      const came = await emptied(withFlag("regex-domain-filter", "(hellholt|goldentooth)\\.net$")).forward(
        "narrow-filter",
      );
      expect([came.outcome, came.codes]).toEqual(["blocked", ["filter-not-narrowable"]]);
      const without = emptied(withFlag("regex-domain-filter", "goldentooth\\.net$"));
      expect(await without.forward("narrow-filter")).toMatchObject({ outcome: "unneeded" });
    });

    it("where the filter stands in a ConfigMap, instead of being not needed", async () => {
      const hidden = filterInEnvironment({ valueFrom: { configMapKeyRef: { name: "dns", key: "f" } } });
      const came = await driveDns(smallSite({}, newNameAlone, hidden)).forward("narrow-filter");
      expect(came.outcome).toBe("blocked");
      expect(came.codes).toEqual(expect.arrayContaining(["forecast-unknown", "filter-not-narrowable"]));
    });

    it.each<[string, SiteFault, string]>([
      ["the release is a digest", withImage(digest), "release-unknown"],
      [
        "a second one cannot be read",
        another("two", (each) => ({ ...each, image: digest })),
        "release-unknown",
      ],
      [
        "Argo CD heals it",
        argoTracks("deployments", "external-dns", { selfHeal: true }, "dns"),
        "managed-and-synced",
      ],
      ["ownership is not kept and nobody surveyed", withFlag("registry", "noop"), "ownership-not-kept"],
    ])("where %s", async (_, fault, code) => {
      const came = await emptied(fault).forward("narrow-filter");
      expect(came.outcome).toBe("blocked");
      expect(came.codes).toContain(code);
    });

    it("where the API server says no", async () => {
      const at = emptied();
      const ports = {
        ...at.ports,
        dryRun: async () => ({ ok: false, because: "denied", message: "no" }) as never,
      };
      const came = await at.on(() => narrowFilter.ready({ ...at.context(), ports }));
      expect(came.map(({ code }) => code)).toEqual(["dry-run-refused"]);
    });
  });

  it("goes by values where Helm made it, and waits for a person", async () => {
    const came = await emptied(helmInstalled("deployments", "external-dns")).forward("narrow-filter");
    expect(came.outcome).toBe("waiting");
    const [deed] = came.plan?.deeds ?? [];
    expect(deed?.kind === "document" ? deed.text : "").toBe("domainFilters:\n  - goldentooth.net\n");
  });

  it("fails when somebody puts the old domain back, and is unknown where nothing can be seen", async () => {
    const at = emptied();
    const { plan } = await at.forward("narrow-filter");
    await at.back("narrow-filter");
    const came = await at.on((context) => narrowFilter.verify(context, plan as StepPlan, undefined));
    expect([came.outcome, came.findings.map(({ code }) => code)]).toEqual(["failed", ["change-undone"]]);
    const blind = { ...at.context(), ports: { ...at.ports, zones: undefined } };
    expect(await at.on(() => narrowFilter.verify(blind, plan as StepPlan, undefined))).toMatchObject({
      outcome: "unknown",
    });
  });

  it("leaves what others made in the old zone", async () => {
    const at = emptied();
    const before = at.twin.zones.recordSets(hellholtId).length;
    await at.forward("narrow-filter");
    await at.on(({ ports }) => ports.clock.sleep(300_000));
    expect(at.twin.zones.recordSets(hellholtId)).toHaveLength(before);
  });
});
