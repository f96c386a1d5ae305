import { describe, expect, it } from "vitest";
import { addHostnames } from "#shared/steps/add-hostnames.ts";
import type { StepPlan } from "#shared/steps/step.ts";
import { plain } from "#shared/text.ts";
import { removeObject, type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
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
  withImage,
} from "../domain-move/dns-faults.ts";
import { annotationOf, driveDns, goldentoothId, namesIn, pass, through } from "../domain-move/dns-sites.ts";
import type { Drive } from "./drive.ts";
import { argoTracks } from "./gitops.ts";
import { memoryTree } from "./memory-tree.ts";

const old = "external-dns.alpha.kubernetes.io/hostname";
const current = "external-dns.kubernetes.io/hostname";
const twin = "httpbin.services.k8s.goldentooth.net";

/** The step before has been taken. */
async function covered(...given: Parameters<typeof driveDns>): Promise<Drive> {
  const at = driveDns(...given);
  expect(["passed", "unneeded"]).toContain((await at.forward("cover-both-domains")).outcome);
  return at;
}
const add = async (...given: Parameters<typeof driveDns>) =>
  (await covered(...given)).forward("add-hostnames");

/** With every source; what its sources ask for is published. */
async function everything(...faults: readonly SiteFault[]): Promise<Drive> {
  const at = await covered(smallSite({}, ...faults, everySource));
  await pass(at, 120_000);
  return at;
}

