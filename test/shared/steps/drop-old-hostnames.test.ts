import { describe, expect, it } from "vitest";
import { dropOldHostnames } from "#shared/steps/drop-old-hostnames.ts";
import type { StepPlan } from "#shared/steps/step.ts";
import { plain } from "#shared/text.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";
import {
  annotated,
  another,
  digest,
  dnsEndpoint,
  everySource,
  gatewayWithRoute,
  ingress,
  objectOf,
  smallSite,
  withFlag,
} from "../domain-move/dns-faults.ts";
import { annotationOf, driveDns, hellholtId, namesIn, pass } from "../domain-move/dns-sites.ts";
import type { Drive } from "./drive.ts";
import { argoTracks } from "./gitops.ts";

const hostname = "external-dns.alpha.kubernetes.io/hostname";
const twin = "httpbin.services.k8s.goldentooth.net";

/** Both names stand, and the quiet period is over. */
async function ready(...given: Parameters<typeof driveDns>): Promise<Drive> {
  const at = driveDns(...given);
  for (const id of ["survey-dns", "cover-both-domains", "add-hostnames"]) await at.forward(id);
  await pass(at, 1_000_000);
  return at;
}
const drop = async (...given: Parameters<typeof driveDns>) =>
  (await ready(...given)).forward("drop-old-hostnames");

