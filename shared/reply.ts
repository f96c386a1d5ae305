import type { Finding } from "./finding.ts";
import { isFailure } from "./finding.ts";
import type { Json } from "./json.ts";
import type { Text } from "./text.ts";

/**
 * How a message starts. `word` is the first word people see (`OK`, `CONFLICT`, `UNKNOWN`, `Not allowed`), `outcome`
 * is what machines and exit codes go by. `running` marks an interim reply of a command that is still at work.
 */
export type Outcome =
  | "ok"
  | "info"
  | "failed"
  | "unknown"
  | "running"
  | "usage"
  | "denied"
  | "busy"
  | "fault";

export type Verdict = Readonly<{ word: string; outcome: Outcome; text: Text }>;

export type Column = Readonly<{ title: string; align?: "left" | "right" }>;

export type StepState = "done" | "running" | "waiting" | "pending" | "failed" | "skipped" | "unknown";

export type Block =
  | Readonly<{ kind: "prose"; text: Text }>
  /** `rows` are all rows; renderers show the first ones and carry the rest in a file, never cut in silence. */
  | Readonly<{
      kind: "table";
      title?: string;
      columns: readonly Column[];
      rows: readonly (readonly Text[])[];
    }>
  | Readonly<{ kind: "steps"; steps: readonly Readonly<{ title: string; state: StepState; note?: Text }>[] }>
  /** Preformatted lines, folded below the verdict where the surface can fold. */
  | Readonly<{ kind: "evidence"; title: string; lines: readonly string[] }>
  /** `alt` says in words all that the picture says. `file`: where a door has put it. */
  | Readonly<{ kind: "image"; title: string; alt: string; png: Uint8Array; file?: string }>;

/** A button. `value` is an opaque id (run, step, digest), never a command line. Three at most, the safe one first. */
export type Action = Readonly<{
  id: string;
  label: string;
  value: string;
  style?: "primary" | "danger";
  confirm?: string;
}>;

/** One message to a person, before any surface: verdict, why, evidence, next safe move. */
export type Reply = Readonly<{
  verdict: Verdict;
  /** Every message names its cluster; absent only for what concerns none (help, usage, offline commands). */
  cluster?: string;
  /** One or two sentences under the verdict. */
  why?: Text;
  findings: readonly Finding[];
  blocks: readonly Block[];
  /** The next safe moves, each a short text, usually with a command in a code leaf. */
  next?: readonly Text[];
  actions: readonly Action[];
  /** What `--json` prints beside verdict and findings; where a command's JSON is its own contract, `json` says so. */
  data?: Json;
  /** `--json` prints exactly this instead of the common envelope (the offline commands have their own formats). */
  json?: Json;
  /** A command that answers line by line: the CLI prints one JSON document a line, with or without `--json`. */
  jsonLines?: readonly Json[];
  /** A command whose answer is a file (a schema, a manifest): the CLI prints it as it is instead of a message. */
  document?: string;
}>;

/** 2 usage or unreadable input; else 1 if anything failed (warning or worse); else 3 if anything is unknown; else 0. */
export function exitCode(reply: Reply): 0 | 1 | 2 | 3 {
  const { outcome } = reply.verdict;
  if (outcome === "usage") return 2;
  if (outcome === "failed" || outcome === "denied" || outcome === "busy" || reply.findings.some(isFailure))
    return 1;
  if (outcome === "unknown" || outcome === "fault" || reply.findings.some((f) => f.severity === "unknown"))
    return 3;
  return 0;
}
