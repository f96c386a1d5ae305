import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { plain } from "#shared/text.ts";
import { patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";

const textOf = (plan: { deeds: readonly { kind: string; text?: string }[] } | undefined): string =>
  plan?.deeds.find(({ kind }) => kind === "document")?.text ?? "";

describe("snapshot", () => {
  it("keeps every object whole, without what only the server writes", async () => {
    const at = drive({ spec: bgpSite("0.16.1") });
    const came = await at.forward("snapshot");
    expect(came.outcome).toBe("passed");
    const kept = textOf(came.plan);
    for (const kind of ["IPAddressPool", "BGPAdvertisement", "BGPPeer", "BFDProfile"])
      expect(kept).toContain(`kind: ${kind}`);
    expect(kept).toContain("peerASN: 64501");
    expect(kept).not.toMatch(/uid:|resourceVersion:|managedFields:|^status:/m);
    expect(Object.keys((at.notes.snapshot as { objects: object }).objects)).toHaveLength(4);
  });

  it("lets no password out, not even by kubectl's copy, and tells that there is one", async () => {
    const secret = "hunter-two";
    const spec = withFaults(
      bgpSite("0.16.1"),
      patchObject("bgppeers", "opnsense", {
        metadata: {
          annotations: {
            "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({
              spec: { password: secret },
            }),
          },
        },
        spec: { password: secret },
      }),
    );
    const at = drive({ spec });
    const surveyed = await at.forward("survey");
    expect(surveyed.findings.map(({ code }) => code)).toContain("bgppeer-inline-password");
    const came = await at.forward("snapshot");
    expect(came.text).toMatch(/password of BGPPeer metallb\/opnsense is not in the file/);
    for (const everything of [surveyed, came, at.notes])
      expect(JSON.stringify(everything)).not.toContain(secret);
    const applied = parseAllDocuments(textOf(came.plan)).map((each) => each.toJS() as { kind: string });
    expect(applied.map(({ kind }) => kind).sort()).toEqual([
      "BFDProfile",
      "BGPAdvertisement",
      "IPAddressPool",
    ]);
    expect(textOf(came.plan)).toMatch(/^# +password: "?\[secret\]/m);
    expect(plain(came.plan?.prediction[0] ?? [])).toMatch(/but for BGPPeer metallb\/opnsense/);
  });

  it("fails when an object changes while it is taken", async () => {
    const at = drive({ spec: bgpSite("0.16.1") });
    const { plan } = await at.forward("snapshot");
    at.twin.store.mergePatch("bgppeers", "metallb", "opnsense", { spec: { holdTime: "30s" } });
    const again = await at.on(async (context) => {
      const { snapshot } = await import("#shared/steps/snapshot.ts");
      return snapshot.verify(context, plan as NonNullable<typeof plan>, undefined);
    });
    expect(again.outcome).toBe("failed");
  });
});
