import type { Clock } from "../clock.ts";
import type { AskServer } from "../dns/answer.ts";
import type { ReadZones } from "../dns/zones.ts";
import type { NonEmpty, Subject } from "../finding.ts";
import type { ReadLogs } from "../kubernetes/logs.ts";
import type { ReadCluster } from "../kubernetes/read.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Shell } from "../probes/shell.ts";
import type { ClusterConfig } from "../site/site.ts";
import type { Text } from "../text.ts";
import type { Diagnosis } from "./diagnosis.ts";

/** What a diagnosis looks through: it only reads and probes, takes no lease and waits for nobody's. */
export type DiagnosePorts = Readonly<{
  config: ClusterConfig;
  read: ReadCluster;
  shell: Shell;
  logs: ReadLogs;
  clock: Clock;
  /** Undefined where no zones are configured: what depends on them is then unknown, never absent. */
  zones: ReadZones | undefined;
  /** Asks name servers from the machine we run on; undefined where only vantages may. */
  ask: AskServer | undefined;
  /** For what our own runs did; undefined on a laptop. */
  ledger: Ledger | undefined;
  newNonce: () => string;
}>;

/** The word names nothing here: said as usage, with what is near. */
export type NoSuch = Readonly<{ noSuch: Text; next: readonly Text[] }>;

export type DiagnoseOptions = Readonly<{
  signal: AbortSignal;
  /** A line of progress; latest wins. */
  show: (line: Text) => void;
}>;

/** A step of an incident. Acts are not among them: those are runs of their own, with the approval flow. */
export type IncidentStep = Readonly<{ id: string; title: string }> &
  (
    | Readonly<{ kind: "diagnose" }>
    /** Checks of `shared/checks/all.ts`, over all nodes or those named. */
    | Readonly<{ kind: "checks"; checks: NonEmpty<string>; nodes?: readonly string[] }>
    /** Done by a person, who says so. After `timeoutSeconds` the thread asks whether anybody is at it. */
    | Readonly<{ kind: "manual"; instruction: Text; timeoutSeconds?: number }>
  );

/** What on-call people run in a thread: a diagnosis first, then what people do, then the diagnosis again. */
export type IncidentRunbook = Readonly<{
  id: string;
  title: string;
  summary: Text;
  /** What it is about, as usage shows it: `SERVICE|IP|HOSTNAME`. Undefined: a site's own runbook without a subject. */
  argument?: Readonly<{ usage: string; kinds: NonEmpty<Subject["kind"]>; example: string }>;
  /** Every code a cause can have; stable, documented on its page. */
  codes: readonly string[];
  /** Gathers everything concurrently, judges, concludes. Throws nothing but bugs: what it could not see is in links. */
  diagnose?: (ports: DiagnosePorts, word: string, options: DiagnoseOptions) => Promise<Diagnosis | NoSuch>;
  steps: NonEmpty<IncidentStep>;
  /** Where a site's own one is written: "/etc/arpeggio/runbooks.yaml:3"; undefined for ours. */
  source?: string;
}>;
