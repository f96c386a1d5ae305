import { describe, expect, it } from "vitest";
import type { StepPorts } from "#shared/steps/step.ts";
import { removeObject } from "#shared/twin/sites/faults.ts";
import { goldentoothZone, hellholtZone } from "#shared/twin/sites/goldentooth-dns.ts";
import {
  annotated,
  another,
  digest,
  filterInEnvironment,
  smallSite,
  withArgs,
  withFlag,
  withImage,
} from "../domain-move/dns-faults.ts";
import { driveDns } from "../domain-move/dns-sites.ts";
import { argoTracks, fluxApplies } from "./gitops.ts";

const survey = (...given: Parameters<typeof driveDns>) => driveDns(...given).forward("survey-dns");
const withoutAskFrom = (ports: StepPorts): StepPorts => {
  const { askFrom: _, ...dns } = ports.config.dns as NonNullable<StepPorts["config"]["dns"]>;
  return { ...ports, config: { ...ports.config, dns } };
};
const publishersIn = (notes: unknown) => (notes as { publishers: readonly object[] }).publishers;

describe("survey-dns", () => {
  it("writes down what later steps go by", async () => {
    const came = await survey(smallSite());
    expect(came.outcome).toBe("passed");
    expect(came.verified?.notes).toMatchObject({
      from: "hellholt.net",
      to: "services.k8s.goldentooth.net",
      names: ["httpbin.hellholt.net"],
      zones: { old: hellholtZone.id, new: goldentoothZone.id },
      publishers: [
        { name: "external-dns/external-dns", release: "0.17.0", policy: "sync", owner: "default" },
      ],
      syncSeconds: null,
    });
    expect(JSON.stringify(came.verified?.blocks)).toContain(
      "httpbin.hellholt.net  ->  httpbin.services.k8s.goldentooth.net",
    );
  });

  it("takes the longest TTL of an old name, and never less than ExternalDNS's own", async () => {
    const ttl = "external-dns.alpha.kubernetes.io/ttl";
    const long = await survey(smallSite({}, annotated({ [ttl]: "7200" })));
    expect(long.verified?.notes).toMatchObject({ oldTtl: 7_200 });
    const short = await survey(smallSite({}, annotated({ [ttl]: "30" })));
    expect(short.verified?.notes).toMatchObject({ oldTtl: 300 });
  });

  it("reads filters that stand in the environment", async () => {
    const came = await survey(smallSite({}, filterInEnvironment({ value: "example.org\nhellholt.net" })));
    expect(came.outcome).toBe("passed");
    expect(JSON.stringify(came.verified?.blocks)).toContain("example.org, hellholt.net");
  });

  it("halts where such a variable comes from a ConfigMap", async () => {
    const came = await survey(
      smallSite({}, filterInEnvironment({ valueFrom: { configMapKeyRef: { name: "dns", key: "f" } } })),
    );
    expect(came).toMatchObject({ outcome: "unknown", codes: ["forecast-unknown"] });
    expect(came.text).toContain("EXTERNAL_DNS_DOMAIN_FILTER is hidden");
  });

  it.each([
    ["latest", "images.example/external-dns:latest"],
    ["a digest", digest],
    ["a release that is not known", "images.example/external-dns:v0.99.0"],
    ["no tag", "images.example/external-dns"],
  ])("halts where the image says %s", async (_, image) => {
    const came = await survey(smallSite({}, withImage(image)));
    expect(came).toMatchObject({ outcome: "unknown" });
    expect(came.codes).toContain("release-unknown");
  });

  it("halts for one unreadable ExternalDNS beside a readable one: it may be one that moves", async () => {
    const came = await survey(
      smallSite(
        {},
        another("second", (each) => ({ ...each, image: digest })),
      ),
    );
    expect([came.outcome, came.codes]).toEqual(["unknown", ["release-unknown"]]);
    expect(came.text).toContain("external-dns/second");
  });

  it("tells every ExternalDNS, and moves only who looks at the old domain", async () => {
    const spec = smallSite(
      {},
      another("other", (each) => ({ ...each, args: ["--provider=aws", "--domain-filter=example.org"] })),
    );
    const came = await survey(spec);
    expect(came.outcome).toBe("passed");
    expect(publishersIn(came.verified?.notes)).toHaveLength(1);
    expect(JSON.stringify(came.verified?.blocks)).toContain("external-dns/other");
  });

  it.each([
    ["a source that is not modelled", "source", "node"],
    ["a template that makes names of no object", "fqdn-template", "{{.Name}}.hellholt.net"],
    ["a registry that is not TXT", "registry", "dynamodb"],
    ["another provider", "provider", "cloudflare"],
  ])("halts on %s", async (_, flag, value) => {
    const came = await survey(smallSite({}, withFlag(flag, value)));
    expect([came.outcome, came.codes]).toEqual(["unknown", ["forecast-unknown"]]);
  });

  it("names flags that ExternalDNS would not start with", async () => {
    const came = await survey(
      smallSite(
        { release: "0.22.0", newPrefix: true },
        withArgs((all) => all.filter((w) => !/policy/.test(w))),
      ),
    );
    expect(came).toMatchObject({ outcome: "failed", codes: ["external-dns-would-not-start"] });
  });

  it("goes by the prefix of the release: 0.22 reads another one", async () => {
    const old = await survey(smallSite({ release: "0.22.0" }));
    expect([old.outcome, old.codes]).toEqual(["failed", expect.arrayContaining(["annotation-ignored"])]);
    const told = await survey(
      smallSite({ release: "0.22.0" }, withFlag("annotation-prefix", "external-dns.alpha.kubernetes.io/")),
    );
    expect(told.outcome).toBe("passed");
  });

  it("names both zones that are missing", async () => {
    const came = await survey(smallSite(), { inputs: { from: "example.org", to: "example.net" } });
    expect(came.outcome).toBe("failed");
    expect(came.findings.filter(({ code }) => code === "zone-missing")).toHaveLength(2);
  });

  it("tells two zones of one name apart by the config, and not by guessing", async () => {
    const twins = (ids: readonly string[]) =>
      survey(smallSite(), {
        around: (ports) => {
          const { zones, config } = ports;
          if (zones === undefined) throw new Error("no zones");
          return {
            ...ports,
            zones: {
              ...zones,
              zones: async () =>
                (await zones.zones()).flatMap((zone) =>
                  zone.id === goldentoothZone.id ? [zone, { ...zone, id: "ZTWIN" }] : [zone],
                ),
            },
            config: {
              ...config,
              dns: {
                ...config.dns,
                zones: ids.map((id) => ({ id, name: "goldentooth.net" })),
              } as NonNullable<typeof config.dns>,
            },
          };
        },
      });
    const unsure = await twins([]);
    expect([unsure.outcome, unsure.text]).toEqual(["failed", expect.stringContaining("name the right one")]);
    expect((await twins([goldentoothZone.id])).codes).not.toContain("zone-missing");
  });

  it("has nothing to move where nobody publishes an old name, and no ExternalDNS to ask where there is none", async () => {
    const hostname = "external-dns.alpha.kubernetes.io/hostname";
    const idle = await survey(smallSite({}, annotated({ [hostname]: null })));
    expect(idle.codes).toContain("nothing-to-move");
    const none = await survey(smallSite({}, removeObject("deployments", "external-dns")));
    expect(none.codes).toContain("no-external-dns");
  });

  it("says who puts what back, and how long a sync takes", async () => {
    const came = await survey(
      smallSite(
        {},
        argoTracks("deployments", "external-dns", { selfHeal: true }, "dns"),
        fluxApplies("services", "httpbin", false),
      ),
    );
    const told = came.findings.filter(({ code }) => code === "managed-and-synced");
    expect(told.map(({ subject }) => subject.name).sort()).toEqual([
      "Deployment external-dns/external-dns",
      "Service httpbin/httpbin",
    ]);
    expect(came.verified?.notes).toMatchObject({ syncSeconds: 600 });
  });

  it("halts where it may not see who puts things back", async () => {
    const came = await survey(smallSite(), {
      around: (ports) => ({
        ...ports,
        read: async (kinds, signal) => ({
          ...(await ports.read(kinds, signal)),
          applications: { kind: "denied", what: "list of applications", detail: "forbidden" } as never,
        }),
      }),
    });
    expect([came.outcome, came.codes]).toEqual(["unknown", ["could-not-look"]]);
  });

  it("halts where objects cannot be listed, and has no way back because it changes nothing", async () => {
    const at = driveDns(smallSite(), { denied: ["services"] });
    await expect(at.forward("survey-dns")).rejects.toThrow();
    const came = await survey(smallSite());
    expect([came.plan?.deeds, came.plan?.undo]).toEqual([[], []]);
  });

  it("halts where the delegation of the new zone cannot be asked for", async () => {
    const came = await survey(smallSite(), { vantages: () => [], around: withoutAskFrom });
    expect(came.outcome).toBe("unknown");
    expect(came.codes).toEqual(["could-not-look"]);
  });
});
