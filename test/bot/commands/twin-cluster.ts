import type { ClusterPorts, Context, Deps } from "#bot/commands/command.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { Reply } from "#shared/reply.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { logsOn } from "#shared/twin/logs-on.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { shellOn } from "#shared/twin/shell-on.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { createTwin } from "#shared/twin/twin.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { writeOn } from "#shared/twin/write-on.ts";

/** A site of the model behind the ports that handlers use, and a way to run one on virtual time. */
export function twinCluster(
  spec: SiteSpec,
  options: Readonly<{ unusedAddress?: boolean; denied?: readonly ResourceKind[] }> = {},
) {
  const clock = createVirtualClock(Date.UTC(2026, 10, 23, 14));
  const store = createObjectStore({ now: clock.now, newUid: ids() });
  const twin: Twin = createTwin({ spec, clock, store, newId: ids() });
  const cluster: ClusterPorts = {
    config: {
      name: spec.name,
      site: {
        lanPrefix: spec.lanPrefix,
        staticRoutes: [],
        dhcpRanges: [],
        resolvers: [],
        lanNic: [],
        ...(options.unusedAddress === false ? {} : { unusedAddress: spec.unusedAddress }),
      },
      vantages: spec.vantages.map(({ name, place, clusterNode }) => ({
        name,
        place,
        ...(clusterNode === undefined ? {} : { clusterNode }),
        access: {
          host: name,
          port: 22,
          user: "arpeggio",
          identityFile: "key",
          knownHostsFile: "hosts",
          sudo: false,
        },
      })),
      nodes: [],
    },
    read: readOn(store, options.denied),
    shell: shellOn(twin),
    write: writeOn(store),
    logs: logsOn(twin),
    trees: new Map(),
  };
  const shown: Reply[] = [];
  const context = <Input>(input: Input, signal = new AbortController().signal): Context<Input> => ({
    input,
    deps: { clock, clusters: new Map([[spec.name, cluster]]) } as unknown as Deps,
    cluster,
    caller: { door: "cli", account: "operator", groups: [], person: undefined, roles: ["viewer"] },
    show: (reply) => shown.push(reply),
    signal,
  });
  return { clock, store, twin, cluster, shown, context };
}

function ids(): () => string {
  let next = 0;
  return () => String(++next).padStart(8, "0");
}
