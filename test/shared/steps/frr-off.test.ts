import { describe, expect, it } from "vitest";
import { withoutFrr } from "#shared/migration/helm-values.ts";
import { plain } from "#shared/text.ts";
import { removeObject, withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive } from "./drive.ts";
import { setBgpMode } from "./world.ts";

const values = "# ours\nspeaker:\n  frr:\n    enabled: true # since the old router\n  logLevel: info\n";

const cleared = (version: string) =>
  withFaults(
    bgpSite(version),
    removeObject("bgpadvertisements", "primary"),
    removeObject("bgppeers", "opnsense"),
    removeObject("bfdprofiles", "primary"),
    (spec) => ({
      ...spec,
      objects: [
        ...spec.objects,
        {
          kind: "l2advertisements",
          object: {
            apiVersion: "metallb.io/v1beta1",
            kind: "L2Advertisement",
            metadata: { name: "primary", namespace: "metallb" },
            spec: { ipAddressPools: ["primary"], interfaces: ["eth0"] },
          },
        },
      ],
    }),
  );

describe("frr-off", () => {
  it("waits until every speaker has restarted before it looks at the wire", async () => {
    const at = drive({ spec: cleared("0.16.1") });
    await at.forward("frr-off");
    setBgpMode(at.twin, "native");
    const status = (renewed: number, ready: number) => {
      const { store } = at.twin;
      for (const set of store.list("daemonsets", "metallb").items)
        store.update("daemonsets", {
          ...set,
          status: { ...(set.status as object), updatedNumberScheduled: renewed, numberReady: ready },
        });
    };
    const wanted = at.twin.spec.nodes.length;
    const look = async () =>
      at.on(async (context) => {
        const { frrOff } = await import("#shared/steps/frr-off.ts");
        await context.ports.clock.sleep(120_000);
        const now = context.ports.clock.now();
        return { ...(await frrOff.verify(context, {} as never, undefined)), now };
      });
    status(4, wanted - 1);
    const under = await look();
    expect(under).toMatchObject({ outcome: "waiting", until: under.now + 15_000 });
    expect(plain(under.text)).toContain(`4 of ${wanted} of metallb-speaker renewed, ${wanted - 1} ready`);
    status(wanted, wanted);
    expect((await look()).outcome).toBe("passed");
  });

  it("hands over the values, and looks whether they are applied", async () => {
    const at = drive({
      spec: cleared("0.16.1"),
      migration: { helmValues: { metallb: "values.yaml" } },
      files: { "values.yaml": values },
    });
    const early = await at.forward("frr-off");
    expect([early.outcome, early.text]).toEqual(["failed", expect.stringMatching(/still run in frr mode/)]);
    const [deed] = early.plan?.deeds ?? [];
    expect(deed).toMatchObject({ kind: "document", name: "metallb-values.yaml" });
    expect(early.plan?.predicted).toMatchObject({
      before: { mode: "frr" },
      changed: [
        { key: "speaker.frr.enabled", from: "true", to: "false" },
        { key: "frrk8s.enabled", from: "not set", to: "false" },
      ],
    });
    setBgpMode(at.twin, "native");
    const done = await at.on(async (context) => {
      const { frrOff } = await import("#shared/steps/frr-off.ts");
      await context.ports.clock.sleep(120_000);
      return frrOff.verify(context, early.plan as NonNullable<typeof early.plan>, undefined);
    });
    expect([done.outcome, plain(done.text)]).toEqual([
      "passed",
      expect.stringMatching(/native mode, accept/),
    ]);
    expect(await at.forward("frr-off")).toMatchObject({ outcome: "unneeded" });
  });

  it("says what to hand over where no values are configured", async () => {
    const came = await drive({ spec: cleared("0.15.2") }).forward("frr-off");
    expect(came.plan?.deeds).toEqual([]);
    expect(came.plan?.instructions.map(plain).join("\n")).toMatch(/helm get values metallb -n metallb/);
  });

  it("refuses while an object is left that speakers without FRR reject", async () => {
    const came = await drive({ spec: bgpSite("0.16.1") }).forward("frr-off");
    expect(came.outcome).toBe("blocked");
    expect(came.codes).toContain("native-mode-rejects");
    expect(came.text).toMatch(/BFDProfile primary and bfdProfile of BGPPeer opnsense/);
  });

  it("refuses values that are no mapping, and names keys that the chart does not have", async () => {
    const given = (text: string) =>
      drive({
        spec: cleared("0.16.1"),
        migration: { helmValues: { metallb: "values.yaml" } },
        files: { "values.yaml": text },
      }).forward("frr-off");
    expect((await given("- a\n- b\n")).codes).toEqual(["helm-values-unreadable"]);
    const story = await given("spec:\n  l2Advertisements:\n    - name: primary\n");
    expect(story.findings.map(({ code, facts }) => [code, facts.key])).toContainEqual([
      "helm-value-unknown",
      "spec",
    ]);
  });
});

describe("values without FRR", () => {
  it.each([
    ["0.13.12", ["speaker.frr.enabled"]],
    ["0.15.2", ["speaker.frr.enabled"]],
    ["0.16.1", ["speaker.frr.enabled", "frrk8s.enabled"]],
  ])("MetalLB %s", (version, keys) => {
    const made = withoutFrr(values, version);
    expect("changed" in made && made.changed.map(({ key }) => key)).toEqual(keys);
    // What else is among the values may be a secret, and stays where it is.
    const text = "speaker:\n  frr:\n    enabled: false\n";
    expect("text" in made && made.text).toBe(keys.length === 1 ? text : `${text}frrk8s:\n  enabled: false\n`);
  });

  it("switches off both where both are on", () => {
    const made = withoutFrr("frrk8s:\n  enabled: true\nspeaker:\n  frr:\n    enabled: false\n", "0.15.2");
    expect("changed" in made && made.changed).toEqual([{ key: "frrk8s.enabled", from: "true", to: "false" }]);
  });

  it("begins from nothing, and says what it cannot read", () => {
    const made = withoutFrr("", "0.16.1");
    expect("text" in made && made.text).toMatch(/speaker/);
    expect(withoutFrr("a: [", "0.16.1")).toHaveProperty("problem");
  });
});
