import * as z from "zod";
import { firingAlerts } from "#shared/incidents/incident-state.ts";
import { redact } from "#shared/ledger/audit.ts";
import { nearest } from "#shared/nearest.ts";
import type { Person } from "#shared/policy/identity.ts";
import { counted } from "#shared/report/wording.ts";
import { utcDateTime, utcTime } from "#shared/runs/utc-time.ts";
import { code, person, text } from "#shared/text.ts";
import { type Decided, ifClosed, usageIn, withIncident } from "../incidents/desk.ts";
import { refTo } from "../runs/run-people.ts";
import { defineVerb } from "./command.ts";
import { incidentId, incidentOption, incidentShape, keeping, keepingDoors, words } from "./runbook-words.ts";

const mostNote = 3_000;

/** `/runbook note [I-7] TEXT`: into the timeline; by the shortcut, a message of somebody's. */
export const note = defineVerb({
  path: ["note"],
  usage: "[I-7] TEXT",
  summary: "Add a remark to the timeline, with your name and the time.",
  examples: ["I-7 provider says the line is back"],
  positionals: ["incident", "text..."],
  options: [],
  takesProse: true,
  input: z.object({ incident: z.string().optional(), text: z.array(z.string()).default([]) }),
  role: "viewer",
  effect: "read",
  slow: false,
  cluster: "one",
  doors: keepingDoors,
  handle: (context) => {
    const { input, caller } = context;
    const { quoting } = caller;
    const isNamed = input.incident !== undefined && incidentShape.test(input.incident);
    const typed = [...(isNamed || input.incident === undefined ? [] : [input.incident]), ...input.text].join(
      " ",
    );
    // So long a text has no secrets looked for in what is cut off anyway.
    const whole = redact((quoting?.text ?? typed).trim().slice(0, 2 * mostNote));
    const said = whole.length > mostNote ? `${whole.slice(0, mostNote)} (cut here)` : whole;
    return withIncident(context, isNamed ? input.incident : undefined, async (desk, { id }) => {
      if (said === "")
        return usageIn(
          desk.name,
          quoting === undefined ? text`a note needs words` : text`that message has no text to take over`,
          [text`For example: ${code(`/runbook note ${id} provider says the line is back`)}`],
        );
      const by = text`${person(refTo(context.deps)(desk.by))}`;
      let why =
        quoting === undefined
          ? text`In the timeline, by ${by}.`
          : text`In the timeline: written by ${quoting.author} ${utcTime(quoting.at)}, added by ${by}.`;
      // A closed incident takes remarks: people write down afterwards what they know.
      await desk.write(
        id,
        (state): Decided => {
          const same = state.notes.find(
            ({ source }) =>
              source !== undefined && source.ts === quoting?.ts && source.channel === quoting.channel,
          );
          if (same !== undefined) {
            why = text`That message is in the timeline since ${utcTime(same.at)}.`;
            return undefined;
          }
          return {
            type: "noted",
            by: desk.by,
            text: said,
            ...(quoting !== undefined && {
              source: { channel: quoting.channel, ts: quoting.ts, author: quoting.author, at: quoting.at },
            }),
          };
        },
        () => undefined,
      );
      return {
        verdict: {
          word: "NOTED",
          outcome: "info",
          text: text`${id}: ${said.length > 80 ? `${said.slice(0, 80)}...` : said}`,
        },
        cluster: desk.name,
        why,
        findings: [],
        blocks: [],
        next: [text`The timeline: ${code(`/runbook export ${id}`)}`],
        actions: [],
      };
    });
  },
});

/** `/runbook take [I-7]`: it is yours; what somebody has is taken over only when that is said. */
export const take = defineVerb({
  ...keeping,
  path: ["take"],
  usage: "[I-7] [--over]",
  summary: "Take an incident: its message shows that you have it, and since when.",
  examples: ["", "I-7 --over"],
  positionals: ["incident"],
  options: [{ name: "over", about: "although somebody else has it" }],
  input: z.object({ incident: incidentId.optional(), over: z.literal(true).optional() }),
  slow: false,
  handle: (context) =>
    withIncident(context, context.input.incident, (desk, { id }) =>
      desk.write(
        id,
        (state): Decided => {
          const closed = ifClosed(state);
          if (closed !== undefined) return closed;
          const { owner } = state;
          if (owner?.name === desk.by) return undefined;
          if (owner !== undefined && context.input.over === undefined)
            return {
              because: text`${person(refTo(context.deps)(owner.name))} has ${state.id} since ${utcTime(owner.at)}`,
              next: text`To take it over all the same: ${code(`/runbook take ${state.id} --over`)}`,
            };
          return { type: "taken", by: desk.by };
        },
        (state, written) =>
          written ? text`you have it` : text`you have it since ${utcTime(state.owner?.at ?? 0)}`,
      ),
    ),
});

/** `@operator`, `operator`, `<@U0OPERATOR>`: whom the config knows under that. */
function personNamed(people: readonly Person[], word: string): Person | undefined {
  const slack = /^<@([UW][A-Z0-9]+)>$/.exec(word)?.[1];
  const name = word.replace(/^@/, "").toLowerCase();
  return people.find((each) => (slack === undefined ? each.name === name : each.slack === slack));
}

