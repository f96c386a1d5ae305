import { describe, expect, it } from "vitest";
import { persistDns } from "#shared/steps/persist-dns.ts";
import { plain } from "#shared/text.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";
import {
  annotated,
  deploymentOf,
  everySource,
  ingress,
  smallSite,
  withArgs,
} from "../domain-move/dns-faults.ts";
import { driveDns } from "../domain-move/dns-sites.ts";
import { argoTracks, helmInstalled } from "./gitops.ts";
import { memoryTree } from "./memory-tree.ts";

const hostname = "external-dns.alpha.kubernetes.io/hostname";
const twin = "httpbin.services.k8s.goldentooth.net";
const argo: SiteFault = (spec) =>
  argoTracks(
    "services",
    "httpbin",
    { selfHeal: true },
    "apps",
  )(argoTracks("deployments", "external-dns", { selfHeal: true }, "dns")(spec));
const moved = annotated({ [hostname]: twin });
const repository = (name: string) => ({ name, path: `/srv/${name}`, branch: "arpeggio", base: "main" });

const service = (names: string) =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  annotations:\n    ${hostname}: "${names}"\n  name: httpbin\n  namespace: httpbin\n`;
const deployment = JSON.stringify({
  kind: "Deployment",
  apiVersion: "apps/v1",
  metadata: { name: "external-dns", namespace: "external-dns" },
  spec: deploymentOf(smallSite()).spec,
});

const persist = (
  trees: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ...faults: readonly SiteFault[]
) =>
  driveDns(smallSite({}, moved, argo, ...faults), {
    trees: Object.entries(trees).map(([name, files]) => memoryTree(name, "main", files)),
    migration: { repositories: Object.keys(trees).map(repository) },
  }).forward("persist-dns");

describe("persist-dns", () => {
  it("passes where Git asks for the same, however it writes it", async () => {
    const came = await persist({ one: { "a.yaml": service(` ${twin} `), "b.yaml": deployment } });
    expect(came.outcome).toBe("passed");
    expect(came.verified?.notes).toEqual({ compared: 2, differing: 0, unseen: 0 });
  });

  it("looks for a manifest in every clone: one that is in another is not missing", async () => {
    const came = await persist({ one: { "a.yaml": service(twin) }, two: { "b.yaml": deployment } });
    expect([came.outcome, came.codes]).toEqual(["passed", []]);
  });

  it("compares what an Ingress serves, and not what the API server filled in", async () => {
    const rules = [
      { host: "web.services.k8s.goldentooth.net", http: { paths: [{ path: "/", pathType: "Prefix" }] } },
    ];
    const manifest =
      "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: web}\nspec:\n  rules:\n  - http: {paths: [{path: /}]}\n    host: web.services.k8s.goldentooth.net\n";
    const files = { "a.yaml": service(twin), "b.yaml": deployment, "c.yaml": manifest };
    const came = await persist({ one: files }, everySource, ingress("web", { rules }));
    expect(came.findings.filter(({ subject }) => subject.name.startsWith("Ingress"))).toEqual([]);
    const other = { ...files, "c.yaml": manifest.replace("web.services", "old.services") };
    const differing = await persist({ one: other }, everySource, ingress("web", { rules }));
    expect(differing.findings.map(({ subject }) => subject.name)).toContain("Ingress web/web");
  });

  it.each([
    ["names", { "a.yaml": service("httpbin.hellholt.net"), "b.yaml": deployment }, "Service httpbin/httpbin"],
    [
      "filters",
      { "a.yaml": service(twin), "b.yaml": deployment.replace("hellholt.net", "example.org") },
      "Deployment external-dns/external-dns",
    ],
  ])("fails where Git has other %s: the next sync changes them back", async (_, files, subject) => {
    const came = await persist({ one: files });
    expect([came.outcome, came.codes]).toEqual(["failed", ["git-differs"]]);
    expect(came.findings.map((each) => each.subject.name)).toEqual([subject]);
    expect(came.verified?.notes).toEqual({ compared: 2, differing: 1, unseen: 0 });
  });

  it("is unknown where no clone has a manifest of what is managed: a chart may make it", async () => {
    const came = await persist({ one: { "a.yaml": service(twin) } });
    expect([came.outcome, came.codes]).toEqual(["unknown", ["not-in-git"]]);
    expect(came.verified?.notes).toEqual({ compared: 2, differing: 0, unseen: 1 });
  });

  it("is unknown where somebody manages them and no clone is configured, and passes where nobody does", async () => {
    const managed = await driveDns(
      smallSite({}, moved, helmInstalled("deployments", "external-dns")),
    ).forward("persist-dns");
    expect(managed).toMatchObject({ outcome: "unknown" });
    const own = await driveDns(smallSite({}, moved)).forward("persist-dns");
    expect(own).toMatchObject({ outcome: "passed" });
  });

  it("hands over names and filters, and neither other arguments nor other annotations", async () => {
    const at = driveDns(
      smallSite(
        {},
        moved,
        annotated({ token: "hunter-two" }),
        withArgs((all) => [...all, "--pdns-api-key=hunter-six"]),
      ),
    );
    const plan = await at.on((context) => persistDns.plan(context));
    const [deed] = plan.deeds;
    const text = deed?.kind === "document" ? deed.text : "";
    expect(deed).toMatchObject({ kind: "document", name: "R-1-names.yaml" });
    expect(text).toContain(twin);
    expect(text).toContain("domain-filter:\n    - hellholt.net");
    expect(JSON.stringify(plan)).not.toMatch(/hunter-(two|six)/);
    expect([plan.undo, plan.diffs]).toEqual([[], []]);
    expect(plain(persistDns.reversibleWhile)).toContain("nothing is changed");
  });

  it("is unknown where nothing can be seen", async () => {
    const at = driveDns(smallSite());
    const blind = { ...at.context(), ports: { ...at.ports, zones: undefined } };
    expect(await at.on(() => persistDns.verify(blind, undefined as never, undefined))).toMatchObject({
      outcome: "unknown",
    });
  });
});
