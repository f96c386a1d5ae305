import type { Ledger } from "#shared/ledger/ledger.ts";
import { defaultTimes, type Runner, type Tell } from "#shared/runs/runner.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { lookOn } from "#shared/steps/look.ts";
import { performOn } from "#shared/steps/perform.ts";
import type { StepPorts } from "#shared/steps/step.ts";
import type { ClusterPorts, Deps } from "../commands/command.ts";

/** What steps look through on a cluster. */
export const stepPorts = (deps: Deps, cluster: ClusterPorts): StepPorts => ({
  config: cluster.config,
  read: cluster.read,
  shell: cluster.shell,
  logs: cluster.logs,
  clock: deps.clock,
  dryRun: (write, options) => cluster.write(write, { ...options, dryRun: true }),
  zones: cluster.zones,
  trees: cluster.trees,
  newNonce: () => [deps.newId(), deps.newId(), deps.newId(), deps.newId()].join("-"),
  readFile: deps.readFile,
});

/** Everything runs of a cluster are driven with. */
export const runnerOf = async (
  deps: Deps,
  ledger: Ledger,
  cluster: ClusterPorts,
  tell: Tell,
): Promise<Runner> => ({
  ledger,
  clock: deps.clock,
  newToken: () => `${deps.newId()}-${deps.newId()}`,
  migrations: (await deps.migrations?.()) ?? [],
  ports: stepPorts(deps, cluster),
  deeds: (origin) => ({ perform: performOn(cluster, origin), look: lookOn(cluster, origin) }),
  tell,
  times: {
    ...defaultTimes,
    ...deps.runTimes,
    approvalMs: (cluster.config.migration ?? defaultMigration).approvals.openSeconds * 1_000,
  },
});
