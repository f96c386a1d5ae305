import { expect, it } from "vitest";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import { comeBack } from "#shared/runs/people.ts";
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

const manifest =
  "apiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata:\n  name: primary\n  namespace: metallb\nspec:\n  ipAddressPools: [primary]\n";

it("a commit that takes a step back has worked when the cluster is as before, not when the branch is", async () => {
  const tree = memoryTree("cluster", "main", { "bgp.yaml": manifest });
  const trees = new Map([["cluster", tree]]);
  const repositories = [{ name: "cluster", path: "/srv/cluster", base: "main", branch: "arpeggio" }];
  const spec = withFaults(bgpSite("0.16.1"), argoTracks("bgpadvertisements", "primary", { selfHeal: true }));
  const at = runOnTwin(
    spec,
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
  const deeds = (origin: Parameters<typeof performOn>[1]) => ({
    perform: performOn(ports, origin),
    look: lookOn(ports, origin),
  });
  Object.assign(at.runner, { deeds });
  const created = async () => (await at.state()).steps.find(({ id }) => id === "create-l2advertisement");

  await at.start();
  await at.approve();
  await at.go();
  const { after } = (await created())?.planned?.plan.diffs[0] as { after: unknown };
  at.store.create("l2advertisements", after as KubeObject);
  await at.clock.advance(60_000);
  await at.go();

  expect((await comeBack(at.runner, "R-7", "olive", undefined)).ok).toBe(true);
  const waiting = await at.go();
  expect(Object.keys(tree.files("arpeggio"))).toEqual(["bgp.yaml"]);
  expect([waiting.stopped, waiting.state.ended]).toEqual(["time", undefined]);
  expect(plain((await created())?.waiting?.text ?? [])).toMatch(
    /not yet as before in the cluster: L2Advertisement metallb\/primary\. Merge arpeggio/,
  );

  at.store.remove("l2advertisements", "metallb", "primary");
  await at.clock.advance(60_000);
  expect(await at.go()).toMatchObject({ stopped: "ended", state: { ended: { how: "went-back" } } });
});