describe("add-hostnames", () => {
  it("adds the new name behind the old one, foretells the records, and comes back", async () => {
    const at = await covered(smallSite());
    const came = await at.forward("add-hostnames");
    expect(came.outcome).toBe("passed");
    expect(annotationOf(at, "services", "httpbin", "httpbin", old)).toBe(`httpbin.hellholt.net,${twin}`);
    const predicted = came.plan?.predicted as readonly string[];
    expect(predicted).toContain(`CREATE ${twin} A external-dns/external-dns`);
    await pass(at, 120_000);
    expect(namesIn(at, goldentoothId)).toEqual([twin]);
    expect(came.verified?.notes).toMatchObject({ objects: ["Service httpbin/httpbin"] });
    expect(await at.forward("add-hostnames")).toMatchObject({ outcome: "unneeded" });
  });

  it("moves names of every kind that has some: Service, Ingress, HTTPRoute, DNSEndpoint", async () => {
    const at = await everything(
      ingress("web", {
        rules: [{ host: "web.hellholt.net", http: { paths: [] } }, { host: "web.example.org" }],
      }),
      gatewayWithRoute(undefined, ["shop.hellholt.net"]),
      dnsEndpoint({ dnsName: "ntp.hellholt.net", recordType: "A", targets: ["10.4.0.7"] }),
    );
    const came = await at.forward("add-hostnames");
    expect(came.outcome).toBe("passed");
    expect(came.plan?.deeds.map(({ id }) => id).sort()).toEqual([
      "add-names-crd-web-extra",
      "add-names-gateway-httproute-web-shop",
      "add-names-ingress-web-web",
      "add-names-service-httpbin-httpbin",
    ]);
    const spec = (kind: "ingresses" | "httproutes" | "dnsendpoints", name: string) =>
      objectOf(at, kind, "web", name).spec;
    expect(spec("ingresses", "web")).toMatchObject({
      rules: [
        { host: "web.hellholt.net", http: { paths: [] } },
        { host: "web.services.k8s.goldentooth.net", http: { paths: [] } },
        { host: "web.example.org" },
      ],
    });
    expect(spec("httproutes", "shop")).toMatchObject({
      hostnames: ["shop.hellholt.net", "shop.services.k8s.goldentooth.net"],
    });
    expect(spec("dnsendpoints", "extra")).toMatchObject({
      endpoints: [
        { dnsName: "ntp.hellholt.net" },
        { dnsName: "ntp.services.k8s.goldentooth.net", recordType: "A", targets: ["10.4.0.7"] },
      ],
    });
    await at.back("add-hostnames");
    expect(spec("httproutes", "shop")).toMatchObject({ hostnames: ["shop.hellholt.net"] });
  });

  it("leaves kinds alone that no ExternalDNS here reads", async () => {
    const spec = smallSite({}, ingress("web", { rules: [{ host: "web.hellholt.net" }] }));
    const came = await add(spec);
    expect(came.plan?.deeds.map(({ id }) => id)).toEqual(["add-names-service-httpbin-httpbin"]);
  });

  it("keeps several names, blanks and internal names apart", async () => {
    const internal = "external-dns.alpha.kubernetes.io/internal-hostname";
    const at = await covered(
      smallSite(
        {},
        annotated({ [old]: "httpbin.hellholt.net, a.example.org", [internal]: "in.hellholt.net." }),
      ),
    );
    await at.forward("add-hostnames");
    expect(annotationOf(at, "services", "httpbin", "httpbin", old)).toBe(
      `httpbin.hellholt.net,${twin},a.example.org`,
    );
    expect(annotationOf(at, "services", "httpbin", "httpbin", internal)).toBe(
      "in.hellholt.net.,in.services.k8s.goldentooth.net",
    );
  });

  describe("goes by the prefix that the release reads", () => {
    it("0.22 reads the new one", async () => {
      const at = await covered(smallSite({ release: "0.22.0", newPrefix: true }));
      expect((await at.forward("add-hostnames")).outcome).toBe("passed");
      expect(annotationOf(at, "services", "httpbin", "httpbin", current)).toBe(
        `httpbin.hellholt.net,${twin}`,
      );
      expect(annotationOf(at, "services", "httpbin", "httpbin", old)).toBeUndefined();
    });

    it("and what stands under the other one is told, not dropped in silence", async () => {
      const both = annotated({ [current]: "second.hellholt.net" });
      const came = await add(smallSite({ release: "0.21.0" }, both));
      expect(came).toMatchObject({ outcome: "blocked", codes: ["annotation-ignored"] });
      expect(came.text).toContain("second.services.k8s.goldentooth.net");
      const accepted = await add(smallSite({ release: "0.21.0" }, both), {
        inputs: { accept: "annotation-ignored" },
      });
      expect(accepted.outcome).toBe("passed");
      expect(accepted.findings.map(({ text }) => plain(text)).join()).toContain("accepted: ");
    });

    it("two releases side by side read one each", async () => {
      const newer = another("newer", ({ args, ...each }) => ({
        ...each,
        image: "images.example/external-dns/external-dns:v0.22.0",
        args: [...args.filter((word) => !/owner-id/.test(word)), "--txt-owner-id=newer"],
      }));
      const at = await covered(smallSite({}, newer, annotated({ [current]: "second.hellholt.net" })), {
        inputs: { accept: "annotation-ignored" },
      });
      await pass(at, 120_000);
      expect((await at.forward("add-hostnames")).outcome).toBe("passed");
      const of = (key: string) => annotationOf(at, "services", "httpbin", "httpbin", key);
      expect(of(old)).toBe(`httpbin.hellholt.net,${twin}`);
      expect(of(current)).toBe("second.hellholt.net,second.services.k8s.goldentooth.net");
    });
  });

  describe("refuses names that cannot be owned", () => {
    const notOwned = async (
      hostname: string,
      inputs: Readonly<Record<string, string>> = {},
      release = "0.18.0",
    ) => {
      const at = driveDns(smallSite({ release }, annotated({ [old]: hostname })), { inputs });
      await at.forward("cover-both-domains");
      return at.forward("add-hostnames");
    };

    it("the zone's own name: its ownership text would stand outside the zone", async () => {
      const came = await notOwned("hellholt.net", { from: "hellholt.net", to: "goldentooth.net" });
      expect([came.outcome, came.codes]).toEqual(["blocked", ["new-name-not-created"]]);
      expect(came.text).toContain("would not make goldentooth.net A its own");
      // Up to 0.17 an ownership text without the type stands at the name itself.
      const older = await notOwned("hellholt.net", { from: "hellholt.net", to: "goldentooth.net" }, "0.17.0");
      expect(older.outcome).toBe("passed");
    });

    it("a label that has no room for the text's prefix", async () => {
      const label = "x".repeat(62);
      const came = await notOwned(`${label}.hellholt.net`);
      expect([came.outcome, came.codes]).toEqual(["blocked", ["new-name-not-created"]]);
    });

    it("a name that somebody else holds, and one that stands without an owner", async () => {
      for (const owner of ["other", undefined]) {
        const at = await covered(smallSite());
        const record = (name: string, type: string, value: string) => ({
          action: "CREATE" as const,
          set: {
            name: name as never,
            type,
            routing: { policy: "simple" as const },
            answer: { kind: "values" as const, ttl: 300, values: [value] },
          },
        });
        at.twin.zones.edit(goldentoothId, [
          record(twin, "A", "10.4.0.99"),
          ...(owner === undefined
            ? []
            : [
                record(
                  `a-${twin}`,
                  "TXT",
                  `"heritage=external-dns,external-dns/owner=${owner},external-dns/resource=service/a/b"`,
                ),
              ]),
        ]);
        const came = await at.forward("add-hostnames");
        expect([came.outcome, came.codes]).toEqual(["blocked", ["new-name-not-created"]]);
      }
    });

    it("an alias whose ownership text would stand beside it, as up to 0.17 without an affix", async () => {
      const target = annotated({ "external-dns.alpha.kubernetes.io/target": "lb.example.org" });
      const came = await add(smallSite({}, target));
      expect(came.codes).toEqual(["new-name-not-created"]);
      expect(came.text).toMatch(/CNAME its own: Route 53 refuses it: .*CNAME/);
      expect((await add(smallSite({ release: "0.18.0" }, target))).outcome).toBe("passed");
    });

    it("a name that the filter leaves out", async () => {
      const spec = smallSite({}, withFlag("exclude-domains", twin));
      const came = await add(spec);
      expect(came.codes).toEqual(["new-name-not-created"]);
      expect(came.text).toContain("its domain filter leaves the name out");
    });
  });

  it("refuses where a Gateway lets only the old domain in, and not where it lets both in", async () => {
    const closed = await everything(gatewayWithRoute("*.hellholt.net", ["shop.hellholt.net"]));
    const came = await closed.forward("add-hostnames");
    expect(came.codes).toContain("listener-leaves-out");
    const open = await everything(gatewayWithRoute(undefined, ["shop.hellholt.net"]));
    expect((await open.forward("add-hostnames")).codes).not.toContain("listener-leaves-out");
  });

  it("refuses when adding would delete something", async () => {
    const at = await covered(smallSite());
    // Its Service is gone since; nobody asks for what it published.
    const bare = withFaults(smallSite(), removeObject("services", "httpbin"));
    const orphaned = driveDns(bare);
    orphaned.twin.zones.edit(
      "Z0584361J2VQ7HELLHOLT",
      at.twin.zones
        .recordSets("Z0584361J2VQ7HELLHOLT")
        .filter(({ name }) => name.endsWith("httpbin.hellholt.net"))
        .map((set) => ({ action: "UPSERT" as const, set })),
    );
    expect((await orphaned.forward("cover-both-domains")).codes).toContain("forecast-deletes");
    const came = await orphaned.on((context) => addHostnames.ready(context));
    expect(came.map(({ code }) => code)).toContain("forecast-deletes");
  });

  it.each<[string, SiteFault, string]>([
    ["the release is a digest", withImage(digest), "release-unknown"],
    ["nobody looks at the old domain", withFlag("domain-filter", "goldentooth.net"), "no-mover"],
    [
      "a second one cannot be read",
      another("two", (each) => ({ ...each, image: digest })),
      "release-unknown",
    ],
  ])("stops where %s: not needed, or done, would be a lie", async (_, fault, code) => {
    const came = await driveDns(smallSite({}, fault)).forward("add-hostnames");
    expect(came.outcome).toBe("blocked");
    expect(came.codes).toContain(code);
  });

  describe("what somebody puts back", () => {
    const argo = argoTracks("services", "httpbin", { selfHeal: true }, "apps");
    const manifest =
      "apiVersion: v1\nkind: Service\nmetadata:\n  name: httpbin\n  namespace: httpbin\n  annotations:\n    # the old house\n" +
      `    ${old}: httpbin.hellholt.net\nspec:\n  type: LoadBalancer\n`;
    const repositories = [{ name: "cluster", path: "/srv/cluster", branch: "arpeggio", base: "main" }];

    it("is refused without a clone, names the step that pauses, and writes nothing", async () => {
      const at = await covered(smallSite({}, argo));
      const came = await at.forward("add-hostnames");
      expect(came).toMatchObject({ outcome: "blocked", codes: ["managed-and-synced"] });
      expect(came.findings.map(({ remedy }) => plain(remedy ?? [])).join()).toContain("pause-dns-sync");
      expect(annotationOf(at, "services", "httpbin", "httpbin", old)).toBe("httpbin.hellholt.net");
    });

    it("is committed beside its comments, waited for, and taken back by a commit", async () => {
      const tree = memoryTree("cluster", "main", { "httpbin.yaml": manifest });
      const at = await covered(smallSite({}, argo), { trees: [tree], migration: { repositories } });
      const came = await at.forward("add-hostnames");
      expect(came.outcome).toBe("waiting");
      expect(came.plan?.deeds.map(({ kind }) => kind)).toEqual(["git"]);
      expect(tree.files("arpeggio")["httpbin.yaml"]).toMatch(
        new RegExp(`# the old house\\n\\s+${old}: httpbin\\.hellholt\\.net,${twin}`),
      );
      expect(came.plan?.instructions.map(plain).join()).toContain("Merge arpeggio of cluster");
      await at.back("add-hostnames");
      expect(tree.files("arpeggio")["httpbin.yaml"]).toBe(manifest);
    });
  });

  describe("verify", () => {
    it("fails when somebody puts the annotation back, and when a new old name has come since", async () => {
      const at = await covered(smallSite());
      const { plan } = await at.forward("add-hostnames");
      const verify = () => at.on((context) => addHostnames.verify(context, plan as StepPlan, undefined));
      await at.back("add-hostnames");
      expect((await verify()).findings.map(({ code }) => code)).toEqual(["change-undone"]);
      at.twin.store.mergePatch("services", "httpbin", "httpbin", {
        metadata: { annotations: { [old]: `httpbin.hellholt.net,${twin},late.hellholt.net` } },
      });
      // Another value than was planned is not what was planned, whatever else it has.
      expect((await verify()).outcome).toBe("failed");
    });

    it("is unknown where objects cannot be listed any more", async () => {
      const at = await covered(smallSite());
      const { plan } = await at.forward("add-hostnames");
      const blind = { ...at.context(), ports: { ...at.ports, zones: undefined } };
      const came = await at.on(() => addHostnames.verify(blind, plan as StepPlan, undefined));
      expect(came.outcome).toBe("unknown");
    });
  });

  describe("the way back", () => {
    it("is closed once the old name is gone: the new one would be its last", async () => {
      const at = await covered(smallSite());
      const { plan } = await at.forward("add-hostnames");
      const can = () =>
        at.on(async (context) => (await addHostnames.canUndo?.(context, plan as StepPlan)) ?? []);
      expect(await can()).toEqual([]);
      at.twin.store.mergePatch("services", "httpbin", "httpbin", {
        metadata: { annotations: { [old]: twin } },
      });
      const closed = await can();
      expect(closed.map(({ code, severity }) => [code, severity])).toEqual([["old-names-gone", "error"]]);
    });

    it("waits until ExternalDNS has deleted what it wrote: a filter that narrows before orphans it", async () => {
      const at = await covered(smallSite());
      const { plan } = await at.forward("add-hostnames");
      await pass(at, 120_000);
      await at.back("add-hostnames");
      const undone = () =>
        at.on(async (context) => {
          const came = await addHostnames.verifyUndone?.(context, plan as StepPlan);
          if (came === undefined) throw new Error("not judged");
          return came;
        });
      const first = await undone();
      expect(first.outcome).toBe("waiting");
      expect(plain(first.text)).toContain(twin);
      await pass(at, 120_000);
      expect((await undone()).outcome).toBe("passed");
      expect(namesIn(at, goldentoothId)).toEqual([]);
    });

    it("waits for nobody whose policy keeps records, and says where to find them", async () => {
      const at = await covered(smallSite({ policy: "upsert-only" }));
      const { plan } = await through(at, "add-hostnames");
      await pass(at, 120_000);
      await at.back("add-hostnames");
      const came = await at.on((context) => addHostnames.verifyUndone?.(context, plan as StepPlan) as never);
      expect(came).toMatchObject({ outcome: "passed" });
      expect(plain((came as { text: never }).text)).toContain("/dns plan");
    });
  });
});
