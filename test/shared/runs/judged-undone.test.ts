import { describe, expect, it } from "vitest";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import { comeBack } from "#shared/runs/people.ts";
import { runReply } from "#shared/runs/run-reply.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { lookOn } from "#shared/steps/look.ts";
import { performOn } from "#shared/steps/perform.ts";
import { plain } from "#shared/text.ts";
import { withFaults } from "#shared/twin/sites/faults.ts";
import { writeOn } from "#shared/twin/write-on.ts";
import { bgpSite } from "../steps/bgp-sites.ts";
import { argoTracks } from "../steps/gitops.ts";
import { memoryTree } from "../steps/memory-tree.ts";
import { runOnTwin } from "../steps/run-on-twin.ts";

const manifest = `apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata:
  name: primary
  namespace: metallb
spec:
  ipAddressPools: [primary]
`;

/** A site whose MetalLB Argo CD manages from a branch that a person has to merge; the L2Advertisement came by it. */
async function committed() {
  const tree = memoryTree("g", "main", { "metallb/bgp.yaml": manifest });
  const repositories = [{ name: "g", path: "/x", base: "main", branch: "arpeggio" }];
  const trees = new Map([["g", tree]]);
  const at = runOnTwin(
    withFaults(bgpSite("0.16.1"), argoTracks("bgpadvertisements", "primary", { selfHeal: true })),
    bgpToL2,
    {},
    {
      config: (config) => ({
        ...config,
        site: { ...config.site, routerIp: "10.4.0.1", routerPrefix: 20 },
        migration: { ...defaultMigration, repositories },
      }),
      around: (ports) => ({ ...ports, trees }),
    },
  );
  const ports = { read: at.ports.read, write: writeOn(at.store), shell: at.ports.shell, trees };
  const runner = at.runner as { deeds: typeof at.runner.deeds };
  runner.deeds = (origin) => ({ perform: performOn(ports, origin), look: lookOn(ports, origin) });
  await at.start();
  await at.approve();
  await at.go();
  const step = (await at.state()).steps.find(({ id }) => id === "create-l2advertisement");
  const [diff] = step?.planned?.plan.diffs ?? [];
  const after = diff?.after as unknown as Parameters<typeof at.store.create>[1];
  const { name, namespace } = after.metadata;
  const sync = () =>
    at.store.create("l2advertisements", {
      metadata: { name, ...(namespace !== undefined && { namespace }) },
      spec: after.spec,
    });
  const unsync = () => at.store.remove("l2advertisements", namespace, name);
  const l2 = () => at.store.list("l2advertisements").items.map(({ metadata }) => metadata.name);
  const head = async () => {
    const reply = runReply(await at.state(), {
      now: at.clock.now(),
      approvers: [],
      ref: (one) => ({ name: one }),
    });
    return `${reply.verdict.word} ${plain(reply.verdict.text)} ${plain(reply.why ?? [])}`;
  };
  return { ...at, sync, unsync, l2, head, name: `L2Advertisement ${namespace}/${name}` };
}

describe("a way back by a commit", () => {
  it("is not over before the cluster is as it was, and says what it waits for", async () => {
    const at = await committed();
    at.sync();
    await at.clock.advance(60_000);
    await at.go();
    await comeBack(at.runner, "R-7", "olive", undefined);
    const { state, stopped } = await at.go();
    expect(at.l2()).toHaveLength(1);
    expect(state.ended).toBeUndefined();
    expect([stopped, state.halted]).toEqual(["time", undefined]);
    expect(await at.head()).toContain("WAITS bgp-to-l2 · on the way back, step 5");
    expect(await at.head()).toContain(`not yet as before in the cluster: ${at.name}. Merge arpeggio into`);
    await at.clock.advance(60_000);
    expect((await at.go()).state.ended).toBeUndefined();
    at.unsync();
    await at.clock.advance(60_000);
    expect((await at.go()).state.ended?.how).toBe("went-back");
  });

  it("that never reached the cluster is over at once", async () => {
    const at = await committed();
    await comeBack(at.runner, "R-7", "olive", undefined);
    expect((await at.go()).state.ended?.how).toBe("went-back");
    expect(at.l2()).toEqual([]);
  });
});
