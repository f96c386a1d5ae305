import { describe, expect, it } from "vitest";
import { withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";
import { argoTracks } from "./gitops.ts";

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
      const { resumeSync } = await import("#shared/steps/resume-sync.ts");
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
});
