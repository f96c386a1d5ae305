import { clusterInGit } from "#infra/lab/cluster-in-git.ts";
import { goldentoothMove, move } from "#infra/lab/goldentooth-move.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { defaultMigration, type MigrationConfig } from "#shared/site/site.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { wifiOn, withFaults } from "#shared/twin/sites/faults.ts";
import { managedByArgo } from "#shared/twin/sites/git-ops-faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { bgpPlan, bgpSite } from "../../../shared/steps/bgp-sites.ts";
import type { Death, Goal } from "./world.ts";

/** A run from its first word to its last, with everything that people have to do for it. */
export type Story = Readonly<{
  runbook: string;
  goal: Goal;
  ends: "finished" | "went-back";
  /** What the operator types first. */
  start: string;
  site: () => SiteSpec;
  /** The step at which people go back as soon as it waits for them; left out: never. */
  backAt?: string;
  /** Where its first process dies in any case; at the next start people go back before anything goes on by itself. */
  first?: Death;
  /** Deaths that one run may have without being late; left out: any number. */
  deathsAtOnce?: number;
  /** Manifests of the site in a clone, where GitOps reads from one; by path. */
  inGit?: (site: SiteSpec) => Readonly<Record<string, string>>;
}>;

export type StoryName =
  | "bgp-to-l2"
  | "bgp-to-l2 and back"
  | "goldentooth"
  | "goldentooth and back"
  | "drill"
  | "drill and back"
  | "fix-node"
  | "fix-node and back";

/** The clone that runs commit to. The Application of the advertisements follows the same branch. */
export const repository = { name: "cluster", branch: "main", base: "main" } as const;

/** Requests and acts outlast many deaths, and nobody sits here for a day. */
export const patience: Partial<MigrationConfig> = {
  quietSeconds: 60,
  approvals: { ...defaultMigration.approvals, openSeconds: 86_400, local: true },
};

/** Application of the advertisements, whose manifests are in the clone: what a run changes of them goes by commit. */
export const committedApp = "metallb-config";
/** Applications of what is in no clone that the config knows: these are paused, and resumed in the end. */
export const pausedApps: Readonly<Record<string, readonly ResourceKind[]>> = {
  bgp: ["bgppeers", "bfdprofiles"],
  dns: ["deployments"],
};

const unpruned = { selfHeal: true, prune: false };

/** The whole evening of a small site under Argo CD: some of it by commit, some of it paused, the rest written. */
const evening = (): SiteSpec =>
  withFaults(
    goldentoothMove(undefined, bgpPlan),
    managedByArgo({ kinds: ["bgpadvertisements"], name: committedApp }),
    ...Object.entries(pausedApps).map(([name, kinds]) => managedByArgo({ kinds, name, automated: unpruned })),
  );

const bgpOnly = { runbook: "bgp-to-l2", start: "migrate start bgp-to-l2", site: () => bgpSite("0.16.1") };
const whole = {
  runbook: "goldentooth",
  start: `migrate start goldentooth --with from=${move.from},to=${move.to}`,
  site: evening,
  inGit: (site: SiteSpec) => {
    const { "metallb.yaml": all = "" } = clusterInGit(site).files("main");
    const own = all.split(/^---\n/m).filter((document) => /^kind: BGPAdvertisement$/m.test(document));
    return { "metallb.yaml": own.join("---\n") };
  },
};
const handOver = {
  runbook: "drill",
  start: "migrate start drill --with service=httpbin",
  site: healthy,
};
const node = {
  deathsAtOnce: 40,
  runbook: "fix-node",
  start: "migrate start fix-node --with node=dalt,check=wired-and-wifi,revert=3600,settle=20",
  site: () => withFaults(healthy(), wifiOn("dalt", "10.4.1.30/20")),
};
const there = { goal: "to the end", ends: "finished" } as const;
const back = { goal: "and back", ends: "went-back" } as const;

export const stories: Readonly<Record<StoryName, Story>> = {
  "bgp-to-l2": { ...bgpOnly, ...there },
  "bgp-to-l2 and back": { ...bgpOnly, ...back, backAt: "frr-off" },
  goldentooth: { ...whole, ...there },
  "goldentooth and back": { ...whole, ...back, backAt: "persist-dns" },
  drill: { ...handOver, ...there },
  "drill and back": {
    ...handOver,
    ...back,
    backAt: "drill-include",
    first: { at: "drill-exclude: ledger.append run verified", nth: 1, when: "after" },
  },
  "fix-node": { ...node, ...there },
  "fix-node and back": {
    ...node,
    ...back,
    backAt: "fix-node-confirm",
    first: { at: "fix-node-change: ledger.append run verified", nth: 1, when: "after" },
  },
};

/** Kinds that runs write, or whose paused sync they touch. */
export const writtenKinds: readonly ResourceKind[] = [
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "bfdprofiles",
  "communities",
  "services",
  "deployments",
  "nodes",
  "applications",
];
