import { describe, expect, it } from "vitest";
import type { Json } from "#shared/json.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import { planBlocks } from "#shared/runs/run-notes.ts";
import { coverBothDomains } from "#shared/steps/cover-both-domains.ts";
import type { StepPlan } from "#shared/steps/step.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { addObject, patchObject, type SiteFault } from "#shared/twin/sites/faults.ts";
import { stubbornResolver } from "#shared/twin/sites/goldentooth-dns.ts";
import { argoTracks, helmInstalled } from "../steps/gitops.ts";
import { memoryTree } from "../steps/memory-tree.ts";
import {
  annotationOf,
  argsOf,
  dnsSite,
  driveDns,
  goldentoothId,
  hellholtId,
  namesIn,
  pass,
  through,
} from "./dns-sites.ts";

/** Nothing is paused where nobody puts anything back. */
const well = ["passed", "unneeded"];
const ids = dnsDomainMove.steps.map(({ id }) => id);
const upTo = (id: string) => ids.slice(0, ids.indexOf(id));
const hostname = "external-dns.alpha.kubernetes.io/hostname";

const deploymentOf = ({ objects }: SiteSpec): KubeObject => {
  const found = objects.find(
    ({ kind, object }) => kind === "deployments" && object.metadata.name === "external-dns",
  );
  if (found === undefined) throw new Error("no ExternalDNS");
  return found.object;
};

type Container = Readonly<{ name: string; image: string; args: readonly string[] }>;
const containerOf = (object: KubeObject): Container =>
  (object.spec as { template: { spec: { containers: [Container] } } }).template.spec.containers[0];

/** The ExternalDNS of the site with another container. */
const withContainer =
  (change: (container: Container) => object): SiteFault =>
  (spec) =>
    patchObject("deployments", "external-dns", {
      spec: { template: { spec: { containers: [change(containerOf(deploymentOf(spec))) as Json] } } },
    })(spec);

describe("survey-dns", () => {
  it.each([
    ["latest", "images.example/external-dns/external-dns:latest"],
    ["a digest", `images.example/external-dns/external-dns@sha256:${"a".repeat(64)}`],
  ])("halts where the release is %s", async (_, image) => {
    const at = driveDns(
      dnsSite(
        {},
        withContainer((container) => ({ ...container, image })),
      ),
    );
    const came = await at.forward("survey-dns");
    expect(came).toMatchObject({ outcome: "unknown" });
    expect(came.codes).toContain("release-unknown");
  });

  it("names a filter that was replaced in place, and whose records it left", async () => {
    const swapped = withContainer((container) => ({
      ...container,
      args: container.args.map((word) => word.replace("hellholt.net", "goldentooth.net")),
    }));
    const spec = swapped(dnsSite());
    const came = await driveDns(spec).forward("survey-dns");
    expect(came.codes).toContain("old-records-out-of-sight");
    expect(came.text).not.toBe("");
  });

  it("names annotations under a prefix that the release does not read", async () => {
    const came = await driveDns(dnsSite({ release: "0.22.0" })).forward("survey-dns");
    expect(came.outcome).toBe("failed");
    expect(came.codes).toContain("annotation-ignored");
  });

  it("is unknown without zones, and without saying which domains are meant", async () => {
    const blind = driveDns(dnsSite(), { around: (ports) => ({ ...ports, zones: undefined }) });
    await expect(blind.forward("survey-dns")).rejects.toThrow(/Route 53/);
    const aimless = driveDns(dnsSite(), { inputs: { from: undefined as never, to: undefined as never } });
    expect(await aimless.forward("survey-dns")).toMatchObject({
      outcome: "blocked",
      codes: ["could-not-look"],
    });
  });

  it("says which zone is missing", async () => {
    const at = driveDns(dnsSite(), { inputs: { from: "hellholt.net", to: "example.org" } });
    expect((await at.forward("survey-dns")).codes).toContain("zone-missing");
  });
});

