import { actions } from "#bot/actions/all.ts";
import { createApp } from "#bot/app.ts";
import type { Asked, Asking } from "#bot/asking.ts";
import { commands } from "#bot/commands/all.ts";
import type { Deps, Door } from "#bot/commands/command.ts";
import { FaultError } from "#shared/fault.ts";
import type { Conclusion, Diagnosis } from "#shared/incidents/diagnosis.ts";
import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import type { Person, RoleRule } from "#shared/policy/identity.ts";
import { heldRoles, holders } from "#shared/policy/roles.ts";
import type { Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { plain, text } from "#shared/text.ts";
import { createVirtualClock, type VirtualClock } from "#shared/twin/virtual-clock.ts";

export const began = Date.UTC(2026, 10, 23, 14);

const names = ["olive", "oscar", "vera"] as const;
export type Name = (typeof names)[number] | "stranger";
export const people: readonly Person[] = names.map((name) => ({
  name,
  slack: `U0${name.toUpperCase()}`,
  os: name,
}));
/** Vera may look; the others may do. */
const rules: readonly RoleRule[] = [
  { role: "operator", people: ["olive", "oscar"], groups: [], clusters: ["toy"], channels: [] },
];

export const broken = (code = "no-ready-endpoint"): Conclusion => ({
  kind: "cause",
  cause: {
    code,
    text: text`no endpoint of httpbin is ready, so nothing answers behind ${{ code: "10.4.11.1" }}`,
    link: "endpoints",
    next: [text`Look at its pods`, text`Then ${{ code: "/migrate plan bgp-to-l2" }}`],
  },
  also: [],
});
export const healthy: Conclusion = { kind: "healthy", text: ["httpbin answers from ops-host in 12 ms"] };

export type World = {
  readonly clock: VirtualClock;
  readonly ledger: Ledger;
  /** What a look comes to: a conclusion, a fault, or a bug. */
  truth: () => Conclusion;
  /** How often somebody looked. */
  looks: number;
  /** How long a look takes, milliseconds. */
  takesMs: number;
  ids: number;
};

export function newWorld(): World {
  const clock = createVirtualClock(began, () => new Promise((resolve) => setImmediate(resolve)));
  return {
    clock,
    ledger: createMemoryLedger({ now: clock.now }),
    truth: () => broken(),
    looks: 0,
    takesMs: 3_000,
    ids: 0,
  };
}

export const diagnosisOf = (conclusion: Conclusion, startedAt: number, endedAt: number): Diagnosis => ({
  runbook: "toy-unreachable",
  subject: { kind: "service", name: "httpbin/httpbin" },
  title: "httpbin · 10.4.11.1",
  links: [
    {
      id: "name",
      title: "The name resolves",
      because: text`one A record`,
      from: "Route 53",
      outcome: "passed",
      findings: [],
    },
    conclusion.kind === "healthy"
      ? {
          id: "endpoints",
          title: "Endpoints are ready",
          because: text`2 of 2`,
          outcome: "passed",
          findings: [],
        }
      : {
          id: "endpoints",
          title: "Endpoints are ready",
          because: text`0 of 2 are ready`,
          from: "Kubernetes API",
          outcome: "failed",
          findings: [
            {
              code: "no-ready-endpoint",
              severity: "error",
              subject: { kind: "service", name: "httpbin/httpbin" },
              facts: { ready: 0 },
              text: text`0 of 2 endpoints are ready`,
            },
          ],
          evidence: { title: "endpoint slice", lines: ["httpbin-abc  10.244.1.7  not ready"] },
        },
  ],
  conclusion,
  findings: [],
  seen: [
    {
      vantage: "ops-host",
      place: "lan-wired",
      clusterNode: false,
      text: text`connection refused on port 80`,
    },
  ],
  changes: [],
  startedAt,
  endedAt,
  facts: { address: "10.4.11.1" },
});

/** `toy-unreachable SERVICE`: looks, asks somebody to do something, looks again. */
export const toyRunbook = (world: World): IncidentRunbook => ({
  id: "toy-unreachable",
  title: "A service does not answer",
  summary: text`Where the path to a service is broken.`,
  argument: { usage: "SERVICE", kinds: ["service"], example: "httpbin" },
  codes: ["no-ready-endpoint"],
  diagnose: async ({ clock }, word, { show, signal }) => {
    const startedAt = clock.now();
    world.looks += 1;
    show(text`asking 3 servers`);
    await clock.sleep(world.takesMs, world.takesMs > 60_000 ? undefined : signal);
    if (word === "htpbin")
      return { noSuch: text`no service ${{ code: word }} on toy`, next: [text`Nearest: httpbin`] };
    return diagnosisOf(world.truth(), startedAt, clock.now());
  },
  steps: [
    { id: "diagnose", title: "Find the first broken link", kind: "diagnose" },
    {
      id: "cure",
      title: "Cure it",
      kind: "manual",
      instruction: text`Do what the diagnosis says`,
      timeoutSeconds: 600,
    },
    { id: "again", title: "See that it is cured", kind: "diagnose" },
  ],
});

/** A site's own without a diagnosis: for people alone. */
export const byHand: IncidentRunbook = {
  id: "power-loss",
  title: "The rack lost power",
  summary: text`What to switch on first.`,
  codes: [],
  steps: [
    { id: "ups", title: "Look at the UPS", kind: "manual", instruction: text`Go to the rack` },
    { id: "start", title: "Start the nodes", kind: "manual", instruction: text`Top to bottom` },
  ],
  source: "runbooks.yaml:1",
};

export const fault = (detail = "no answer in 5 s"): never => {
  throw new FaultError({ kind: "timed-out", what: "Kubernetes API", detail });
};

export type Told = Readonly<{
  standing: Map<string, Reply>;
  puts: (readonly [string, Reply])[];
  notes: Map<string, Reply>;
  files: Map<string, readonly Readonly<{ name: string; text: string | Uint8Array }>[]>;
}>;

/** What stands on the board; a note of an id that is there is not added again. */
export function createTold() {
  const told: Told = { standing: new Map(), puts: [], notes: new Map(), files: new Map() };
  const board: NonNullable<Deps["board"]> = {
    put: async (key, reply) => {
      told.standing.set(key, reply);
      told.puts.push([key, reply]);
    },
    note: async (key, id, reply, files = []) => {
      const name = `${key} ${id}`;
      if (told.notes.has(name)) return;
      told.notes.set(name, reply);
      told.files.set(name, files);
    },
    keyOf: async () => undefined,
  };
  return { told, board };
}

/** A process on a world: made anew after a crash, while world and ledger stay. */
export function product(
  world: World,
  options: Readonly<{
    ledger?: Ledger;
    hasBoard?: boolean;
    board?: NonNullable<Deps["board"]>;
    runbooks?: readonly IncidentRunbook[];
    around?: (deps: Deps) => Deps;
  }> = {},
) {
  const { clock } = world;
  const { told, board } = createTold();
  const ledger = options.ledger ?? world.ledger;
  const made: Deps = {
    clusters: new Map([
      [
        "toy",
        {
          config: {
            name: "toy",
            site: { lanPrefix: "10.4.0.0/20", staticRoutes: [], dhcpRanges: [], resolvers: [], lanNic: [] },
            vantages: [],
            nodes: [],
          },
          read: async () => fault("the API is away") as never,
          write: async () => fault() as never,
          logs: async () => fault() as never,
          shell: async () => fault() as never,
          trees: new Map(),
        },
      ],
    ]),
    clock,
    newId: () => `q-${++world.ids}`,
    ledger,
    readFile: async () => fault() as never,
    readDirectory: async () => undefined,
    about: { version: "0", startedAt: clock.now(), warnings: () => [] },
    rolesOn: ({ person, channel, door }, cluster) =>
      heldRoles({ person, groups: [], rules, cluster, channel, door }),
    ...((options.hasBoard ?? true) && { board: options.board ?? board }),
    people,
    holders: (role, cluster) => holders({ rules, cluster, people }, role),
    migrations: async () => [],
    incidentRunbooks: async () => options.runbooks ?? [toyRunbook(world), byHand],
  };
  const deps = options.around?.(made) ?? made;
  const logged: unknown[] = [];
  const log = (entry: unknown): void => void logged.push(entry);
  const app = createApp({
    commands,
    actions,
    deps,
    roles: () => rules,
    people,
    groupsOf: async () => [],
    changesClosed: () => undefined,
    log,
  });
  const who = (name: Name) => ({
    person: people.find((one) => one.name === name),
    account: name === "stranger" ? "U0STRANGER" : `U0${name.toUpperCase()}`,
    channel: "C1",
  });
  const settle = async (asking: Asking): Promise<Reply> =>
    asking.kind === "answer" ? asking.reply : asking.job.run(() => {}, new AbortController().signal);
  const start = async (
    name: Name,
    words: string,
    more: Partial<Asked> & Readonly<{ door?: Door }> = {},
  ): Promise<Reply> => settle(await app.ask({ door: "slack", ...who(name), words, ...more }));
  return {
    app,
    deps,
    told,
    logged,
    log,
    start,
    /** Asks, and lets time pass until there is an answer. */
    ask: (name: Name, words: string, more: Partial<Asked> = {}): Promise<Reply> =>
      clock.runUntil(start(name, words, more)),
    press: (name: Name, action: string, value: string): Promise<Reply> =>
      clock.runUntil((async () => settle(await app.press({ door: "slack", ...who(name), action, value })))()),
    message: (id = "I-1"): Reply => {
      const found = told.standing.get(`incident/${id}`);
      if (found === undefined) throw new Error(`no message of ${id}`);
      return found;
    },
    notes: (id = "I-1"): readonly string[] =>
      [...told.notes.keys()]
        .filter((key) => key.startsWith(`incident/${id} `))
        .map((key) => key.slice(`incident/${id} `.length)),
  };
}

export const shown = (reply: Reply): string => renderTerminal(reply, { columns: 200, colour: false });
export const verdictOf = ({ verdict }: Reply): string => `${verdict.word} ${plain(verdict.text)}`;
