import type { Clock } from "#shared/clock.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import { audit, redact } from "#shared/ledger/audit.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { nearest } from "#shared/nearest.ts";
import { denialReply } from "#shared/policy/denial.ts";
import type { Person, RoleRule } from "#shared/policy/identity.ts";
import { decide } from "#shared/policy/roles.ts";
import type { Outcome, Reply } from "#shared/reply.ts";
import { code, text } from "#shared/text.ts";
import { clusterOf, linkAct } from "./about.ts";
import type { Action } from "./actions/action.ts";
import { olderMessage } from "./actions/older-message.ts";
import type { App, Asked, Asking, Job, Pressed } from "./asking.ts";
import type { Caller, ClusterPorts, Command, Deps, Verb } from "./commands/command.ts";
import { commandHelp, overview, typed, unknownReply, usageReply } from "./help.ts";
import { parseCommand, verbName } from "./parse.ts";
import { splitWords } from "./words.ts";

export type AppOptions = Readonly<{
  commands: readonly Command[];
  actions: readonly Action[];
  deps: Deps;
  /** The rules that hold now: those that name what Slack no longer knows are out. */
  roles: () => readonly RoleRule[];
  people: readonly Person[];
  /** Slack user groups a person is in, by id. A failure means we do not know: changes are then denied. */
  groupsOf: (slackUser: string) => Promise<readonly string[]>;
  /** Why changes are closed, when they are (Slack unreachable at start, ledger refused). */
  changesClosed: () => string | undefined;
  log: (entry: Readonly<Record<string, unknown>>) => void;
}>;

/** `J-17`, a command that was taken: counted in the ledger, so that two processes never give the same id twice. */
function jobIds(ledger: Ledger): () => Promise<string> {
  let last = 0;
  return async () => {
    for (let attempt = 0; attempt < 50; attempt++) {
      const appended = await ledger.append("counter/job", last, { type: "taken", data: null });
      last = appended.version;
      if (appended.ok) return `J-${last}`;
    }
    throw new FaultError({ kind: "refused", what: "ledger", detail: "no job id could be taken in 50 tries" });
  };
}

/** As they were split, unless a secret is among them: a name and its value may be two words. */
function wordsWithoutSecrets(words: readonly string[]): readonly string[] {
  const typedWords = words.join(" ");
  const safe = redact(typedWords);
  return safe === typedWords ? words : safe.split(" ");
}

const faultReply = (
  title: string,
  id: string,
  cluster: string | undefined,
  effect: Verb["effect"],
): Reply => ({
  verdict: {
    word: "Fault",
    outcome: "fault",
    text: text`${code(title)} ended on an error of ours; the log has it as ${code(id)}.`,
  },
  ...(cluster === undefined ? {} : { cluster }),
  why: [
    effect === "change"
      ? "It is not known whether the change was made: look before repeating it."
      : "Nothing was changed: this command only looks.",
  ],
  findings: [],
  blocks: [],
  next: [text`Try again, or tell the maintainers the id ${code(id)}.`],
  actions: [],
});

const unknownFrom = (error: FaultError, cluster: string | undefined): Reply => {
  const { fault } = error;
  const finding: Finding = {
    code: `fault-${fault.kind}`,
    severity: "unknown",
    subject: { kind: "cluster", name: cluster ?? "none" },
    facts: { kind: fault.kind, what: fault.what, detail: fault.detail },
    text: [`${fault.what}: ${fault.detail}`],
  };
  return {
    verdict: { word: "UNKNOWN", outcome: "unknown", text: [`could not look: ${fault.what}`] },
    ...(cluster === undefined ? {} : { cluster }),
    why: [fault.detail],
    findings: [finding],
    blocks: [],
    next: [text`What works and what does not: ${code("/arpeggio doctor")}`],
    actions: [],
  };
};

