import type { IncidentEvent } from "#shared/incidents/incident-events.ts";
import { openIncidents, readIncident, updateIncident } from "#shared/incidents/incident-log.ts";
import { incidentName, incidentReply, shortIncidentReply } from "#shared/incidents/incident-reply.ts";
import type { IncidentState } from "#shared/incidents/incident-state.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Reply } from "#shared/reply.ts";
import { code, join, type Text, text } from "#shared/text.ts";
import type { ClusterPorts, Context } from "../commands/command.ts";
import { driveIncident } from "./drive.ts";
import { incidentOptions, tellingIncident } from "./telling.ts";

/** What a person asks of an incident comes to: an event, a refusal with its sentence, or nothing to do. */
export type Decided = IncidentEvent | Readonly<{ because: Text; next?: Text }> | undefined;

/** Everything a verb of `/runbook` works with, for one caller and one cluster. */
export type IncidentDesk = Readonly<{
  ledger: Ledger;
  cluster: ClusterPorts;
  name: string;
  /** Who asks, as the config calls them. */
  by: string;
  /** The incident of this id, or the cluster's only open one; a Reply says why there is none. Throws FaultError. */
  find: (id: string | undefined) => Promise<IncidentState | Reply>;
  /** Decides on the newest state, tells it, and goes on as far as it goes without a person. */
  ask: (id: string, decide: (state: IncidentState) => Decided, said: Said) => Promise<Reply>;
  /** Decides on the newest state and tells it; what there is to do goes on by itself. */
  write: (id: string, decide: (state: IncidentState) => Decided, said: Said) => Promise<Reply>;
  /** Goes on as far as it goes without a person, and answers with where it stands then. */
  goOn: (id: string, said?: Text, quietAtFirst?: true) => Promise<IncidentState>;
  /** What an answer shows of it: short where its message stands. */
  drawn: (state: IncidentState, said?: Text) => Reply;
}>;

type Said = (state: IncidentState, written: boolean) => Text | undefined;

export const isReply = (value: IncidentState | Reply | IncidentDesk): value is Reply => "verdict" in value;

export const usageIn = (cluster: string, said: Text, next: readonly Text[] = []): Reply => ({
  verdict: { word: "Not understood", outcome: "usage", text: said },
  cluster,
  findings: [],
  blocks: [],
  next,
  actions: [],
});

export const refusedIn = (cluster: string, because: Text, next?: Text): Reply => ({
  verdict: { word: "Refused", outcome: "denied", text: text`${because}. Nothing was changed.` },
  cluster,
  findings: [],
  blocks: [],
  ...(next !== undefined && { next: [next] }),
  actions: [],
});

export const noLedgerHere = (cluster: string): Reply => ({
  verdict: {
    word: "UNKNOWN",
    outcome: "unknown",
    text: text`incidents are kept by the bot, and there is no ledger here`,
  },
  cluster,
  findings: [],
  blocks: [],
  next: [
    text`A diagnosis needs none: ${code("arpeggio runbook run NAME ARGS")}`,
    text`Ask where the bot is: ${code("/runbook status")} in Slack`,
  ],
  actions: [],
});

/** "I-7 service-unreachable httpbin". */
const named = (state: IncidentState): Text => text`${code(state.id)} ${incidentName(state)}`;

/** Who asks, as the record calls them. */
export const askerOf = ({ caller }: Context<unknown>): string => caller.person?.name ?? caller.account;

