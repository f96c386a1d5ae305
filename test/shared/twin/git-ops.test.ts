import { describe, expect, it } from "vitest";
import { managerOf } from "#shared/migration/managers.ts";
import { withFaults } from "#shared/twin/sites/faults.ts";
import { managedByArgo, managedByFlux } from "#shared/twin/sites/git-ops-faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { twinOf } from "./twin-fixture.ts";

const kinds = ["bgpadvertisements", "bgppeers"] as const;
const argo = (automated?: Parameters<typeof managedByArgo>[0]["automated"]) =>
  twinOf(
    withFaults(goldentooth(), managedByArgo({ kinds, ...(automated === undefined ? {} : { automated }) })),
  );
const flux = () => twinOf(withFaults(goldentooth(), managedByFlux({ kinds, interval: "5m" })));

const advertisement = (twin: Twin) => twin.store.get("bgpadvertisements", "metallb", "primary");
const remove = (twin: Twin) => twin.store.remove("bgpadvertisements", "metallb", "primary");
const application = (twin: Twin) => twin.store.get("applications", "argocd", "metallb-config");
const events = (twin: Twin, namespace: string) =>
  twin.store.list("events", namespace).items.map(({ reason }) => reason);

describe("Argo CD", () => {
  it("is found as the manager of what it tracks", () => {
    const { twin } = argo();
    const object = advertisement(twin);
    const lists = {
      applications: twin.store.list("applications").items,
      kustomizations: [],
      helmreleases: [],
    };
    expect(object && managerOf("bgpadvertisements", object, lists)).toMatchObject({
      by: "argo-cd",
      found: "argocd/metallb-config",
      automated: true,
      selfHeal: true,
    });
  });

  it("puts a deleted object back within seconds, and says so in status and events", async () => {
    const { twin, clock } = argo();
    remove(twin);
    await clock.advance(4_900);
    expect(advertisement(twin)).toBeUndefined();
    await clock.advance(200);
    expect(advertisement(twin)?.spec).toEqual({ ipAddressPools: ["primary"] });
    expect(application(twin)?.status).toMatchObject({
      sync: { status: "Synced" },
      operationState: { phase: "Succeeded", operation: { initiatedBy: { automated: true } } },
      history: [{ id: 0 }],
    });
    expect(events(twin, "argocd")).toEqual(
      expect.arrayContaining(["OperationStarted", "OperationCompleted"]),
    );
  });

  it("takes away a field that git named once and names no more, and leaves what it never named", async () => {
    const { twin, clock } = argo();
    const before = twin.gitOps.contentOf("metallb-config")?.objects ?? [];
    const named = (spec: object) =>
      before.map((each) =>
        each.kind === "bgpadvertisements" ? { ...each, object: { ...each.object, spec } } : each,
      );
    twin.gitOps.push("metallb-config", named({ ipAddressPools: ["primary"], localPref: 50 }));
    await clock.advance(200_000);
    expect(advertisement(twin)?.spec).toEqual({ ipAddressPools: ["primary"], localPref: 50 });
    twin.store.mergePatch("bgpadvertisements", "metallb", "primary", { spec: { aggregationLength: 32 } });
    twin.gitOps.push("metallb-config", before);
    await clock.advance(200_000);
    expect(advertisement(twin)?.spec).toEqual({ ipAddressPools: ["primary"], aggregationLength: 32 });
  });

  it.each([
    ["self-heal is off", { selfHeal: false }],
    ["auto-sync is off", null],
  ])("only tells the difference when %s", async (_, automated) => {
    const { twin, clock } = argo(automated);
    remove(twin);
    await clock.advance(600_000);
    expect(advertisement(twin)).toBeUndefined();
    expect(application(twin)?.status).toMatchObject({ sync: { status: "OutOfSync" } });
  });

  it("honours a pause, and heals when it is taken back", async () => {
    const { twin, clock } = argo();
    twin.store.mergePatch("applications", "argocd", "metallb-config", {
      spec: { syncPolicy: { automated: null } },
    });
    remove(twin);
    await clock.advance(600_000);
    expect(advertisement(twin)).toBeUndefined();
    twin.store.mergePatch("applications", "argocd", "metallb-config", {
      spec: { syncPolicy: { automated: { selfHeal: true } } },
    });
    await clock.advance(6_000);
    expect(advertisement(twin)).toBeDefined();
  });

  it("follows a commit at its next look, and prunes what git has no more", async () => {
    const { twin, clock } = argo();
    await clock.advance(10_000);
    const content = twin.gitOps.contentOf("metallb-config");
    twin.gitOps.push(
      "metallb-config",
      (content?.objects ?? []).filter(({ kind }) => kind !== "bgpadvertisements"),
    );
    await clock.advance(160_000);
    expect(advertisement(twin)).toBeDefined();
    await clock.advance(20_000);
    expect(advertisement(twin)).toBeUndefined();
    expect(application(twin)?.status).toMatchObject({
      sync: { status: "Synced", revision: twin.gitOps.contentOf("metallb-config")?.revision },
    });
  });

  it("leaves fields alone that git does not name", async () => {
    const { twin, clock } = argo();
    twin.store.mergePatch("bgpadvertisements", "metallb", "primary", { spec: { localPref: 200 } });
    await clock.advance(60_000);
    expect(advertisement(twin)?.spec).toMatchObject({ localPref: 200 });
    twin.store.mergePatch("bgpadvertisements", "metallb", "primary", { spec: { ipAddressPools: [] } });
    await clock.advance(6_000);
    expect(advertisement(twin)?.spec).toMatchObject({ ipAddressPools: ["primary"] });
  });
});

describe("Flux", () => {
  it("puts a deleted object back at its interval, not before", async () => {
    const { twin, clock } = flux();
    await clock.advance(60_000);
    remove(twin);
    await clock.advance(239_000);
    expect(advertisement(twin)).toBeUndefined();
    await clock.advance(2_000);
    expect(advertisement(twin)).toBeDefined();
    expect(twin.store.get("kustomizations", "flux-system", "metallb-config")?.status).toMatchObject({
      conditions: [{ type: "Ready", status: "True", reason: "ReconciliationSucceeded" }],
    });
    expect(events(twin, "flux-system")).toContain("Progressing");
  });

  it("honours suspend", async () => {
    const { twin, clock } = flux();
    twin.store.mergePatch("kustomizations", "flux-system", "metallb-config", { spec: { suspend: true } });
    remove(twin);
    await clock.advance(3_600_000);
    expect(advertisement(twin)).toBeUndefined();
  });
});
