import { actions } from "#bot/actions/all.ts";
import { createApp } from "#bot/app.ts";
import type { App } from "#bot/asking.ts";
import { commands } from "#bot/commands/all.ts";
import type { ClusterPorts, Deps } from "#bot/commands/command.ts";
import type { Clock } from "#shared/clock.ts";
import { incidentRunbooks } from "#shared/incidents/runbooks/all.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import type { Person, RoleRule } from "#shared/policy/identity.ts";
import { heldRoles, holders } from "#shared/policy/roles.ts";
import { migrations } from "#shared/runbooks/all.ts";
import type { ClusterConfig } from "#shared/site/site.ts";
import { askOn } from "#shared/twin/ask-on.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { logsOn } from "#shared/twin/logs-on.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { shellOn } from "#shared/twin/shell-on.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { createTwin, type Twin } from "#shared/twin/twin.ts";
import { writeOn } from "#shared/twin/write-on.ts";
import { dnsConfigOf, siteResolversOf } from "./dns/config.ts";

const people: readonly Person[] = [
  { name: "operator", slack: "U0OPERATOR", os: "operator" },
  { name: "approver", slack: "U0APPROVER", os: "approver" },
];

const roles: readonly RoleRule[] = [
  { role: "operator", people: ["operator"], groups: [], clusters: ["*"], channels: [] },
  { role: "approver", people: ["approver"], groups: [], clusters: ["*"], channels: [] },
];

/** A counter in place of random ids, so that what is generated comes out the same every time. */
const counting = (prefix: string): (() => string) => {
  let count = 0;
  return () => `${prefix}${String(++count).padStart(4, "0")}`;
};

export type InMemory = Readonly<{
  twin: Twin;
  app: App;
  deps: Deps;
  people: readonly Person[];
  ledger: Ledger;
}>;

const dnsOf = (spec: SiteSpec): Pick<ClusterConfig, "dns"> => {
  const dns = dnsConfigOf(spec);
  return dns === undefined ? {} : { dns };
};

/** What the owner of the site would write of the router. */
function routerOf({ router }: SiteSpec): Readonly<{ routerIp?: string; routerPrefix?: number }> {
  const routerIp = router.nics[0]?.addresses[0]?.split("/")[0];
  const length = router.lanPrefix.split("/")[1];
  return {
    ...(routerIp === undefined ? {} : { routerIp }),
    ...(length === undefined ? {} : { routerPrefix: Number(length) }),
  };
}

/** The config that matches a site of the twin. */
export const clusterConfigOf = (spec: SiteSpec): ClusterConfig => ({
  name: "goldentooth",
  site: {
    lanPrefix: spec.lanPrefix,
    ...routerOf(spec),
    staticRoutes: [],
    dhcpRanges: [],
    resolvers: siteResolversOf(spec),
    lanNic: [],
    unusedAddress: spec.unusedAddress,
  },
  vantages: spec.vantages.map((vantage) => ({
    name: vantage.name,
    place: vantage.place,
    access: "local",
    ...(vantage.clusterNode === undefined ? {} : { clusterNode: vantage.clusterNode }),
  })),
  nodes: [],
  ...dnsOf(spec),
});

/**
 * Product and site in one process without a socket: the twin's own ports in place of adapters, on any clock. `around`
 * may replace a port, to let a test break it.
 */
export function runInMemory(
  spec: SiteSpec,
  clock: Clock,
  around: (ports: ClusterPorts) => ClusterPorts = (ports) => ports,
  /** What the config names, by path. */
  files: Readonly<Record<string, string>> = {},
): InMemory {
  const uid = counting("00000000-0000-4000-8000-00000000");
  const store = createObjectStore({ now: clock.now, newUid: uid, admit: admitMetalLb });
  const twin = createTwin({ spec, clock, store, newId: uid });
  const ledger = createMemoryLedger({ now: clock.now });
  const ports = around({
    config: clusterConfigOf(spec),
    read: readOn(store),
    write: writeOn(store),
    logs: logsOn(twin),
    shell: shellOn(twin),
    trees: new Map(),
    zones: twin.zones.read,
    ask: askOn(twin),
  });
  const deps: Deps = {
    clusters: new Map([[ports.config.name, ports]]),
    clock,
    newId: counting("q-"),
    ledger,
    readFile: (path) => {
      const text = files[path];
      return text === undefined ? Promise.reject(new Error(`no file ${path} here`)) : Promise.resolve(text);
    },
    readDirectory: () => Promise.resolve(undefined),
    about: { version: "0.0.0", startedAt: clock.now(), warnings: () => [] },
    rolesOn: (caller, cluster) =>
      heldRoles({
        person: caller.person,
        groups: caller.groups,
        rules: roles,
        cluster,
        channel: caller.channel,
        door: caller.door,
      }),
    people,
    holders: (role, cluster) => holders({ rules: roles, cluster, people }, role),
    migrations: async () => migrations,
    incidentRunbooks: async () => incidentRunbooks,
  };
  const app = createApp({
    commands,
    actions,
    deps,
    roles: () => roles,
    people,
    groupsOf: async () => [],
    changesClosed: () => undefined,
    log: () => {},
  });
  return { twin, app, deps, people, ledger };
}