describe("going back", () => {
  it("undoes every act, last first", async () => {
    const at = driveDns(dnsSite());
    const args = argsOf(at);
    const done: string[] = [];
    for (const id of [...upTo("narrow-filter"), "narrow-filter"]) {
      const { plan } = await through(at, id);
      if (plan !== undefined && plan.undo.length > 0) done.push(id);
    }
    expect(done).toEqual(["cover-both-domains", "add-hostnames", "drop-old-hostnames", "narrow-filter"]);
    expect(annotationOf(at, "services", "httpbin", "httpbin", hostname)).toBe(
      "httpbin.services.k8s.goldentooth.net",
    );
    for (const id of done.toReversed()) {
      await at.back(id);
      await pass(at, 130_000);
    }
    expect(argsOf(at)).toEqual(args);
    expect(annotationOf(at, "services", "httpbin", "httpbin", hostname)).toBe("httpbin.hellholt.net");
    expect(namesIn(at, hellholtId)).toContain("httpbin.hellholt.net");
  });
});

describe("policy upsert-only", () => {
  it("leaves the old records to a clean-up, and does not narrow before it", async () => {
    const at = driveDns(dnsSite({ policy: "upsert-only" }));
    for (const id of upTo("drop-old-hostnames")) expect(well).toContain((await through(at, id)).outcome);
    const dropped = await through(at, "drop-old-hostnames");
    expect(dropped.outcome).toBe("passed");
    const said = JSON.stringify(dropped.plan?.prediction);
    expect(said).toMatch(/nobody will delete/);
    expect(said).toContain("/dns apply");
    await pass(at, 300_000);
    expect(namesIn(at, hellholtId)).toContain("httpbin.hellholt.net");
    expect(await through(at, "verify-old-gone")).toMatchObject({
      outcome: "failed",
      codes: ["old-record-left"],
    });
    expect((await at.forward("narrow-filter")).codes).toContain("old-domain-not-empty");
    const { zones } = at.twin;
    const ours = zones
      .recordSets(hellholtId)
      .filter(
        (set) =>
          JSON.stringify(set).includes("owner=default") ||
          (set.type === "A" && !/^(mail|nas|backup)\./.test(set.name)),
      );
    zones.edit(
      hellholtId,
      ours.map((set) => ({ action: "DELETE", set })),
    );
    expect((await through(at, "verify-old-gone")).outcome).toBe("passed");
    expect((await through(at, "narrow-filter")).outcome).toBe("passed");
  });
});

describe("a router that takes private addresses out", () => {
  it("is found and named, and lets no old name go", async () => {
    const at = driveDns(dnsSite({ resolver: stubbornResolver }));
    for (const id of upTo("verify-new-names")) expect(well).toContain((await through(at, id)).outcome);
    const came = await through(at, "verify-new-names");
    expect(came.outcome).toBe("failed");
    expect(came.codes).toContain("dns-private-address-filter");
  });
});

describe("drop-old-hostnames", () => {
  it("refuses before the quiet period is over, also when the step before it was left out", async () => {
    const at = driveDns(dnsSite());
    for (const id of upTo("quiet-period")) await through(at, id);
    const early = await at.forward("drop-old-hostnames");
    expect(early).toMatchObject({ outcome: "blocked", codes: ["quiet-period-open"] });
    expect((await at.forward("quiet-period")).outcome).toBe("waiting");
  });

  it("foretells exactly what goes", async () => {
    const at = driveDns(dnsSite());
    for (const id of upTo("drop-old-hostnames")) await through(at, id);
    const before = at.twin.zones.recordSets(hellholtId);
    const { plan } = await through(at, "drop-old-hostnames");
    await pass(at, 300_000);
    const after = new Set(at.twin.zones.recordSets(hellholtId).map((set) => `${set.name} ${set.type}`));
    const gone = before.map((set) => `${set.name} ${set.type}`).filter((each) => !after.has(each));
    const { changes } = plan?.predicted as { changes: readonly string[] };
    expect(changes.map((line) => line.replace(/^DELETE (\S+ \S+) .*/, "$1")).sort()).toEqual(gone.sort());
  });
});

