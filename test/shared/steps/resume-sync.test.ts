import { describe, expect, it } from "vitest";
import { defineStep, verified } from "#shared/migration/define-step.ts";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import { goOn, skip } from "#shared/runs/people.ts";
import { pauseSync } from "#shared/steps/pause-sync.ts";
import { resumeSync } from "#shared/steps/resume-sync.ts";
import { noDeeds } from "#shared/steps/step.ts";
import { survey } from "#shared/steps/survey.ts";
import { text } from "#shared/text.ts";
import { withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";
import { argoTracks } from "./gitops.ts";
import { runOnTwin } from "./run-on-twin.ts";

describe("resume-sync", () => {
  const paused = async () => {
    const at = drive({
      spec: withFaults(bgpSite("0.16.1"), argoTracks("bgpadvertisements", "primary", { selfHeal: true })),
    });
    for (const id of [
      "survey",
      "snapshot",
      "pause-sync",
      "create-l2advertisement",
      "withdraw-bgp",
      "remove-bgp-peers",
      "remove-bfd-profiles",
    ])
      expect((await at.forward(id)).outcome).toBe("passed");
    return at;
  };

  it("halts while nobody has seen what Git says", async () => {
    const at = await paused();
    expect(await at.forward("resume-sync")).toMatchObject({ outcome: "blocked", codes: ["git-not-seen"] });
  });

  it("resumes, waits one interval, and passes when nothing came back", async () => {
    const at = await paused();
    at.notes.persist = { compared: 2, differing: 0 };
    const came = await at.forward("resume-sync");
    expect(came.outcome).toBe("waiting");
    expect(at.twin.store.get("applications", "argocd", "metallb")?.spec).toMatchObject({
      syncPolicy: { automated: { selfHeal: true } },
    });
    const again = await at.on(async (context) => {
      await context.ports.clock.sleep((came.verified?.until ?? 0) - context.ports.clock.now());
      return resumeSync.verify(context, came.plan as NonNullable<typeof came.plan>, came.observed);
    });
    expect(again.outcome).toBe("passed");
  });

  it("has nothing to resume where nothing was paused", async () => {
    expect(await drive({ spec: bgpSite("0.16.1") }).forward("resume-sync")).toMatchObject({
      outcome: "unneeded",
    });
  });

  it("stops where what was paused is gone, and where it cannot be seen", async () => {
    const at = await paused();
    at.notes.persist = { compared: 2, differing: 0 };
    at.twin.store.remove("applications", "argocd", "metallb");
    expect(await at.forward("resume-sync")).toMatchObject({
      outcome: "blocked",
      codes: ["paused-object-gone"],
    });
    const blind = await paused();
    blind.notes.persist = { compared: 2, differing: 0 };
    const read: typeof blind.ports.read = async (kinds, signal) => ({
      ...(await blind.ports.read(kinds, signal)),
      applications: { kind: "denied", what: "list of applications", detail: "forbidden" },
    });
    const said = await blind.on((context) =>
      resumeSync.ready({ ...context, ports: { ...context.ports, read } }),
    );
    expect(said.map(({ code, severity }) => [code, severity])).toEqual([["could-not-look", "unknown"]]);
  });
});

describe("resume-sync after a pause that did not go straight", () => {
  const persisted = defineStep({
    id: "persist",
    kind: "check",
    title: "Persist",
    reversibleWhile: text`always`,
    ready: async () => [],
    plan: async () => ({ ...noDeeds, prediction: [], predicted: null }),
    verify: async () => verified("passed", text`Git says it too`, { notes: { compared: 2, differing: 0 } }),
  });
  const site = () =>
    withFaults(
      bgpSite("0.16.1"),
      argoTracks("bgpadvertisements", "primary", { selfHeal: true }, "ads"),
      argoTracks("bgppeers", "opnsense", { selfHeal: true }, "peers"),
    );
  const small = { ...bgpToL2, steps: [survey, pauseSync, persisted, resumeSync] };
  type At = ReturnType<typeof runOnTwin>;
  const policies = ({ store }: At) =>
    ["ads", "peers"].map((name) => store.get("applications", "argocd", name)?.spec);
  const resumed = { syncPolicy: { automated: { selfHeal: true } } };
  const stopped = { syncPolicy: {} };
  const skipped = async (at: At) => {
    const wish = { by: "olive", step: "pause-sync", reason: "in a hurry" };
    await skip(at.runner, "R-7", { ...wish, force: false });
    await skip(at.runner, "R-7", { ...wish, force: true });
  };

  it("resumes both, where the second was paused by a second act", async () => {
    let isFirst = true;
    const at = runOnTwin(
      site(),
      small,
      {},
      {
        aroundWrite: (write) => async (wish, options) => {
          const isPeers = wish.verb === "patch" && wish.ref.name === "peers" && options?.dryRun !== true;
          if (!isPeers || !isFirst) return write(wish, options);
          isFirst = false;
          return { ok: false, because: "webhook", message: "not now" };
        },
      },
    );
    await at.start();
    await at.approve();
    await at.go();
    expect((await at.state()).halted?.code).toBe("webhook");
    expect(policies(at)).toMatchObject([stopped, resumed]);
    await goOn(at.runner, "R-7", "olive");
    await at.go();
    await at.approve();
    expect((await at.go()).stopped).toBe("time");
    expect(policies(at)).toEqual([expect.objectContaining(stopped), expect.objectContaining(stopped)]);
    await at.on(at.clock.sleep(200_000));
    await at.go();
    expect((await at.state()).steps[3]?.planned?.plan.deeds.map(({ title }) => title)).toEqual([
      "resume the sync of Application argocd/ads",
      "resume the sync of Application argocd/peers",
    ]);
    await at.approve();
    await at.go();
    expect(policies(at)).toMatchObject([resumed, resumed]);
  });

  it("resumes what was paused and left unproven by a skip, and nothing that was not", async () => {
    const at = runOnTwin(
      site(),
      small,
      {},
      {
        aroundWrite: (write) => async (wish, options) =>
          wish.verb === "patch" && wish.ref.name === "peers" && options?.dryRun !== true
            ? { ok: false, because: "webhook", message: "not now" }
            : write(wish, options),
      },
    );
    await at.start();
    await at.approve();
    await at.go();
    await skipped(at);
    await at.go();
    expect((await at.state()).steps[3]?.planned?.plan.deeds.map(({ title }) => title)).toEqual([
      "resume the sync of Application argocd/ads",
    ]);
    await at.approve();
    await at.go();
    expect(policies(at)).toMatchObject([resumed, resumed]);
  });
});
