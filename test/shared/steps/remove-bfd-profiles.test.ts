import { describe, expect, it } from "vitest";
import { removeBfdProfiles } from "#shared/steps/remove-bfd-profiles.ts";
import { withdrawn } from "./withdrawn.ts";
import { setBgpMode } from "./world.ts";

describe("remove-bfd-profiles", () => {
  it("refuses while a peer is there that uses one, as MetalLB's webhook does", async () => {
    const at = await withdrawn();
    const came = await at.forward("remove-bfd-profiles");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["removed-too-early", "dry-run-refused"]]);
    expect(at.twin.store.list("bfdprofiles").items).toHaveLength(1);
  });

  it("deletes them after the peers, and brings them back", async () => {
    const at = await withdrawn();
    await at.forward("remove-bgp-peers");
    expect(await at.forward("remove-bfd-profiles")).toMatchObject({ outcome: "passed" });
    expect(at.twin.store.list("bfdprofiles").items).toEqual([]);
    expect(await at.forward("remove-bfd-profiles")).toMatchObject({ outcome: "unneeded" });
    await at.back("remove-bfd-profiles");
    expect(at.twin.store.get("bfdprofiles", "metallb", "primary")?.spec).toMatchObject({
      detectMultiplier: 3,
    });
  });

  it("does not come back while FRR is off: everything would be rejected", async () => {
    const at = await withdrawn();
    await at.forward("remove-bgp-peers");
    const { plan } = await at.forward("remove-bfd-profiles");
    const closed = () =>
      at.on(async (context) =>
        ((await removeBfdProfiles.canUndo?.(context, plan as NonNullable<typeof plan>)) ?? []).map(
          ({ code }) => code,
        ),
      );
    expect(await closed()).toEqual([]);
    setBgpMode(at.twin, "native");
    expect(await closed()).toEqual(["frr-is-off"]);
  });
});