describe("who manages them", () => {
  const manifest = (spec: SiteSpec): string =>
    JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "external-dns", namespace: "external-dns" },
      spec: deploymentOf(spec).spec,
    });
  const repositories = [{ name: "cluster", path: "/srv/cluster", branch: "arpeggio", base: "main" }];
  const argo = argoTracks("deployments", "external-dns", { selfHeal: true }, "dns");

  it("refuses a direct write to what Argo CD heals", async () => {
    const came = await driveDns(dnsSite({}, argo)).forward("cover-both-domains");
    expect(came.codes).toContain("managed-and-synced");
  });

  it("commits instead where the manifest is in a configured clone, and waits for the sync", async () => {
    const spec = dnsSite({}, argo);
    const tree = memoryTree("cluster", "main", { "dns/deployment.yaml": manifest(spec) });
    const at = driveDns(spec, { trees: [tree], migration: { repositories } });
    const came = await at.forward("cover-both-domains");
    expect(came.outcome).toBe("waiting");
    expect(tree.files("arpeggio")["dns/deployment.yaml"]).toContain("--domain-filter=goldentooth.net");
    await at.back("cover-both-domains");
    expect(tree.files("arpeggio")["dns/deployment.yaml"]).toBe(manifest(spec));
  });

  it("touches no file that holds a secret", async () => {
    const spec = dnsSite({}, argo);
    const text = `${manifest(spec)}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {x: hunter-two}\n`;
    const tree = memoryTree("cluster", "main", { "dns/deployment.yaml": text });
    const came = await driveDns(spec, { trees: [tree], migration: { repositories } }).forward(
      "cover-both-domains",
    );
    expect([came.outcome, came.codes]).toEqual(["blocked", ["git-file-has-secret"]]);
    expect(JSON.stringify(came)).not.toContain("hunter-two");
    expect(tree.commits).toEqual([]);
  });

  it("hands over values where Helm made it, and waits for a person", async () => {
    const spec = dnsSite({}, helmInstalled("deployments", "external-dns"));
    const at = driveDns(spec, {
      files: {
        "values.yaml":
          "# ours\ndomainFilters:\n  - hellholt.net # old\nenv:\n  - name: AWS_SECRET_ACCESS_KEY\n    value: hunter-six\n",
      },
      migration: { helmValues: { "metallb-config": "values.yaml" } },
    });
    const came = await at.forward("cover-both-domains");
    expect(came.outcome).toBe("waiting");
    const [deed] = came.plan?.deeds ?? [];
    expect(deed?.kind === "document" ? deed.text : "").toBe(
      "domainFilters:\n  - hellholt.net # old\n  - goldentooth.net\n",
    );
    expect(JSON.stringify(came)).not.toContain("hunter-six");
    expect(came.plan?.instructions.map(plain).join("\n")).toMatch(/--reuse-values.*values\.yaml/);
  });
});

