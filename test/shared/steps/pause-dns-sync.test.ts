import { describe, expect, it } from "vitest";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import { pauseDnsSync } from "#shared/steps/pause-dns-sync.ts";
import type { StepPlan } from "#shared/steps/step.ts";
import { plain } from "#shared/text.ts";
import { patchObject, type SiteFault } from "#shared/twin/sites/faults.ts";
import {
  another,
  chartLabel,
  deploymentOf,
  digest,
  objectOf,
  smallSite,
  withFlag,
  withImage,
} from "../domain-move/dns-faults.ts";
import { annotationOf, argsOf, driveDns } from "../domain-move/dns-sites.ts";
import type { Drive } from "./drive.ts";
import { argoTracks, fluxApplies, helmInstalled } from "./gitops.ts";
import { memoryTree } from "./memory-tree.ts";

const healing = { selfHeal: true, prune: true };
const argoDeployment = argoTracks("deployments", "external-dns", healing, "dns");
const argoService = argoTracks("services", "httpbin", healing, "apps");
const pause = (spec = smallSite(), ...more: [Parameters<typeof driveDns>[1]?]) =>
  driveDns(spec, ...more).forward("pause-dns-sync");
const policyOf = (at: Drive, name: string) =>
  (objectOf(at, "applications", "argocd", name).spec as { syncPolicy: unknown }).syncPolicy;

