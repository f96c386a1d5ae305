import { parseAllDocuments, stringify } from "yaml";
import { commitCluster, manifest } from "#infra/lab/cluster-in-git.ts";
import { setBgpMode } from "#infra/lab/set-bgp-mode.ts";
import type { WorkingTree } from "#shared/git/working-tree.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { committedApp, pausedApps } from "./stories.ts";

/** What people do past the product, each as often as anybody likes. */
export type Hands = Readonly<{
  /** Applies Helm values of MetalLB's chart with this `bgpType`. */
  setMode: (mode: "native" | "frr") => Promise<void>;
  /** Applies a file that a run handed over. */
  apply: (manifests: string) => Promise<void>;
  /** Brings into Git what the cluster has and Git has not: the pools, or names and filters; and for every Application. */
  commit: (what: "pools" | "names") => Promise<void>;
}>;

/** In a file of their own: whoever writes into a file that a run has written leaves it no way back. */
async function commitPools(tree: WorkingTree, store: ObjectStore): Promise<void> {
  const path = "pools.yaml";
  if ((await tree.read("main", path)) !== undefined) return;
  const text = store
    .list("ipaddresspools")
    .items.map((pool) => stringify(manifest(pool)))
    .join("---\n");
  await tree.commit("main", { subject: "the pools", body: "", trailer: "By: hand" }, [
    { path, text, replaces: null },
  ]);
}

export function handsOn(twin: Twin, tree: WorkingTree | undefined): Hands {
  const { store } = twin;
  return {
    setMode: async (mode) => setBgpMode(twin, mode),
    apply: async (manifests) => {
      for (const document of parseAllDocuments(manifests)) {
        const object = document.toJS() as KubeObject;
        const { namespace, name } = object.metadata;
        if (store.get("certificates", namespace, name) !== undefined) continue;
        const made = store.create("certificates", object);
        if (!made.ok) throw new Error(made.refusal.message);
      }
    },
    commit: async (what) => {
      if (tree !== undefined && what === "names")
        await commitCluster(tree, store, ["services", "deployments"]);
      if (tree !== undefined && what === "pools") await commitPools(tree, store);
      for (const [app, kinds] of Object.entries(pausedApps))
        if (twin.gitOps.contentOf(app) !== undefined)
          twin.gitOps.push(
            app,
            kinds.flatMap((kind) => store.list(kind).items.map((object) => ({ kind, object }))),
          );
    },
  };
}

/** The Application of the advertisements sees what its branch says now. */
export async function follow(twin: Twin, tree: WorkingTree): Promise<void> {
  if (twin.gitOps.contentOf(committedApp) === undefined) return;
  const objects: KubeObject[] = [];
  for (const path of await tree.list("main"))
    for (const document of parseAllDocuments((await tree.read("main", path)) ?? "")) {
      const object = document.toJS() as KubeObject | null;
      if (object !== null && /^(BGP|L2)Advertisement$/.test(String(object.kind))) objects.push(object);
    }
  twin.gitOps.push(
    committedApp,
    objects.map((object) => ({
      kind: object.kind === "BGPAdvertisement" ? ("bgpadvertisements" as const) : "l2advertisements",
      object,
    })),
  );
}
