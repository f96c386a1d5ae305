import * as z from "zod";
import type { Check } from "#shared/checks/check.ts";
import { nearest } from "#shared/nearest.ts";
import type { Reply } from "#shared/reply.ts";
import { code, strong, type Text, text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

/** Markdown of a page as inline text: paragraphs are joined lines, `code` stays code. */
function prose(markdown: string): Text {
  const paragraphs = markdown.split(/\n{2,}/).map((each) => each.replaceAll("\n", " ").trim());
  return paragraphs
    .join("\n")
    .split("`")
    .flatMap((part, i) => (part === "" ? [] : [i % 2 === 1 ? code(part) : part]));
}

const section = (title: string, markdown: string): Reply["blocks"][number] => ({
  kind: "prose",
  text: [strong(title), "\n", ...prose(markdown)],
});

const page = (check: Check): Reply => ({
  verdict: { word: check.id, outcome: "info", text: [`${check.title}.`] },
  findings: [],
  blocks: [
    section("Why", check.page.why),
    section("How it looks", check.page.looks),
    section("How to fix it", check.page.fix),
    { kind: "prose", text: [`Codes: ${check.codes.join(", ")}`] },
  ],
  next: [text`${code(`/nodes check --only ${check.id}`)}`],
  actions: [],
  data: {
    check: check.id,
    about: check.about,
    title: check.title,
    codes: check.codes,
    needs: check.needs,
    reads: check.reads,
    ...check.page,
  },
});

const list = (checks: readonly Check[]): Reply => ({
  verdict: { word: "Checks", outcome: "info", text: [`${checks.length}, in the order they are told.`] },
  findings: [],
  blocks: [
    {
      kind: "table",
      columns: [{ title: "check" }, { title: "holds when it passes" }],
      rows: checks.map((check): Text[] => [[check.id], [check.title]]),
    },
  ],
  next: [text`${code(`/nodes explain ${checks[0]?.id ?? ""}`)}`],
  actions: [],
  data: { checks: checks.map(({ id, about, title }) => ({ id, about, title })) },
});

/** `/nodes explain [CHECK]`: a code of a finding does as well as the name of its check. */
export const explain = defineVerb({
  path: ["explain"],
  usage: "[CHECK]",
  summary: "Why a check is made, how its failure looks, and how to fix it; without a name, all checks.",
  examples: ["wired-and-wifi", ""],
  positionals: ["check"],
  options: [],
  input: z.object({ check: z.string().optional() }),
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: ["slack", "console", "cli"],
  handle: async ({ input }) => {
    const { checks } = await import("#shared/checks/all.ts");
    const { check: wanted } = input;
    if (wanted === undefined) return list(checks);
    const found = checks.find(({ id, codes }) => id === wanted || codes.includes(wanted));
    if (found !== undefined) return page(found);
    const ids = checks.map(({ id }) => id);
    const near = nearest(wanted, [...ids, ...checks.flatMap(({ codes }) => codes)]);
    return {
      verdict: {
        word: "Usage",
        outcome: "usage",
        text: text`No check ${code(wanted)}.${near === undefined ? "" : text` Nearest: ${code(near)}.`}`,
      },
      findings: [],
      blocks: [],
      next: [text`Checks: ${ids.join(", ")}`],
      actions: [],
      data: { checks: ids },
    };
  },
});
