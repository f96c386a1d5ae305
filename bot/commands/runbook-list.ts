import * as z from "zod";
import type { IncidentRunbook, IncidentStep } from "#shared/incidents/runbook.ts";
import type { Block, Reply } from "#shared/reply.ts";
import { counted } from "#shared/report/wording.ts";
import { code, join, plain, type Text, text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";
import { everyDoor, isRunbook, runbookNamed, runbooksOf, runWords } from "./runbook-words.ts";

const about = (runbook: IncidentRunbook) => ({
  id: runbook.id,
  title: runbook.title,
  summary: plain(runbook.summary),
  argument: runbook.argument?.usage ?? null,
  source: runbook.source ?? null,
});

/** `/runbook list`: what on-call people can run, ours and the site's own. */
export const list = defineVerb({
  path: ["list"],
  usage: "",
  summary: "The runbooks for on-call: what each looks at, and what it is run with.",
  examples: [""],
  positionals: [],
  options: [],
  input: z.object({}),
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: everyDoor,
  handle: async ({ deps }): Promise<Reply> => {
    const runbooks = await runbooksOf(deps);
    const own = runbooks.filter(({ source }) => source !== undefined).length;
    const [first] = runbooks;
    return {
      verdict: {
        word: "RUNBOOKS",
        outcome: "info",
        text: text`${counted(runbooks.length, "runbook")} for on-call${own === 0 ? "" : `, ${own} of them this site's own`}`,
      },
      findings: [],
      blocks:
        runbooks.length === 0
          ? []
          : [
              {
                kind: "table",
                columns: [{ title: "runbook" }, { title: "run with" }, { title: "answers" }],
                rows: runbooks.map(({ id, argument, summary, source }): readonly Text[] => [
                  [source === undefined ? id : `${id} (site)`],
                  [argument?.usage ?? "-"],
                  summary,
                ]),
              },
            ],
      next:
        first === undefined
          ? [["This release has none, and the config names none (runbooks:)."]]
          : [
              text`One of them: ${code(`/runbook show ${first.id}`)}`,
              text`To run it: ${code(runWords(first))}`,
            ],
      actions: [],
      data: { runbooks: runbooks.map(about) },
    };
  },
});

const stepWords = (step: IncidentStep): Text => {
  switch (step.kind) {
    case "diagnose":
      return ["looks, and changes nothing"];
    case "checks":
      return text`runs ${join(step.checks.map(code), ", ")}${step.nodes === undefined ? "" : ` on ${step.nodes.join(", ")}`}`;
    case "manual":
      return text`${step.instruction}${step.timeoutSeconds === undefined ? "" : ` (the thread asks after ${step.timeoutSeconds} s)`}`;
  }
};

/** `/runbook show NAME`: its steps, and what it can come to. */
export const show = defineVerb({
  path: ["show"],
  usage: "NAME",
  summary: "The steps of a runbook, what it is run with, and what it can find.",
  examples: ["service-unreachable"],
  positionals: ["name"],
  options: [],
  input: z.object({ name: z.string() }),
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: everyDoor,
  handle: async ({ deps, input }): Promise<Reply> => {
    const runbook = runbookNamed(await runbooksOf(deps), input.name);
    if (!isRunbook(runbook)) return runbook;
    const { id, title, summary, argument, codes, steps, source } = runbook;
    const blocks: readonly Block[] = [
      {
        kind: "table",
        title: "Steps",
        columns: [{ title: "step" }, { title: "title" }, { title: "what is done" }],
        rows: steps.map((step): readonly Text[] => [[step.id], [step.title], stepWords(step)]),
      },
      ...(codes.length === 0
        ? []
        : [{ kind: "prose" as const, text: text`It can find: ${join(codes.map(code), ", ")}` }]),
      {
        kind: "prose",
        text:
          source === undefined
            ? text`Page: docs/runbooks/${id}.md`
            : text`This site's own, from ${code(source)}`,
      },
    ];
    return {
      verdict: { word: id, outcome: "info", text: [title] },
      why: summary,
      findings: [],
      blocks,
      next: [
        text`To run it: ${code(runWords(runbook))}`,
        ...(argument === undefined
          ? []
          : [text`For example: ${code(`/runbook run ${id} ${argument.example}`)}`]),
      ],
      actions: [],
      data: {
        ...about(runbook),
        codes,
        steps: steps.map((step) => ({ id: step.id, kind: step.kind, title: step.title })),
      },
    };
  },
});
