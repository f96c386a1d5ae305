import { describe, expect, it } from "vitest";
import { managerOf, managerText, putsBack, seconds } from "#shared/migration/managers.ts";
import { plain } from "#shared/text.ts";
import { type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { bgpSite } from "./bgp-sites.ts";
import { type Came, drive } from "./drive.ts";
import { argoTracks, fluxApplies, helmInstalled } from "./gitops.ts";

/** What the survey's table says of one object. */
const rowOf = ({ verified }: Came, object: string): readonly string[] | undefined => {
  const table = verified?.blocks.find((block) => block.kind === "table");
  return table?.kind === "table"
    ? table.rows.map((row) => row.map(plain)).find(([title]) => title === object)
    : undefined;
};

const advertisement = "BGPAdvertisement metallb/primary";

describe("survey", () => {
  it.each<readonly [string, SiteFault, readonly string[]]>([
    ["nobody", (spec) => spec, ["nobody", "stays"]],
    [
      "Argo CD with automation and self-heal",
      argoTracks("bgpadvertisements", "primary", { selfHeal: true }),
      ["Argo CD metallb, auto-sync and self-heal", "would be undone"],
    ],
    [
      "Argo CD by hand",
      argoTracks("bgpadvertisements", "primary", undefined),
      ["Argo CD metallb, no auto-sync", "stays"],
    ],
    [
      "Argo CD with automation switched off",
      argoTracks("bgpadvertisements", "primary", { enabled: false }),
      ["Argo CD metallb, no auto-sync", "stays"],
    ],
    [
      "Flux",
      fluxApplies("bgpadvertisements", "primary", false),
      ["Flux Kustomization flux-system/infra, auto-sync", "would be undone"],
    ],
    [
      "Flux, suspended",
      fluxApplies("bgpadvertisements", "primary", true),
      ["Flux Kustomization flux-system/infra, suspended", "stays"],
    ],
    ["Helm", helmInstalled("bgpadvertisements", "primary"), ["Helm metallb/metallb-config", "stays"]],
  ])("tells %s", async (_who, fault, said) => {
    const came = await drive({ spec: withFaults(bgpSite("0.16.1"), fault) }).forward("survey");
    expect(rowOf(came, advertisement)).toEqual([advertisement, ...said]);
  });

  it("does not take a chart's label for Argo CD's, unless there is an Application of that name", () => {
    const object = {
      metadata: {
        name: "primary",
        namespace: "metallb",
        labels: { "app.kubernetes.io/instance": "metallb" },
      },
    };
    const none = { applications: [], kustomizations: [], helmreleases: [] };
    expect(managerOf("bgpadvertisements", object, none)).toEqual({ by: "nobody" });
    const app = {
      metadata: { name: "metallb", namespace: "argocd" },
      spec: { syncPolicy: { automated: {} } },
    };
    const argo = managerOf("bgpadvertisements", object, { ...none, applications: [app] });
    expect(managerText(argo)).toBe("Argo CD metallb, auto-sync");
    expect(putsBack(argo)).toBe(true);
    const listing = {
      ...app,
      metadata: { name: "infra", namespace: "argocd" },
      status: {
        resources: [{ group: "metallb.io", kind: "BGPAdvertisement", namespace: "metallb", name: "primary" }],
      },
    };
    expect(managerText(managerOf("bgpadvertisements", object, { ...none, applications: [listing] }))).toBe(
      "Argo CD infra, auto-sync",
    );
  });

  it("goes by the writers that the API server remembers where no mark is left", () => {
    const none = { applications: [], kustomizations: [], helmreleases: [] };
    const by = (manager: string) =>
      managerOf(
        "bgppeers",
        {
          metadata: {
            name: "opnsense",
            namespace: "metallb",
            managedFields: [{ manager, operation: "Apply" }],
          },
        },
        none,
      );
    expect(managerText(by("argocd-controller"))).toBe("Argo CD unknown, auto-sync unknown");
    expect(putsBack(by("kustomize-controller"))).toBe("unknown");
    expect(by("kubectl-client-side-apply")).toEqual({ by: "nobody" });
  });

  it("reads Flux' intervals", () => {
    expect(["10m", "1h30m", "45s", "soon"].map(seconds)).toEqual([600, 5_400, 45, undefined]);
  });

  it("tells a router that carries BGP from one that is gone", async () => {
    const up = drive({ spec: bgpSite("0.16.1") });
    expect((await up.forward("survey")).text).toMatch(/BGP carries traffic/);
    expect(up.notes.survey).toMatchObject({ bgp: "up" });
    const gone = drive({ spec: goldentooth() });
    const came = await gone.forward("survey");
    expect(came.text).toMatch(/repair, not migration/);
    expect(came.findings.map(({ code }) => code)).toContain("repair-not-migration");
    expect(gone.notes.survey).toMatchObject({ bgp: "down" });
  });

  it("does not take silent Services for a BGP that is down while the router listens", async () => {
    const at = drive({
      spec: bgpSite("0.16.1"),
      around: (ports) => ({
        ...ports,
        shell: async (target, argv, options) => {
          const came = await ports.shell(target, argv, options);
          return target.kind === "vantage" && argv.argv[0] === "nc"
            ? { ...came, exitCode: 1, stdout: "", stderr: "nc: connect to 10.4.11.1 port 80 (tcp) timed out" }
            : came;
        },
      }),
    });
    const came = await at.forward("survey");
    expect(at.notes.survey).toMatchObject({ bgp: "unknown" });
    expect(came.text).toContain("BGP may carry traffic");
    expect(came.findings.map(({ code }) => code)).toContain("bgp-state-unknown");
    expect(await at.forward("canary")).not.toMatchObject({ outcome: "unneeded" });
  });

  it("claims neither where nobody stands behind the router and the peer listens", async () => {
    const at = drive({
      spec: bgpSite("0.16.1"),
      vantages: (all) => all.filter(({ place }) => place !== "behind-router"),
    });
    const came = await at.forward("survey");
    expect(at.notes.survey).toMatchObject({ bgp: expect.stringMatching(/unknown|down/) });
    expect(came.outcome).toBe("passed");
  });

  it("is unknown where GitOps cannot be listed, and where MetalLB's own kinds cannot", async () => {
    const blind = await drive({ spec: bgpSite("0.16.1"), denied: ["applications"] }).forward("survey");
    expect([blind.outcome, blind.codes]).toEqual(["unknown", ["gitops-unseen"]]);
    const at = drive({ spec: bgpSite("0.16.1"), denied: ["bgppeers"] });
    await expect(at.forward("survey")).rejects.toThrow(/bgppeers/);
  });
});
