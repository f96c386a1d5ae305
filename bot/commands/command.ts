import type { z } from "zod";
import type { Board } from "#shared/board/board.ts";
import type { Clock } from "#shared/clock.ts";
import type { AskServer } from "#shared/dns/answer.ts";
import type { RunProgram } from "#shared/dns/external-dns-program.ts";
import type { SnapshotStore } from "#shared/dns/snapshot.ts";
import type { ReadZones } from "#shared/dns/zones.ts";
import type { Finding } from "#shared/finding.ts";
import type { WorkingTree } from "#shared/git/working-tree.ts";
import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import type { Json } from "#shared/json.ts";
import type { ReadLogs } from "#shared/kubernetes/logs.ts";
import type { ReadCluster } from "#shared/kubernetes/read.ts";
import type { WriteCluster } from "#shared/kubernetes/write.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { DrawPng } from "#shared/pictures/picture.ts";
import type { Person, Role } from "#shared/policy/identity.ts";
import type { Shell } from "#shared/probes/shell.ts";
import type { Reply } from "#shared/reply.ts";
import type { RunTimes } from "#shared/runs/runner.ts";
import type { ClusterConfig } from "#shared/site/site.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import type { PersonRef } from "#shared/text.ts";

export type Door = "slack" | "console" | "cli";

/** One cluster with the ports that reach it. */
export type ClusterPorts = Readonly<{
  config: ClusterConfig;
  read: ReadCluster;
  shell: Shell;
  /** Only deeds of a run write, and dry runs of its steps. */
  write: WriteCluster;
  logs: ReadLogs;
  /** The clones of `migration.repositories`, by name. */
  trees: ReadonlyMap<string, WorkingTree>;
  /** Absent where no zones are configured. */
  zones?: ReadZones;
  /** Asks name servers from the machine we run on; absent where nothing but vantages may (a model). */
  ask?: AskServer;
}>;

/** What a handler may use. Everything that touches the world is in here, so handlers run unchanged on the twin. */
export type Deps = Readonly<{
  clusters: ReadonlyMap<string, ClusterPorts>;
  clock: Clock;
  newId: () => string;
  /** Absent for one-shot CLI runs, which leave no trace. */
  ledger?: Ledger;
  /** Reads a file for offline commands (`-` is standard input). Throws FaultError. */
  readFile: (path: string) => Promise<string>;
  /** Names in a directory, for arguments that may name one; `undefined` when the path is not a directory. */
  readDirectory: (path: string) => Promise<readonly string[] | undefined>;
  /** State of the process itself, for `/arpeggio status`. */
  about: Readonly<{
    version: string;
    startedAt: number;
    config?: string;
    /** What was shouted at start and still holds: disabled rules, closed changes, missing scopes. */
    warnings: () => readonly Finding[];
  }>;
  /** The roles a caller holds on a cluster, by the config's rules. */
  rolesOn: (caller: Caller, cluster: string) => readonly Role[];
  /** Standing messages; absent where there is no channel to stand in (console, CLI). */
  board?: Board;
  /** Everybody whom a rule gives the role on a cluster, people before groups. */
  holders?: (role: Role, cluster: string) => readonly PersonRef[];
  /** Everybody of the config, for mentioning those whom the ledger names. */
  people?: readonly Person[];
  /** The runbooks that can be started; loaded when they are asked for. */
  migrations?: () => Promise<readonly Migration[]>;
  /** The runbooks of the on-call part, ours and the site's own; loaded when they are asked for. */
  incidentRunbooks?: () => Promise<readonly IncidentRunbook[]>;
  /** Has the one function that writes to zones carry a plan out; absent where none is configured. Throws FaultError. */
  applyPlan?: (planId: string) => Promise<Json>;
  /** Asks the function that scans zones for a scan out of turn; absent where the bot scans by itself. Throws FaultError. */
  askForScan?: () => Promise<void>;
  /** Where snapshots of what clusters want are left for it. */
  snapshots?: SnapshotStore;
  /** Makes pictures; absent where words have to do. */
  drawPng?: DrawPng;
  /** Runs a program of this machine for a forecast; in a terminal only. */
  runProgram?: RunProgram;
  /** Where what went wrong and concerns nobody's question is written down. */
  log?: (entry: Readonly<Record<string, unknown>>) => void;
  /** How long deeds may take, where not the usual. */
  runTimes?: Partial<Omit<RunTimes, "approvalMs">>;
}>;

