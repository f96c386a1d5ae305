import { actions } from "#bot/actions/all.ts";
import { createApp } from "#bot/app.ts";
import type { Asking } from "#bot/asking.ts";
import { commands } from "#bot/commands/all.ts";
import type { ClusterPorts, Deps } from "#bot/commands/command.ts";
import { resumeRuns, tendOnce } from "#bot/runs/resume-runs.ts";
import type { Board } from "#shared/board/board.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import type { Person, RoleRule } from "#shared/policy/identity.ts";
import { heldRoles, holders } from "#shared/policy/roles.ts";
import type { Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { readRun } from "#shared/runs/run-log.ts";
import { defaultMigration, type MigrationConfig } from "#shared/site/site.ts";
import { plain } from "#shared/text.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { createVirtualClock, type VirtualClock } from "#shared/twin/virtual-clock.ts";
import { writeOn } from "#shared/twin/write-on.ts";
import { counting, toy, toyWorld } from "../../shared/runs/toy.ts";

export const began = Date.UTC(2026, 10, 23, 14);

const names = ["olive", "oscar", "vera", "viktor", "guest"] as const;
export type Name = (typeof names)[number];
const people: readonly Person[] = names.map((name) => ({
  name,
  slack: `U0${name.toUpperCase()}`,
  os: name,
}));
const rules: readonly RoleRule[] = [
  { role: "operator", people: ["olive", "oscar"], groups: [], clusters: ["toy"], channels: [] },
  { role: "approver", people: ["vera", "viktor", "oscar"], groups: [], clusters: ["toy"], channels: [] },
];

/** What stands on the board, and what was added to threads. */
export type TestBoard = Board &
  Readonly<{ standing: Map<string, Reply>; puts: Reply[]; notes: Map<string, Reply> }>;

function createTestBoard(): TestBoard {
  const standing = new Map<string, Reply>();
  const notes = new Map<string, Reply>();
  const puts: Reply[] = [];
  return {
    standing,
    notes,
    puts,
    put: async (key, reply) => {
      standing.set(key, reply);
      puts.push(reply);
    },
    note: async (key, id, reply) => {
      if (!notes.has(`${key}/${id}`)) notes.set(`${key}/${id}`, reply);
    },
    keyOf: async () => undefined,
  };
}

export type World = Readonly<{
  clock: VirtualClock;
  store: ObjectStore;
  ledger: Ledger;
  board: TestBoard | undefined;
}>;

export function newWorld(hasBoard = true): World {
  const clock = createVirtualClock(began, () => new Promise((resolve) => setImmediate(resolve)));
  return {
    clock,
    store: toyWorld(clock),
    ledger: createMemoryLedger({ now: clock.now }),
    board: hasBoard ? createTestBoard() : undefined,
  };
}

/** A process on a world: made anew after a crash, while world and ledger stay. `around` may break its ports. */
export function product(
  world: World,
  options: Readonly<{
    approvals?: Partial<MigrationConfig["approvals"]>;
    around?: (ports: ClusterPorts) => ClusterPorts;
    newId?: () => string;
  }> = {},
) {
  const { clock, store, ledger, board } = world;
  const config = {
    name: "toy",
    site: { lanPrefix: "10.4.0.0/20", staticRoutes: [], dhcpRanges: [], resolvers: [], lanNic: [] },
    vantages: [],
    nodes: [],
    migration: {
      ...defaultMigration,
      approvals: { ...defaultMigration.approvals, ...options.approvals },
    },
  };
  const ports: ClusterPorts = {
    config,
    read: readOn(store),
    write: writeOn(store),
    logs: () => Promise.reject(new Error("no logs")),
    shell: () => Promise.reject(new Error("no shell")),
    trees: new Map(),
  };
  const deps: Deps = {
    clusters: new Map([["toy", (options.around ?? ((same) => same))(ports)]]),
    clock,
    newId: options.newId ?? counting(`q-${Math.floor(clock.now() / 1_000)}-`),
    ledger,
    readFile: () => Promise.reject(new Error("no files")),
    readDirectory: async () => undefined,
    about: { version: "0", startedAt: clock.now(), warnings: () => [] },
    rolesOn: (caller, cluster) =>
      heldRoles({
        person: caller.person,
        groups: [],
        rules,
        cluster,
        channel: caller.channel,
        door: caller.door,
      }),
    ...(board !== undefined && { board }),
    people,
    holders: (role, cluster) => holders({ rules, cluster, people }, role),
    migrations: async () => [toy],
  };
  const logged: unknown[] = [];
  const app = createApp({
    commands,
    actions,
    deps,
    roles: () => rules,
    people,
    groupsOf: async () => [],
    changesClosed: () => undefined,
    log: (entry) => logged.push(entry),
  });
  const settle = async (asking: Asking): Promise<Reply> =>
    asking.kind === "answer" ? asking.reply : asking.job.run(() => {}, new AbortController().signal);
  const who = (name: Name) => ({
    person: people.find((one) => one.name === name),
    account: `U0${name.toUpperCase()}`,
    channel: "C1",
  });
  const askAsync = async (
    name: Name,
    words: string,
    door: "slack" | "console" | "cli" = "slack",
  ): Promise<Reply> => settle(await app.ask({ door, ...who(name), words }));
  const pressAsync = async (name: Name, action: string, value: string): Promise<Reply> =>
    settle(await app.press({ door: "slack", ...who(name), action, value }));
  const resumeOptions = {
    signal: new AbortController().signal,
    log: (entry: unknown) => void logged.push(entry),
  };
  const message = (run = "R-1"): Reply => {
    const found = board?.standing.get(`run/${run}`);
    if (found === undefined) throw new Error(`no message of ${run}`);
    return found;
  };
  return {
    app,
    deps,
    logged,
    askAsync,
    pressAsync,
    ask: (...said: Parameters<typeof askAsync>) => clock.runUntil(askAsync(...said)),
    press: (...said: Parameters<typeof pressAsync>) => clock.runUntil(pressAsync(...said)),
    resume: () => clock.runUntil(resumeRuns(deps, resumeOptions)),
    tend: () => clock.runUntil(tendOnce(deps, resumeOptions)),
    message,
    /** The value of a button of the run's message. */
    button: (id: string): string => {
      const found = message().actions.find((one) => one.id === id);
      if (found === undefined)
        throw new Error(
          `no button ${id}: ${message()
            .actions.map((one) => one.id)
            .join(", ")}`,
        );
      return found.value;
    },
    state: () => readRun(ledger, "R-1"),
  };
}

export type Product = ReturnType<typeof product>;

export const head = (reply: Reply): string => `${reply.verdict.word}: ${plain(reply.verdict.text)}`;
export const drawn = (reply: Reply, columns = 80): string =>
  renderTerminal(reply, { columns, colour: false });