/** Joins the doors to the commands: same parser, same rights, same results everywhere. */
export function createApp(options: AppOptions): App & Readonly<{ drain: () => Promise<void> }> {
  const { commands, log } = options;
  // The same object: what is put into it later counts here too.
  const deps: Deps = options.deps.log ? options.deps : Object.assign(options.deps, { log });
  const { clock }: { clock: Clock } = deps;

  const nextJobId = deps.ledger && jobIds(deps.ledger);
  const pending = new Set<Promise<void>>();

  const write = async (
    asked: Asked,
    cluster: string | undefined,
    outcome: Outcome,
    startedAt: number,
  ): Promise<void> => {
    if (!deps.ledger) return;
    // The answer goes first: nobody waits for the record of what they asked.
    await clock.sleep(0);
    try {
      await audit(deps.ledger, {
        at: startedAt,
        ...(asked.person === undefined ? {} : { name: asked.person.name }),
        account: asked.account,
        door: asked.door,
        ...(asked.channel === undefined ? {} : { channel: asked.channel }),
        words: asked.words,
        ...(cluster === undefined ? {} : { cluster }),
        outcome,
        durationMs: clock.now() - startedAt,
      });
    } catch (error) {
      log({ level: "error", msg: "audit entry was not written", error: String(error) });
    }
  };

  const record = (...entry: Parameters<typeof write>): void => {
    const written = write(...entry).finally(() => pending.delete(written));
    pending.add(written);
  };

  const answer = (asked: Asked, reply: Reply, cluster?: string): Asking => {
    record(asked, cluster, reply.verdict.outcome, clock.now());
    return { kind: "answer", reply };
  };

  const findCluster = (
    wanted: string | undefined,
    verb: Verb,
  ): Readonly<{ ok: true; cluster: ClusterPorts | undefined }> | Readonly<{ ok: false; reply: Reply }> => {
    const names = [...deps.clusters.keys()];
    const usage = (words: string, near?: string): Readonly<{ ok: false; reply: Reply }> => ({
      ok: false,
      reply: {
        verdict: {
          word: "Not understood",
          outcome: "usage",
          text: [words, ...(near ? [` Nearest: ${near}`] : [])],
        },
        findings: [],
        blocks: [],
        next: [text`Clusters: ${names.join(", ")}`],
        actions: [],
      },
    });
    if (wanted !== undefined && names.length > 0) {
      const found = deps.clusters.get(wanted);
      return found
        ? { ok: true, cluster: found }
        : usage(`There is no cluster "${wanted}".`, nearest(wanted, names));
    }
    if (verb.cluster === "none") return { ok: true, cluster: undefined };
    if (names.length === 0) {
      return {
        ok: false,
        reply: {
          verdict: {
            word: "UNKNOWN",
            outcome: "unknown",
            text: ["no cluster is configured, so there is nothing to look at."],
          },
          findings: [],
          blocks: [],
          next: [
            text`Point ${code("ARPEGGIO_CONFIG")} at a config file (${code("arpeggio schema")} says what it holds)`,
            text`Or try the built-in lab: ${code("npm start")}`,
          ],
          actions: [],
        },
      };
    }
    const only = names.length === 1 ? deps.clusters.get(names[0] as string) : undefined;
    return only ? { ok: true, cluster: only } : usage("Which cluster? Say --cluster NAME.");
  };

  const unwritten = (error: unknown): void =>
    log({ level: "error", msg: "the ledger could not be written", error: String(error) });

  const ask = async (asked: Asked): Promise<Asking> => {
    const split = splitWords(asked.words);
    if (!split.ok) {
      return answer(asked, {
        verdict: { word: "Not understood", outcome: "usage", text: [`${split.problem}.`] },
        findings: [],
        blocks: [],
        next: [text`All commands: ${code(typed(asked.door, "arpeggio help"))}`],
        actions: [],
      });
    }
    const parsed = parseCommand(split.words, commands, asked.door);
    if (parsed.kind === "help") {
      return answer(
        asked,
        parsed.command ? commandHelp(parsed.command, asked.door) : overview(commands, asked.door),
      );
    }
    if (parsed.kind === "bare") {
      const help = commandHelp(parsed.command, asked.door);
      const text = [{ code: typed(asked.door, parsed.command.name) }, " needs to know what to do."];
      return answer(asked, { ...help, verdict: { word: "Not understood", outcome: "usage", text } });
    }
    if (parsed.kind === "unknown") {
      return answer(asked, unknownReply(parsed.word, parsed.command, parsed.nearest, commands, asked.door));
    }
    const { command } = parsed;
    const verb =
      parsed.kind === "verb" ? { ...parsed.verb, ...parsed.verb.takes?.(parsed.input) } : parsed.verb;
    const title = typed(asked.door, verbName(command, verb));
    if (parsed.kind === "elsewhere") {
      return answer(asked, {
        verdict: {
          word: "Not understood",
          outcome: "usage",
          text: text`${code(title)} works only in ${verb.doors.join(" and ")}.`,
        },
        findings: [],
        blocks: [],
        next: [
          text`There: ${code(typed(verb.doors.includes("cli") ? "cli" : "slack", `${verbName(command, verb)} ${verb.usage}`))}`,
        ],
        actions: [],
      });
    }
    if (parsed.kind === "usage") return answer(asked, usageReply(command, verb, parsed.problems, asked.door));
    const where = findCluster(parsed.cluster ?? (await clusterOf(deps, asked.about)), verb);
    if (!where.ok) return answer(asked, where.reply);
    const clusterName = where.cluster?.config.name;
    let groups: readonly string[] | undefined = [];
    if (asked.person?.slack && options.roles().some((rule) => rule.groups.length > 0)) {
      groups = await options.groupsOf(asked.person.slack).catch(() => undefined);
    }
    const decision = decide({
      person: asked.person,
      people: options.people,
      groups,
      rules: options.roles(),
      need: verb.role,
      effect: verb.effect,
      cluster: clusterName,
      channel: asked.channel,
      door: asked.door,
    });
    const full = `${typed(asked.door, split.words.join(" "))}`;
    if (!decision.allowed) {
      const denied = denialReply(decision, { words: verbName(command, verb), cluster: clusterName });
      const whoami = text`Who you are here: ${code(typed(asked.door, "arpeggio whoami"))}`;
      return answer(asked, { ...denied, next: [whoami] }, clusterName);
    }
    const closed = verb.effect === "change" ? options.changesClosed() : undefined;
    if (closed !== undefined) {
      return answer(
        asked,
        {
          verdict: { word: "Not now", outcome: "denied", text: text`changes are closed: ${closed}` },
          ...(clusterName === undefined ? {} : { cluster: clusterName }),
          findings: [],
          blocks: [],
          next: [["Reading still works."]],
          actions: [],
        },
        clusterName,
      );
    }
    const caller: Caller = {
      door: asked.door,
      account: asked.account,
      person: asked.person,
      groups,
      ...(asked.channel === undefined ? {} : { channel: asked.channel }),
      ...(asked.about === undefined ? {} : { about: asked.about }),
      ...(asked.quoting === undefined ? {} : { quoting: asked.quoting }),
      roles: decision.roles,
    };
    let id = deps.newId();
    let isNamed = false;
    const isFirst = verb.effect === "none" || (await asked.isFirst) !== false;
    if (isFirst && deps.ledger && nextJobId && verb.effect !== "none") {
      try {
        id = await nextJobId();
        isNamed = true;
        const noted = deps.ledger.append(`asked/${id}`, 0, {
          type: "asked",
          data: {
            words: wordsWithoutSecrets(split.words),
            cluster: clusterName ?? null,
            account: asked.account,
            who: asked.person?.name ?? null,
            effect: verb.effect,
          },
        });
        if (verb.effect === "change") await noted;
        else noted.catch(unwritten);
      } catch (error) {
        unwritten(error);
        if (verb.effect === "change") {
          return answer(
            asked,
            {
              verdict: {
                word: "Not now",
                outcome: "denied",
                text: ["the ledger cannot be written, and no change goes unrecorded."],
              },
              ...(clusterName === undefined ? {} : { cluster: clusterName }),
              findings: [],
              blocks: [],
              next: [
                ["Reading still works."],
                text`What works and what does not: ${code("/arpeggio doctor")}`,
              ],
              actions: [],
            },
            clusterName,
          );
        }
      }
    }
    const dress = (reply: Reply): Reply => ({
      ...reply,
      ...(reply.cluster === undefined && clusterName !== undefined ? { cluster: clusterName } : {}),
      // A button finds what was asked again through the ledger; where there is none, there is nothing to press.
      actions: deps.ledger
        ? reply.actions.map((action) => (action.value === "" ? { ...action, value: id } : action))
        : [],
    });
    const job: Job = {
      id,
      title: full,
      cluster: clusterName,
      slow: verb.slow,
      personal: verb.effect === "none",
      run: async (show, signal) => {
        const startedAt = clock.now();
        let reply: Reply;
        try {
          if (verb.effect === "change" && isNamed)
            await linkAct(deps, asked.about, id, asked.person?.name ?? asked.account);
          reply = await verb.handle({
            input: parsed.input,
            deps,
            cluster: where.cluster,
            caller,
            show: (interim) => show(dress(interim)),
            signal,
            ...(isNamed ? { id } : {}),
          });
        } catch (error) {
          if (error instanceof FaultError) reply = unknownFrom(error, clusterName);
          else {
            log({
              level: "error",
              msg: "unexpected fault",
              id,
              title: full,
              error: error instanceof Error ? error.stack : String(error),
            });
            reply = faultReply(full, id, clusterName, verb.effect);
          }
        }
        record(asked, clusterName, reply.verdict.outcome, startedAt);
        return dress(reply);
      },
    };
    return { kind: "job", job };
  };

  const press = async (pressed: Pressed): Promise<Asking> => {
    const action = options.actions.find((candidate) => candidate.id === pressed.action);
    const asked = (words: string): Asked => ({ ...pressed, words });
    if (!action) {
      return answer(
        asked(`(button ${pressed.action})`),
        olderMessage(["Type the command again for a fresh answer."]),
      );
    }
    try {
      const outcome = await action.press({ pressed, deps });
      return "words" in outcome
        ? await ask({
            ...asked(outcome.words),
            ...(outcome.about === undefined ? {} : { about: outcome.about }),
          })
        : answer(asked(`(button ${pressed.action})`), outcome.reply);
    } catch (error) {
      if (error instanceof FaultError)
        return answer(asked(`(button ${pressed.action})`), unknownFrom(error, undefined));
      const id = deps.newId();
      log({
        level: "error",
        msg: "unexpected fault",
        id,
        error: error instanceof Error ? error.stack : String(error),
      });
      return answer(
        asked(`(button ${pressed.action})`),
        faultReply(`button ${pressed.action}`, id, undefined, "read"),
      );
    }
  };

  const safely = async (work: () => Promise<Asking>): Promise<Asking> => {
    try {
      return await work();
    } catch (error) {
      const id = deps.newId();
      log({
        level: "error",
        msg: "unexpected fault",
        id,
        error: error instanceof Error ? error.stack : String(error),
      });
      return { kind: "answer", reply: faultReply("that", id, undefined, "read") };
    }
  };

  return {
    ask: (asked) => safely(() => ask(asked)),
    press: (pressed) => safely(() => press(pressed)),
    /** Waits for what is still to be written down. */
    drain: async () => {
      await Promise.all(pending);
    },
  };
}