/** The desk of a caller; a Reply where there can be none. */
export function openIncidentDesk(context: Context<unknown>): IncidentDesk | Reply {
  const { deps, cluster, signal } = context;
  if (cluster === undefined) throw new Error("runbook needs a cluster");
  const { name } = cluster.config;
  const { ledger } = deps;
  if (ledger === undefined) return noLedgerHere(name);
  const by = askerOf(context);

  const find = async (id: string | undefined): Promise<IncidentState | Reply> => {
    const state = id === undefined ? undefined : await readIncident(ledger, id);
    // An alert may name a cluster that the config does not have; its incident is kept with the rights on another.
    if (state !== undefined && (state.cluster === name || !deps.clusters.has(state.cluster))) return state;
    const open = await openIncidents(ledger, name);
    const only = open.at(0);
    if (id === undefined && only !== undefined && open.length === 1) return only;
    const list = join(open.slice(-10).map(named), "; ");
    if (id !== undefined)
      return usageIn(
        name,
        state === undefined
          ? text`there is no incident ${code(id)}`
          : text`${code(id)} is an incident of ${state.cluster}, not of ${name}`,
        [open.length === 0 ? text`No incident is open on ${name}.` : text`Open: ${list}`],
      );
    if (open.length > 0)
      return usageIn(name, text`${open.length} incidents are open on ${name}; which one?`, [
        text`Open: ${list}`,
      ]);
    return {
      ...usageIn(name, text`no incident is open on ${name}`, [
        text`To look at something: ${code("/runbook run NAME")}; names: ${code("/runbook list")}`,
      ]),
      verdict: { word: "Nothing open", outcome: "usage", text: text`no incident is open on ${name}` },
    };
  };

  const drawn: IncidentDesk["drawn"] = (state, said) => {
    if (deps.board !== undefined) return shortIncidentReply(state, said);
    const reply = incidentReply(state, incidentOptions(deps));
    return said === undefined ? reply : { ...reply, why: text`${said}. ${reply.why ?? []}` };
  };

  const goOn: IncidentDesk["goOn"] = async (id, said, quietAtFirst) => {
    const driven = await driveIncident(deps, id, {
      signal,
      log: deps.log ?? (() => {}),
      ...(quietAtFirst === true && { quietAtFirst }),
      show: (state, line) =>
        context.show({
          verdict: { word: state.id, outcome: "running", text: text`${incidentName(state)} · ${line}` },
          cluster: name,
          ...(said !== undefined && { why: said }),
          findings: [],
          blocks: [],
          actions: [],
        }),
    });
    if (driven === undefined) throw new Error(`no incident ${id}`);
    return driven;
  };

  const decided = async (
    id: string,
    decide: (state: IncidentState) => Decided,
  ): Promise<Readonly<{ state: IncidentState; written: boolean }> | Reply> => {
    let refused: Exclude<Decided, IncidentEvent | undefined> | undefined;
    const updated = await updateIncident(ledger, id, deps.clock.now, (state) => {
      const wanted = decide(state);
      refused = wanted === undefined || "type" in wanted ? undefined : wanted;
      return wanted === undefined || !("type" in wanted) ? undefined : wanted;
    });
    if (refused !== undefined) return refusedIn(name, refused.because, refused.next);
    // Told before anything is looked at: whoever pressed sees at once that it counted.
    if (updated.written) await tellingIncident(deps).all(updated.state);
    return updated;
  };

  return {
    ledger,
    cluster,
    name,
    by,
    find,
    goOn,
    drawn,
    write: async (id, decide, said) => {
      const done = await decided(id, decide);
      return "verdict" in done ? done : drawn(done.state, said(done.state, done.written));
    },
    ask: async (id, decide, said) => {
      const done = await decided(id, decide);
      return "verdict" in done ? done : drawn(await goOn(id), said(done.state, done.written));
    },
  };
}

/** Refused where the incident is closed. */
export const ifClosed = (state: IncidentState): Exclude<Decided, IncidentEvent> | undefined =>
  state.closed === undefined
    ? undefined
    : {
        because: text`${state.id} is closed`,
        next: text`To open it again: ${code(`/runbook reopen ${state.id}`)}`,
      };

/** Works on an incident with its desk; where there is none, the answer says why. */
export async function withIncident(
  context: Context<unknown>,
  id: string | undefined,
  work: (desk: IncidentDesk, state: IncidentState) => Promise<Reply>,
): Promise<Reply> {
  const desk = openIncidentDesk(context);
  if (isReply(desk)) return desk;
  const state = await desk.find(id);
  return isReply(state) ? state : work(desk, state);
}