export type Caller = Readonly<{
  account: string;
  door: Door;
  person: Person | undefined;
  /** Slack user groups the person is in; undefined when Slack could not be asked. */
  groups: readonly string[] | undefined;
  channel?: string;
  roles: readonly Role[];
  /** The thing in whose thread, or by whose button, it was asked, as the board calls it: `incident/I-7`. */
  about?: string;
  /** The message that was pointed at while asking. */
  quoting?: Quoting;
}>;

/** A message of somebody's that is taken over word by word. */
export type Quoting = Readonly<{
  channel: string;
  ts: string;
  /** Who wrote it, as the config or the door calls them. */
  author: string;
  /** Milliseconds since the epoch. */
  at: number;
  text: string;
}>;

/** Every handler's surroundings. `show` is latest-wins and never awaited. */
export type Context<Input> = Readonly<{
  input: Input;
  deps: Deps;
  /** The cluster the command is about; present when the verb says `cluster: "one"`. */
  cluster: ClusterPorts | undefined;
  caller: Caller;
  show: (reply: Reply) => void;
  signal: AbortSignal;
  /** `J-17`, as answers and the ledger call this very command; absent where nothing is written down. */
  id?: string;
}>;

export type Option = Readonly<{
  name: string;
  value?: string;
  about: string;
  /** Takes several values, with commas or by being given several times; the input is one string with commas. */
  list?: true;
}>;

export type Verb<Schema extends z.ZodType = z.ZodType> = Readonly<{
  /** The words after the command's name; empty for the command's main verb (`/arping SERVICE`). */
  path: readonly string[];
  /** `usage` as people read it, `"SERVICE|IP|all [--from VANTAGE] [--count N]"`. */
  usage: string;
  /** Further ways to ask it that work in a shell only, such as on files alone. */
  shellUsages?: readonly string[];
  summary: string;
  /** Tails that follow path, such as `httpbin --from ops-host`. The first is the example in help. */
  examples: readonly string[];
  /** Names of positionals, in order; a last one that ends in `...` takes the rest as an array under the bare name. */
  positionals: readonly string[];
  options: readonly Option[];
  /** The last positional is somebody's prose: what looks like an option and is none belongs to it. */
  takesProse?: true;
  /** Positionals and options under their names (camelCase), strings, `true` for flags, string arrays for the rest. */
  input: Schema;
  role: Role;
  effect: "none" | "read" | "probe" | "change";
  /** What it takes instead where the input asks for more than the usual (`--apply`), or for less (files alone). */
  takes?: (
    input: z.output<Schema>,
  ) =>
    | Readonly<{ role?: Role; effect?: Verb["effect"]; cluster?: Verb["cluster"]; slow?: boolean }>
    | undefined;
  /** Usually takes longer than two seconds: the door says "started" at once instead of waiting for the answer. */
  slow: boolean;
  cluster: "one" | "none";
  doors: readonly Door[];
  handle: (context: Context<z.output<Schema>>) => Promise<Reply>;
}>;

export type Command = Readonly<{
  /** Without the slash: `arping`. */
  name: string;
  summary: string;
  verbs: readonly Verb[];
}>;

/** Keeps the input type of each verb while lists hold them without it. */
export const defineVerb = <Schema extends z.ZodType>(verb: Verb<Schema>): Verb => verb as unknown as Verb;