describe("drop-old-hostnames", () => {
  it("takes the old name away, foretells exactly what ExternalDNS deletes, and comes back", async () => {
    const at = await ready(smallSite());
    const before = at.twin.zones.recordSets(hellholtId).map((set) => `${set.name} ${set.type}`);
    const came = await at.forward("drop-old-hostnames");
    expect(came.outcome).toBe("passed");
    expect(annotationOf(at, "services", "httpbin", "httpbin", hostname)).toBe(twin);
    const { changes, kept } = came.plan?.predicted as { changes: readonly string[]; kept: readonly string[] };
    await pass(at, 120_000);
    const after = at.twin.zones.recordSets(hellholtId).map((set) => `${set.name} ${set.type}`);
    expect(changes.map((line) => line.split(" ").slice(1, 3).join(" ")).sort()).toEqual(
      before.filter((each) => !after.includes(each)).sort(),
    );
    expect(kept).toEqual([]);
    expect(await at.forward("drop-old-hostnames")).toMatchObject({ outcome: "unneeded" });
    await at.back("drop-old-hostnames");
    expect(annotationOf(at, "services", "httpbin", "httpbin", hostname)).toBe(`httpbin.hellholt.net,${twin}`);
  });

  it("takes names from every kind that has some, and leaves others", async () => {
    const both = (name: string) => [`${name}.hellholt.net`, `${name}.services.k8s.goldentooth.net`];
    const at = await ready(
      smallSite(
        {},
        everySource,
        withFlag("domain-filter", "hellholt.net", "goldentooth.net"),
        ingress("web", { rules: [...both("web"), "web.example.org"].map((host) => ({ host })) }),
        gatewayWithRoute(undefined, both("shop")),
        dnsEndpoint(...both("ntp").map((dnsName) => ({ dnsName, recordType: "A", targets: ["10.4.0.7"] }))),
      ),
    );
    expect((await at.forward("drop-old-hostnames")).outcome).toBe("passed");
    expect(objectOf(at, "ingresses", "web", "web").spec).toEqual({
      rules: [{ host: "web.services.k8s.goldentooth.net" }, { host: "web.example.org" }],
    });
    expect(objectOf(at, "httproutes", "web", "shop").spec).toMatchObject({
      hostnames: ["shop.services.k8s.goldentooth.net"],
    });
    expect(objectOf(at, "dnsendpoints", "web", "extra").spec).toMatchObject({
      endpoints: [{ dnsName: "ntp.services.k8s.goldentooth.net" }],
    });
  });

  it("says under upsert-only that nobody deletes the records, and which stay", async () => {
    const came = await drop(smallSite({ policy: "upsert-only" }));
    expect(came.plan?.prediction.map(plain).join("\n")).toMatch(/nobody will delete .*upsert-only/);
    expect((came.plan?.predicted as { kept: readonly string[] }).kept).toEqual(["httpbin.hellholt.net A"]);
  });

  describe("is refused", () => {
    it("before the TTL and the quiet period are over, whoever left out the step that waits for it", async () => {
      const at = driveDns(smallSite());
      for (const id of ["survey-dns", "cover-both-domains", "add-hostnames"]) await at.forward(id);
      const early = await at.forward("drop-old-hostnames");
      expect(early).toMatchObject({ outcome: "blocked", codes: ["quiet-period-open"] });
      expect(early.text).toMatch(/they stay until \d\d:\d\d/);
      // Nobody may accept it away either: the way is a shorter time in the config.
      const accepted = driveDns(smallSite(), { inputs: { accept: "quiet-period-open" } });
      for (const id of ["survey-dns", "cover-both-domains", "add-hostnames"]) await accepted.forward(id);
      expect(await accepted.forward("drop-old-hostnames")).toMatchObject({ outcome: "blocked" });
    });

    it("by the TTL of the zone where the survey was left out", async () => {
      const long = annotated({ "external-dns.alpha.kubernetes.io/ttl": "86400" });
      const at = driveDns(smallSite({}, long));
      for (const id of ["cover-both-domains", "add-hostnames"]) await at.forward(id);
      await pass(at, 1_000_000);
      expect(await at.forward("drop-old-hostnames")).toMatchObject({ codes: ["quiet-period-open"] });
    });

    it("where it is not known since when the new names stand", async () => {
      const at = driveDns(
        smallSite(
          {},
          withFlag("domain-filter", "hellholt.net", "goldentooth.net"),
          annotated({ [hostname]: `httpbin.hellholt.net,${twin}` }),
        ),
      );
      const came = await at.forward("drop-old-hostnames");
      expect([came.outcome, came.codes]).toEqual(["blocked", ["quiet-period-open"]]);
      expect(came.text).toContain("not known");
    });

    it("for a name that has no new one beside it", async () => {
      const at = await ready(smallSite());
      at.twin.store.mergePatch("services", "httpbin", "httpbin", {
        metadata: { annotations: { [hostname]: `httpbin.hellholt.net,${twin},late.hellholt.net` } },
      });
      await pass(at, 120_000);
      const came = await at.forward("drop-old-hostnames");
      expect([came.outcome, came.codes]).toEqual(["blocked", ["name-without-twin"]]);
      expect(came.text).toContain("late.hellholt.net");
    });

    it("where a new name leads through an old one", async () => {
      const target = "external-dns.alpha.kubernetes.io/target";
      const at = await ready(smallSite({ release: "0.18.0" }, annotated({ [target]: "lb.hellholt.net" })));
      expect((await at.forward("drop-old-hostnames")).codes).toContain("target-in-old-domain");
    });

    it.each<[string, SiteFault[], boolean]>([
      ["tls of an Ingress still names the old host", [], true],
      ["unless ExternalDNS does not read tls", [withFlag("ignore-ingress-tls-spec", "true")], false],
    ])("where %s", async (_, faults, isRefused) => {
      const spec = {
        rules: [{ host: "web.hellholt.net" }],
        tls: [{ hosts: ["web.hellholt.net"], secretName: "web" }],
      };
      const at = await ready(smallSite({}, everySource, ingress("web", spec), ...faults));
      const { codes } = await at.forward("drop-old-hostnames");
      expect(codes.includes("ingress-tls-old")).toBe(isRefused);
    });

    it("where more than old names would go", async () => {
      const at = await ready(smallSite());
      const { zones } = at.twin;
      const [set] = zones
        .recordSets("Z0736727S7ZH91VKK44A")
        .filter(({ name, type }) => name === twin && type === "A");
      const texts = zones
        .recordSets("Z0736727S7ZH91VKK44A")
        .filter(({ name, type }) => name === `a-${twin}` && type === "TXT");
      if (set === undefined) throw new Error("no new record");
      zones.edit(
        "Z0736727S7ZH91VKK44A",
        [set, ...texts].map((each) => ({
          action: "CREATE" as const,
          set: { ...each, name: each.name.replace("httpbin", "stray") as typeof each.name },
        })),
      );
      const came = await at.forward("drop-old-hostnames");
      expect(new Set(came.codes)).toEqual(new Set(["forecast-deletes"]));
      expect(came.text).toContain("which is no old name");
    });

    it.each<[string, SiteFault, string]>([
      [
        "a second ExternalDNS cannot be read",
        another("two", (each) => ({ ...each, image: digest })),
        "release-unknown",
      ],
      ["nobody looks at the old domain", withFlag("domain-filter", "goldentooth.net"), "no-mover"],
      [
        "its Service is healed by Argo CD",
        argoTracks("services", "httpbin", { selfHeal: true }, "apps"),
        "managed-and-synced",
      ],
    ])("where %s", async (_, fault, code) => {
      const at = driveDns(smallSite({}, fault, annotated({ [hostname]: `httpbin.hellholt.net,${twin}` })));
      at.notes["survey-dns"] = { at: 0, oldTtl: 300 };
      const came = await at.forward("drop-old-hostnames");
      expect(came.outcome).toBe("blocked");
      expect(came.codes).toContain(code);
    });

    it("where the API server says no", async () => {
      const at = await ready(smallSite());
      const ports = {
        ...at.ports,
        dryRun: async () => ({ ok: false, because: "webhook", message: "policy denies it" }) as never,
      };
      const came = await at.on(() => dropOldHostnames.ready({ ...at.context(), ports }));
      expect(came.map(({ code }) => code)).toEqual(["dry-run-refused"]);
    });
  });

  it("fails when somebody asks for the old name again", async () => {
    const at = await ready(smallSite());
    const { plan } = await at.forward("drop-old-hostnames");
    await at.back("drop-old-hostnames");
    const came = await at.on((context) => dropOldHostnames.verify(context, plan as StepPlan, undefined));
    expect([came.outcome, came.findings.map(({ code }) => code)]).toEqual(["failed", ["change-undone"]]);
  });

  describe("the way back", () => {
    const dropped = async () => {
      const at = await ready(smallSite());
      const { plan } = await at.forward("drop-old-hostnames");
      await pass(at, 120_000);
      return { at, plan: plan as StepPlan };
    };

    it("is closed where nobody looks at the old domain any more: the names would get no record", async () => {
      const { at, plan } = await dropped();
      const can = () => at.on(async (context) => (await dropOldHostnames.canUndo?.(context, plan)) ?? []);
      expect(await can()).toEqual([]);
      expect((await at.forward("narrow-filter")).outcome).toBe("passed");
      expect((await can()).map(({ code, severity }) => [code, severity])).toEqual([
        ["nobody-looks-at-old", "error"],
      ]);
    });

    it("is taken when the records stand again", async () => {
      const { at, plan } = await dropped();
      expect(namesIn(at, hellholtId)).not.toContain("httpbin.hellholt.net");
      await at.back("drop-old-hostnames");
      const undone = () =>
        at.on((context) => dropOldHostnames.verifyUndone?.(context, plan) as Promise<{ outcome: string }>);
      expect((await undone()).outcome).toBe("waiting");
      await pass(at, 120_000);
      expect(namesIn(at, hellholtId)).toContain("httpbin.hellholt.net");
      expect((await undone()).outcome).toBe("passed");
    });

    it("is not judged on what cannot be seen", async () => {
      const { at, plan } = await dropped();
      const blind = { ...at.context(), ports: { ...at.ports, zones: undefined } };
      const can = await at.on(async () => (await dropOldHostnames.canUndo?.(blind, plan)) ?? []);
      expect(can.map(({ severity }) => severity)).toEqual(["unknown"]);
      const undone = await at.on(
        () => dropOldHostnames.verifyUndone?.(blind, plan) as Promise<{ outcome: string }>,
      );
      expect(undone.outcome).toBe("unknown");
    });
  });
});