/** `/runbook handover [I-7] @user`: somebody else has it from now on, and the thread tells them. */
export const handover = defineVerb({
  ...keeping,
  path: ["handover"],
  usage: "[I-7] @user",
  summary: "Hand an incident over: the thread mentions the one who has it then.",
  examples: ["@approver", "I-7 @approver"],
  positionals: ["incident", "to"],
  options: [],
  input: z.object({ incident: z.string({ message: "is missing: whom?" }), to: z.string().optional() }),
  slow: false,
  handle: (context) => {
    const { input, deps } = context;
    const [id, to] = input.to === undefined ? [undefined, input.incident] : [input.incident, input.to];
    return withIncident(context, id, async (desk, { id: incident }) => {
      const people = deps.people ?? [];
      const found = incidentShape.test(to) ? undefined : personNamed(people, to);
      if (found === undefined) {
        const names = people.map(({ name }) => name);
        const near = nearest(to.replace(/^@/, ""), names);
        return usageIn(
          desk.name,
          incidentShape.test(to)
            ? text`whom is ${incident} handed over to?`
            : text`the config knows nobody called ${code(to)}.${near === undefined ? [] : text` Nearest: ${code(`@${near}`)}`}`,
          [
            text`People: ${names.join(", ")}`,
            text`For example: ${code(`/runbook handover ${incident} @${near ?? names[0] ?? "user"}`)}`,
          ],
        );
      }
      return desk.write(
        incident,
        (state): Decided => {
          const closed = ifClosed(state);
          if (closed !== undefined) return closed;
          if (state.owner?.name === found.name) return undefined;
          return { type: "handed-over", by: desk.by, to: found.name };
        },
        (state, written) =>
          written
            ? text`handed over to ${person(refTo(deps)(found.name))}, who is told in the thread`
            : text`${person(refTo(deps)(found.name))} has it since ${utcTime(state.owner?.at ?? 0)}`,
      );
    });
  },
});

/** `/runbook close [I-7] [--reason TEXT]`: ends it; the thread and the record stay. */
export const close = defineVerb({
  ...keeping,
  path: ["close"],
  usage: "[I-7] [--reason TEXT]",
  summary: "Close an incident. Its record stays, and it can be opened again.",
  examples: ['--reason "the provider fixed the line"'],
  positionals: ["incident"],
  options: [{ name: "reason", value: "TEXT", about: "how it ended, for the record" }],
  input: z.object({ incident: incidentId.optional(), reason: words.default("no reason given") }),
  slow: false,
  handle: (context) =>
    withIncident(context, context.input.incident, (desk, { id }) =>
      desk.write(
        id,
        (state): Decided =>
          state.closed === undefined
            ? { type: "closed", by: desk.by, reason: context.input.reason }
            : undefined,
        (state, written) => {
          const firing = firingAlerts(state).length;
          if (!written)
            return text`it was closed ${utcDateTime(state.closed?.at ?? state.updatedAt)} already`;
          const record = text`closed; the record: ${code(`/runbook export ${state.id}`)}`;
          return firing === 0
            ? record
            : text`${record}. ${counted(firing, "alert")} of it ${firing === 1 ? "is" : "are"} still firing`;
        },
      ),
    ),
});

/** `/runbook reopen I-7`: it is open again, with its history. */
export const reopen = defineVerb({
  ...keeping,
  path: ["reopen"],
  usage: "I-7 [--reason TEXT]",
  summary: "Open a closed incident again.",
  examples: ["I-7"],
  positionals: ["incident"],
  options: [{ name: "reason", value: "TEXT", about: "why, for the record" }],
  input: z.object({ incident: incidentId, reason: words.default("no reason given") }),
  slow: false,
  handle: (context) =>
    withIncident(context, context.input.incident, (desk, { id }) =>
      desk.write(
        id,
        (state): Decided =>
          state.closed === undefined
            ? undefined
            : { type: "reopened", by: desk.by, reason: context.input.reason },
        (_, written) => (written ? text`open again` : text`it is open`),
      ),
    ),
});

/** `/runbook link R-17 [--incident I-7]`: an act that was begun elsewhere belongs to it. */
export const link = defineVerb({
  ...keeping,
  path: ["link"],
  usage: "R-17 [--incident I-7]",
  summary: "Put a run into the timeline that was not begun from the incident's thread.",
  examples: ["R-17"],
  positionals: ["run"],
  options: [incidentOption],
  input: z.object({
    run: z.string().regex(/^[RJ]-\d+$/, "must be a run such as R-17, or a command such as J-17"),
    incident: incidentId.optional(),
  }),
  slow: false,
  handle: (context) =>
    withIncident(context, context.input.incident, async (desk, { id }) => {
      const { run } = context.input;
      const known = [`run/${run}`, `asked/${run}`];
      const found = await Promise.all(known.map((stream) => desk.ledger.read(stream)));
      if (found.every((events) => events.length === 0))
        return usageIn(desk.name, text`the ledger knows no run ${code(run)}`, [
          text`Runs: ${code("/migrate history")}`,
        ]);
      return desk.write(
        id,
        (state): Decided =>
          state.runs.some((each) => each.run === run) ? undefined : { type: "run-linked", run, by: desk.by },
        (_, written) => text`${run} is in its timeline${written ? "" : " already"}`,
      );
    }),
});
