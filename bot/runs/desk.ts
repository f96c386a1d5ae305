import { FaultError } from "#shared/fault.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import type { Reply } from "#shared/reply.ts";
import { advance } from "#shared/runs/advance.ts";
import { driverOf } from "#shared/runs/drivers.ts";
import { holderOf } from "#shared/runs/lease.ts";
import type { Asked } from "#shared/runs/people.ts";
import { openRun, readRun, runsOn } from "#shared/runs/run-log.ts";
import { runReply, shortReply } from "#shared/runs/run-reply.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import type { Advanced, Runner } from "#shared/runs/runner.ts";
import { pendingCleanUp } from "#shared/runs/standing.ts";
import { utcTime } from "#shared/runs/utc-time.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import { code, type PersonRef, person, plain, type Text, text } from "#shared/text.ts";
import { linkAct } from "../about.ts";
import type { ClusterPorts, Context } from "../commands/command.ts";
import { approversOf, refTo } from "./run-people.ts";
import { runnerOf } from "./runner-of.ts";
import { replyOptions, tellingOf } from "./telling.ts";

/** Everything a verb of `/migrate` works with, for one caller and one cluster. */
export type Desk = Readonly<{
  ledger: Ledger;
  cluster: ClusterPorts;
  name: string;
  runner: Runner;
  migrations: readonly Migration[];
  /** Who asks, as the config calls them. */
  by: string;
  ref: (name: string) => PersonRef;
  approvers: readonly PersonRef[];
  /** The run of this id, or the cluster's open one; a Reply says why there is none. Throws FaultError. */
  find: (id: string | undefined) => Promise<RunState | Reply>;
  /** Drives the run on, and answers with where it stands then. */
  goOn: (id: string, said?: Text) => Promise<Reply>;
  /** Tells the new state where it stands, without driving. */
  show: (state: RunState, said?: Text) => Promise<Reply>;
  /** After a run was held or aborted: drives on what must not stay, and answers with where it stands then. */
  settle: (state: RunState) => Promise<Reply>;
  refused: (asked: Extract<Asked, { ok: false }>) => Reply;
  /** Puts a run beside the incident from which it was asked for; nothing where there is none. */
  link: (run: string) => Promise<void>;
}>;

export const isReply = (value: RunState | Reply | Desk): value is Reply => "verdict" in value;

const bare = (cluster: string, reply: Pick<Reply, "verdict"> & Partial<Reply>): Reply => ({
  cluster,
  findings: [],
  blocks: [],
  actions: [],
  ...reply,
});

export const noLedger = (cluster: string): Reply =>
  bare(cluster, {
    verdict: {
      word: "UNKNOWN",
      outcome: "unknown",
      text: text`runs are kept by the bot, and there is no ledger here`,
    },
    next: [text`Ask where the bot is: ${code("/migrate status")} in Slack`],
  });

export const refusal = (cluster: string, because: Text, next?: Text): Reply =>
  bare(cluster, {
    verdict: { word: "Refused", outcome: "denied", text: text`${because}. Nothing was changed.` },
    ...(next !== undefined && { next: [next] }),
  });

const since = (at: number): Text => text` since ${utcTime(at)}`;

/** The desk of a caller; a Reply where there can be none. */
export async function openDesk(context: Context<unknown>): Promise<Desk | Reply> {
  const { deps, cluster, caller, signal } = context;
  if (cluster === undefined) throw new Error("migrate needs a cluster");
  const { name } = cluster.config;
  const { ledger } = deps;
  if (ledger === undefined) return noLedger(name);
  const by = caller.person?.name ?? caller.account;
  const ref = refTo(deps);
  const telling = tellingOf(deps, name, {
    ...(caller.channel !== undefined && { channel: caller.channel }),
    show: context.show,
  });
  const runner = await runnerOf(deps, ledger, cluster, telling.tell);

  /** Where there is no message that stands, the answer is it. */
  const drawn = (state: RunState): Reply => {
    const options = replyOptions(deps, name);
    if (deps.board !== undefined) return shortReply(state, options);
    const reply = runReply(state, options);
    return { ...reply, blocks: [...reply.blocks, ...telling.untold()] };
  };

  function busy({ state, held }: Advanced): Reply {
    const holder = held === undefined ? undefined : holderOf(held);
    const driver = driverOf(ledger as Ledger, state.id);
    const who: Text =
      holder !== undefined
        ? text`${holder.run} (${holder.what}, ${person(ref(holder.by))}) holds ${name}${since(holder.since)}`
        : driver !== undefined
          ? text`${state.id} (${state.runbook}, ${person(ref(driver.by))}) is at work on ${name}${since(driver.since)}`
          : held !== undefined
            ? text`${held.holder} holds ${name} until ${utcTime(held.until)}`
            : text`${state.id} (${state.runbook}) is at work on ${name}`;
    return bare(name, {
      verdict: { word: "Busy", outcome: "busy", text: text`${who}. Reading still works; changes wait.` },
      next: [text`What it does: ${code(`/migrate status ${state.id}`)}`],
    });
  }

  const goOn = async (id: string, said?: Text): Promise<Reply> => {
    const advanced = await advance(runner, id, { by, signal });
    if (advanced.stopped === "busy") return busy(advanced);
    // What was asked for may have changed the message without anything to drive.
    await telling.tell.state(advanced.state);
    const reply = drawn(advanced.state);
    const first = advanced.stopped === "overtaken" ? text`Somebody else moved ${id} on meanwhile.` : said;
    return first === undefined ? reply : { ...reply, why: text`${first} ${reply.why ?? []}` };
  };

  const find = async (id: string | undefined): Promise<RunState | Reply> => {
    if (id === undefined) {
      const open = await openRun(ledger, name);
      if (open !== undefined) return open;
      const known = runner.migrations.map((one) => one.id).join(", ");
      return bare(name, {
        verdict: { word: "Nothing open", outcome: "usage", text: text`no run is open on ${name}` },
        next: [
          text`To start one: ${code(`/migrate start ${runner.migrations[0]?.id ?? "RUNBOOK"}`)}${known === "" ? "" : `; runbooks: ${known}`}`,
          text`What ran: ${code("/migrate history")}`,
        ],
      });
    }
    const state = await readRun(ledger, id);
    if (state !== undefined && state.cluster === name) return state;
    const all = (await runsOn(ledger, name)).map((run) => run.id);
    return bare(name, {
      verdict: {
        word: "Not understood",
        outcome: "usage",
        text: text`there is no run ${code(id)} on ${name}`,
      },
      next: [all.length === 0 ? text`Nothing ran on ${name} yet.` : text`Runs: ${all.slice(-10).join(", ")}`],
    });
  };

  const show = async (state: RunState, said?: Text): Promise<Reply> => {
    await telling.tell.state(state);
    const reply = drawn(state);
    return said === undefined ? reply : { ...reply, why: text`${said} ${reply.why ?? []}` };
  };

  return {
    ledger,
    cluster,
    name,
    runner,
    migrations: runner.migrations,
    by,
    ref,
    approvers: approversOf(deps, name),
    find,
    goOn,
    show,
    settle: async (state) =>
      pendingCleanUp(state) === undefined
        ? show(state)
        : // Who is at work on it already takes it away as well.
          show((await advance(runner, state.id, { by, signal })).state),
    refused: ({ because, next }) => refusal(name, because, next),
    link: (run) => linkAct(deps, caller.about, run, by),
  };
}

/** For log lines. */
export const faultWords = (error: unknown): string =>
  error instanceof FaultError ? `${error.fault.what}: ${error.fault.detail}` : plain([String(error)]);
