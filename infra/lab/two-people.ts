import { actions } from "#bot/actions/all.ts";
import { createApp } from "#bot/app.ts";
import type { App } from "#bot/asking.ts";
import { commands } from "#bot/commands/all.ts";
import type { ClusterPorts, Deps } from "#bot/commands/command.ts";
import type { Board } from "#shared/board/board.ts";
import type { Clock } from "#shared/clock.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Person, RoleRule } from "#shared/policy/identity.ts";
import { heldRoles, holders } from "#shared/policy/roles.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { runInMemory } from "./in-memory.ts";

/** Both may ask and both may approve, so that each could approve their own: what keeps them from it is the product. */
export const twoPeople: readonly Person[] = [
  { name: "operator", slack: "U0OPERATOR", os: "operator" },
  { name: "approver", slack: "U0APPROVER", os: "approver" },
];

const names = twoPeople.map(({ name }) => name);
const rules: readonly RoleRule[] = (["operator", "approver"] as const).map((role) => ({
  role,
  people: names,
  groups: [],
  clusters: ["*"],
  channels: [],
}));

export type TwoPeople = Readonly<{ twin: Twin; app: App; deps: Deps; ledger: Ledger }>;

/** Another process of the product would be another one of these, on ports and a ledger of its own. */
export const appForTwo = (deps: Deps): App =>
  createApp({
    commands,
    actions,
    deps,
    roles: () => rules,
    people: twoPeople,
    groupsOf: async () => [],
    changesClosed: () => undefined,
    log: () => {},
  });

/**
 * Product and site in one process for two people, with standing messages on `boardOf(ledger)`. The site's config names
 * its router. `around` may replace a port, to break it.
 */
export function twoPeopleOn(
  spec: SiteSpec,
  clock: Clock,
  boardOf: (ledger: Ledger) => Board,
  around: (ports: ClusterPorts) => ClusterPorts = (ports) => ports,
): TwoPeople {
  const [routerIp, routerPrefix] = spec.router.nics[0]?.addresses[0]?.split("/") ?? [];
  const { twin, deps, ledger } = runInMemory(spec, clock, (ports) => {
    const { config } = ports;
    const site = {
      ...config.site,
      ...(routerIp === undefined ? {} : { routerIp, routerPrefix: Number(routerPrefix) }),
    };
    return around({ ...ports, config: { ...config, site } });
  });
  const all: Deps = {
    ...deps,
    board: boardOf(ledger),
    people: twoPeople,
    rolesOn: ({ person, groups, channel, door }, cluster) =>
      heldRoles({ person, groups, rules, cluster, channel, door }),
    holders: (role, cluster) => holders({ rules, cluster, people: twoPeople }, role),
  };
  return { twin, app: appForTwo(all), deps: all, ledger };
}
