import { describe, expect, it } from "vitest";
import type { Json } from "#shared/json.ts";
import { resumeDnsSync } from "#shared/steps/resume-dns-sync.ts";
import type { StepPlan } from "#shared/steps/step.ts";
import { another, deploymentOf, digest, objectOf, smallSite, withFlag } from "../domain-move/dns-faults.ts";
import { driveDns, pass, through } from "../domain-move/dns-sites.ts";
import type { Came, Drive } from "./drive.ts";
import { argoTracks, fluxApplies } from "./gitops.ts";

const hostname = "external-dns.alpha.kubernetes.io/hostname";
const twin = "httpbin.services.k8s.goldentooth.net";
const argo = argoTracks("services", "httpbin", { selfHeal: true }, "apps");
const seen = { compared: 2, differing: 0, unseen: 0 };

/** The whole move is done, with the sync paused; what Git says is as given. */
async function moved(persisted: Json = seen, spec = smallSite({}, argo)): Promise<Drive> {
  const at = driveDns(spec);
  for (const id of [
    "survey-dns",
    "pause-dns-sync",
    "cover-both-domains",
    "add-hostnames",
    "verify-new-names",
    "quiet-period",
    "drop-old-hostnames",
    "verify-old-gone",
    "narrow-filter",
  ])
    expect(["passed", "unneeded"], id).toContain((await through(at, id)).outcome);
  at.notes["persist-dns"] = persisted;
  return at;
}

/** One sync later, with what it changed. */
async function afterSync(at: Drive, came: Came, sync: () => void = () => {}) {
  sync();
  await pass(at, (came.verified?.until ?? 0) - at.ports.clock.now());
  return at.on((context) => resumeDnsSync.verify(context, came.plan as StepPlan, came.observed));
}

describe("resume-dns-sync", () => {
  it("resumes as it was, waits one sync, and passes when every name stayed; and comes back", async () => {
    const at = await moved();
    const came = await at.forward("resume-dns-sync");
    expect(came.outcome).toBe("waiting");
    const spec = () => objectOf(at, "applications", "argocd", "apps").spec;
    expect(spec()).toMatchObject({ syncPolicy: { automated: { selfHeal: true } } });
    expect((await afterSync(at, came)).outcome).toBe("passed");
    await at.back("resume-dns-sync");
    expect((spec() as { syncPolicy: object }).syncPolicy).not.toHaveProperty("automated");
  });

  it("resumes Flux without a trace of the pause", async () => {
    const at = await moved(seen, smallSite({}, fluxApplies("services", "httpbin", false)));
    const came = await at.forward("resume-dns-sync");
    expect(objectOf(at, "kustomizations", "flux-system", "infra").spec).toMatchObject({ suspend: false });
    // As long as the Kustomization's own interval.
    expect((came.verified?.until ?? 0) - at.ports.clock.now()).toBeGreaterThanOrEqual(600_000);
  });

  it("has nothing to do where nothing was paused", async () => {
    expect(await driveDns(smallSite()).forward("resume-dns-sync")).toMatchObject({ outcome: "unneeded" });
  });

  it.each<[string, Json]>([
    ["nobody compared", null],
    ["no repository is configured", { compared: 0, differing: 0, unseen: 0 }],
    ["Git says something else", { compared: 2, differing: 1, unseen: 0 }],
    ["of one object Git could not be seen", { compared: 2, differing: 0, unseen: 1 }],
  ])("halts where %s", async (_, persisted) => {
    const came = await (await moved(persisted)).forward("resume-dns-sync");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["git-not-seen"]]);
  });

  it("stops where what was paused is gone, and where it may not write", async () => {
    const at = await moved();
    at.twin.store.remove("applications", "argocd", "apps");
    expect((await at.forward("resume-dns-sync")).codes).toEqual(["paused-object-gone"]);
    const denied = await moved();
    const ports = {
      ...denied.ports,
      dryRun: async () => ({ ok: false, because: "denied", message: "no" }) as never,
    };
    const ready = await denied.on(() => resumeDnsSync.ready({ ...denied.context(), ports }));
    expect(ready.map(({ code }) => code)).toEqual(["dry-run-refused"]);
  });

  describe("fails when the sync", () => {
    const annotate = (at: Drive, value: string) => () =>
      void at.twin.store.mergePatch("services", "httpbin", "httpbin", {
        metadata: { annotations: { [hostname]: value } },
      });

    it("takes new names away: ExternalDNS would delete their records", async () => {
      const at = await moved();
      const came = await at.forward("resume-dns-sync");
      const after = await afterSync(at, came, annotate(at, "other.example.org"));
      expect([after.outcome, after.findings.map(({ code }) => code)]).toEqual(["failed", ["sync-took-away"]]);
    });

    it("brings old names back, though nobody looks at them now", async () => {
      const at = await moved();
      const came = await at.forward("resume-dns-sync");
      const after = await afterSync(at, came, annotate(at, `httpbin.hellholt.net,${twin}`));
      expect(after.findings.map(({ code }) => code)).toEqual(["sync-brought-back"]);
    });

    it("brings the old filter back", async () => {
      const at = await moved();
      const came = await at.forward("resume-dns-sync");
      const spec = deploymentOf(
        smallSite({}, withFlag("domain-filter", "hellholt.net", "goldentooth.net")),
      ).spec;
      const after = await afterSync(at, came, () =>
        at.twin.store.mergePatch("deployments", "external-dns", "external-dns", { spec: spec as never }),
      );
      expect(after.findings.map(({ code, subject }) => `${code} ${subject.name}`)).toEqual([
        "sync-brought-back Deployment external-dns/external-dns",
      ]);
    });

    it("stops because somebody paused it again", async () => {
      const at = await moved();
      const came = await at.forward("resume-dns-sync");
      const after = await afterSync(at, came, () =>
        at.twin.store.mergePatch("applications", "argocd", "apps", {
          spec: { syncPolicy: { automated: null } },
        }),
      );
      expect(after.findings.map(({ code }) => code)).toEqual(["change-undone"]);
    });
  });

  it("is unknown when an ExternalDNS cannot be read any more", async () => {
    const at = await moved();
    const came = await at.forward("resume-dns-sync");
    const second = another("second", (each) => ({ ...each, image: digest }))(smallSite()).objects.find(
      ({ object }) => object.metadata.name === "second",
    );
    const after = await afterSync(at, came, () =>
      at.twin.store.create("deployments", second?.object as never),
    );
    expect(after.outcome).toBe("unknown");
  });

  it("judged later, without what was seen before, goes by the names that were proven", async () => {
    const at = await moved();
    const came = await at.forward("resume-dns-sync");
    expect(at.notes["verify-new-names"]).toMatchObject({ names: [`${twin} A`] });
    at.twin.store.mergePatch("services", "httpbin", "httpbin", {
      metadata: { annotations: { [hostname]: "other.example.org" } },
    });
    const after = await at.on((context) => resumeDnsSync.verify(context, came.plan as StepPlan, undefined));
    expect(after.findings.map(({ code }) => code)).toEqual(["sync-took-away"]);
  });
});