describe("secrets of an ExternalDNS", () => {
  const secret = { name: "AWS_SECRET_ACCESS_KEY", value: "hunter-six" };
  const envOf = (at: ReturnType<typeof driveDns>): unknown =>
    (
      containerOf(
        at.twin.store.get("deployments", "external-dns", "external-dns") as KubeObject,
      ) as unknown as {
        env: unknown;
      }
    ).env;

  it("in its environment are in no plan, and stay where they are", async () => {
    const at = driveDns(
      dnsSite(
        {},
        withContainer((each) => ({ ...each, env: [secret] })),
      ),
    );
    const before = argsOf(at);
    const came = await at.forward("cover-both-domains");
    expect(came.outcome).toBe("passed");
    const [deed] = came.plan?.deeds ?? [];
    expect(deed).toMatchObject({ kind: "kube", write: { verb: "patch", byName: true } });
    expect(JSON.stringify([came, planBlocks(came.plan as StepPlan)])).not.toContain("hunter-six");
    expect(argsOf(at)).toContain("--domain-filter=goldentooth.net");
    expect(envOf(at)).toEqual([secret]);
    await at.back("cover-both-domains");
    expect(argsOf(at)).toEqual(before);
    expect(envOf(at)).toEqual([secret]);
  });

  it("stay out where its filter is a variable beside them", async () => {
    const filter = { name: "EXTERNAL_DNS_DOMAIN_FILTER", value: "hellholt.net" };
    const at = driveDns(
      dnsSite(
        {},
        withContainer((each) => ({
          ...each,
          args: each.args.filter((word) => !word.startsWith("--domain-filter")),
          env: [filter, secret],
        })),
      ),
    );
    const came = await at.forward("cover-both-domains");
    expect(came.outcome).toBe("passed");
    expect(JSON.stringify([came, planBlocks(came.plan as StepPlan)])).not.toContain("hunter-six");
    expect(envOf(at)).toEqual([{ ...filter, value: "hellholt.net\ngoldentooth.net" }, secret]);
    await at.back("cover-both-domains");
    expect(envOf(at)).toEqual([filter, secret]);
  });

  it("among its arguments are not shown, and such arguments are not written", async () => {
    const at = driveDns(
      dnsSite(
        {},
        withContainer((each) => ({ ...each, args: [...each.args, "--pdns-api-key=hunter-six"] })),
      ),
    );
    const came = await at.forward("cover-both-domains");
    expect(came.outcome).toBe("blocked");
    expect(came.codes).toContain("flag-holds-secret");
    expect(JSON.stringify(came)).not.toContain("hunter-six");
    const plan = await at.on((context) => coverBothDomains.plan(context));
    expect(JSON.stringify([plan, planBlocks(plan)])).not.toContain("hunter-six");
  });
});

describe("a remedy", () => {
  it("names no step that the run does not have", async () => {
    const came = await driveDns(dnsSite({}, argoTracks("deployments", "external-dns", { automated: {} })), {
      trees: [],
    }).forward("cover-both-domains");
    const found = came.findings.find(({ code }) => code === "managed-and-synced");
    expect(plain(found?.remedy ?? [])).toMatch(/run step pause-dns-sync first/);
    expect(ids).toContain("pause-dns-sync");
  });
});

describe("two ExternalDNS with different owners", () => {
  it("both move, each with its own", async () => {
    const second: SiteFault = (spec) => {
      const first = deploymentOf(spec);
      const container = containerOf(first);
      const args = [
        ...container.args.filter((word) => !/owner-id/.test(word)),
        "--txt-owner-id=second",
        "--label-filter=app.kubernetes.io/name=minio",
      ];
      return addObject(
        "deployments",
        { name: "second", namespace: "external-dns" },
        {
          spec: {
            ...(first.spec as object),
            template: { metadata: {}, spec: { containers: [{ ...container, args }] } },
          },
        },
      )(
        withContainer((each) => ({
          ...each,
          args: [...each.args, "--label-filter=app.kubernetes.io/name!=minio"],
        }))(spec),
      );
    };
    const at = driveDns(second(dnsSite({ release: "0.18.0" })));
    await pass(at, 120_000);
    for (const id of ids) {
      const came = await through(at, id);
      const isWell = ["passed", "unneeded"].includes(came.outcome);
      expect(`${id} ${isWell ? "well" : came.text}`).toBe(`${id} well`);
    }
    expect(argsOf(at, "second")).toContain("--domain-filter=goldentooth.net");
    const owner = at.twin.zones
      .recordSets(goldentoothId)
      .find(({ name }) => name === "a-minio.services.k8s.goldentooth.net");
    expect(JSON.stringify(owner)).toMatch(/owner=(default|second)/);
  });
});
