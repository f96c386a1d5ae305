import * as z from "zod";
import { FaultError } from "#shared/fault.ts";
import { counted } from "#shared/report/wording.ts";
import { code, text } from "#shared/text.ts";
import { knownToSite, problemLine, readSiteRunbooks } from "../site-runbooks.ts";
import { defineVerb } from "./command.ts";
import { runWords } from "./runbook-words.ts";

/** `arpeggio runbook check FILE`: whether a site's own runbooks would be taken, before the bot is started with them. */
export const checkFile = defineVerb({
  path: ["check"],
  usage: "FILE",
  summary: "Judge a file of a site's own runbooks: every problem with its line, before a bot reads it.",
  examples: ["runbooks.yaml"],
  positionals: ["file"],
  options: [],
  input: z.object({ file: z.string() }),
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: ["cli"],
  handle: async ({ deps, input }) => {
    const bare = { findings: [], actions: [] };
    let content: string;
    try {
      content = await deps.readFile(input.file);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      const { what, detail } = error.fault;
      return {
        ...bare,
        verdict: { word: "Not understood", outcome: "usage", text: text`${code(what)}: ${detail}` },
        blocks: [],
        data: { problems: [`${what}: ${detail}`] },
      };
    }
    const read = readSiteRunbooks(content, input.file, { ...(await knownToSite()), taken: [] });
    if (!read.ok) {
      const problems = read.problems.map((problem) => problemLine(input.file, problem));
      return {
        ...bare,
        verdict: {
          word: "Not understood",
          outcome: "usage",
          text: text`${code(input.file)} has ${counted(problems.length, "problem")}`,
        },
        blocks: [{ kind: "evidence", title: "problems", lines: problems }],
        next: [text`What the file holds: docs/site-runbooks.md`],
        data: { problems },
      };
    }
    const [first] = read.runbooks;
    return {
      ...bare,
      verdict: {
        word: "OK",
        outcome: "ok",
        text: text`${code(input.file)} holds ${counted(read.runbooks.length, "runbook")}: ${read.runbooks.map(({ id }) => id).join(", ")}`,
      },
      blocks: [],
      next: [
        text`Name the file in the config under ${code("runbooks:")} and start the bot anew`,
        ...(first === undefined ? [] : [text`Then: ${code(runWords(first))}`]),
      ],
      data: {
        runbooks: read.runbooks.map(({ id, steps }) => ({ id, steps: steps.map((step) => step.id) })),
      },
    };
  },
});