describe("pause-dns-sync", () => {
  it("stands after the survey and before the first change, with its way back at the end", () => {
    const ids = dnsDomainMove.steps.map(({ id }) => id);
    expect(ids.slice(0, 3)).toEqual(["survey-dns", "pause-dns-sync", "cover-both-domains"]);
    expect(ids.at(-1)).toBe("resume-dns-sync");
  });

  it("pauses who would put back the Deployment and the Service, so that writes last; and comes back", async () => {
    const at = driveDns(smallSite({}, argoDeployment, argoService));
    const came = await at.forward("pause-dns-sync");
    expect(came.outcome).toBe("passed");
    expect(came.plan?.deeds.map(({ title }) => title)).toEqual([
      "pause the sync of Application argocd/dns",
      "pause the sync of Application argocd/apps",
    ]);
    expect(came.plan?.prediction.map(plain).join()).toContain("over the quiet period too");
    expect([policyOf(at, "dns"), policyOf(at, "apps")]).toEqual([{}, {}]);
    expect((await at.forward("cover-both-domains")).outcome).toBe("passed");
    expect((await at.forward("add-hostnames")).outcome).toBe("passed");
    expect(argsOf(at)).toContain("--domain-filter=goldentooth.net");
    expect(
      annotationOf(at, "services", "httpbin", "httpbin", "external-dns.alpha.kubernetes.io/hostname"),
    ).toContain("goldentooth.net");
    await at.back("pause-dns-sync");
    expect([policyOf(at, "dns"), policyOf(at, "apps")]).toEqual([
      { automated: healing },
      { automated: healing },
    ]);
  });

  it("suspends Flux, and pauses one Application once, whatever it manages", async () => {
    const flux = driveDns(smallSite({}, fluxApplies("services", "httpbin", false)));
    expect((await flux.forward("pause-dns-sync")).outcome).toBe("passed");
    expect(objectOf(flux, "kustomizations", "flux-system", "infra").spec).toMatchObject({ suspend: true });
    const tracked: SiteFault = patchObject("services", "httpbin", {
      metadata: { annotations: { "argocd.argoproj.io/tracking-id": "dns:/Service:httpbin/httpbin" } },
    });
    const one = await pause(smallSite({}, argoDeployment, tracked));
    expect(one.plan?.deeds.map(({ title }) => title)).toEqual(["pause the sync of Application argocd/dns"]);
  });

  it("also pauses for a filter that is only narrowed at the end", async () => {
    const came = await pause(
      smallSite({}, withFlag("domain-filter", "hellholt.net", "goldentooth.net"), argoDeployment),
    );
    expect(came.plan?.deeds).toHaveLength(1);
  });

  it.each<[string, SiteFault[]]>([
    ["nobody manages them", []],
    ["the Application syncs by hand", [argoTracks("deployments", "external-dns", undefined, "dns")]],
    ["Flux is suspended already", [fluxApplies("services", "httpbin", true)]],
    ["Helm made them", [helmInstalled("deployments", "external-dns")]],
    ["a chart's values are handed over instead", [argoDeployment, chartLabel]],
    ["somebody heals what is not touched", [argoTracks("ipaddresspools", "primary", healing, "metallb")]],
  ])("is not needed where %s", async (_, faults) => {
    expect(await pause(smallSite({}, ...faults))).toMatchObject({ outcome: "unneeded" });
  });

  it("is not needed where the manifest is in a configured clone, and needed where its file holds a secret only for others", async () => {
    const manifest = JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "external-dns", namespace: "external-dns" },
      spec: deploymentOf(smallSite()).spec,
    });
    const migration = {
      repositories: [{ name: "cluster", path: "/srv/cluster", branch: "arpeggio", base: "main" }],
    };
    const clone = memoryTree("cluster", "main", { "dns.yaml": manifest });
    expect(await pause(smallSite({}, argoDeployment), { trees: [clone], migration })).toMatchObject({
      outcome: "unneeded",
    });
    const two = memoryTree("cluster", "main", { "a.yaml": manifest, "b.yaml": manifest });
    expect(await pause(smallSite({}, argoDeployment), { trees: [two], migration })).toMatchObject({
      outcome: "passed",
    });
  });

  it("refuses where a parent Application would undo the pause", async () => {
    const parent: SiteFault = (spec) =>
      argoTracks("applications", "dns", { selfHeal: true }, "root")(argoDeployment(spec));
    const came = await pause(smallSite({}, parent));
    expect([came.outcome, came.codes]).toEqual(["blocked", ["pause-would-be-undone"]]);
  });

  it("halts where whoever puts it back is not in this cluster", async () => {
    const elsewhere: SiteFault = patchObject("services", "httpbin", {
      metadata: { annotations: { "argocd.argoproj.io/tracking-id": "far-away:/Service:httpbin/httpbin" } },
    });
    const came = await pause(smallSite({}, elsewhere));
    expect([came.outcome, came.codes]).toEqual(["blocked", ["manager-unseen"]]);
  });

  it.each<[string, SiteFault, string]>([
    ["the release is a digest", withImage(digest), "release-unknown"],
    [
      "a second one cannot be read",
      another("two", (each) => ({ ...each, image: digest })),
      "release-unknown",
    ],
  ])("halts where %s: what has to be paused is then not known", async (_, fault, code) => {
    const came = await pause(smallSite({}, fault));
    expect(came.outcome).toBe("blocked");
    expect(came.codes).toContain(code);
  });

  it("halts where it may not see Applications", async () => {
    const came = await pause(smallSite(), {
      around: (ports) => ({
        ...ports,
        read: async (kinds, signal) => ({
          ...(await ports.read(kinds, signal)),
          applications: { kind: "denied", what: "list of applications", detail: "forbidden" } as never,
        }),
      }),
    });
    expect([came.outcome, came.codes]).toEqual(["blocked", ["could-not-look"]]);
  });

  it("halts where it may not pause", async () => {
    const came = await pause(smallSite({}, argoDeployment), {
      around: (ports) => ({
        ...ports,
        dryRun: async () => ({ ok: false, because: "denied", message: "no" }) as never,
      }),
    });
    expect([came.outcome, came.codes]).toEqual(["blocked", ["dry-run-refused"]]);
  });

  it("fails when somebody resumes it meanwhile", async () => {
    const at = driveDns(smallSite({}, argoDeployment));
    const { plan } = await at.forward("pause-dns-sync");
    await at.back("pause-dns-sync");
    const came = await at.on((context) => pauseDnsSync.verify(context, plan as StepPlan, undefined));
    expect([came.outcome, came.findings.map(({ code }) => code)]).toEqual(["failed", ["change-undone"]]);
  });
});
