import type { Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import type { Command, Door, Verb } from "./commands/command.ts";
import { verbName } from "./parse.ts";

/** How a command is typed at each door: with a slash in Slack and the console, after the program's name in a shell. */
export const typed = (door: Door, words: string): string => {
  if (door !== "cli") return `/${words}`;
  return /^arpeggio\b/.test(words) ? words : `arpeggio ${words}`;
};

const usageLine = (door: Door, command: Command, verb: Verb): string =>
  typed(door, `${verbName(command, verb)} ${verb.usage}`.trim());

/** In a shell some verbs can be asked in further ways. */
const shellLines = (door: Door, command: Command, verb: Verb): readonly string[] =>
  door !== "cli"
    ? []
    : (verb.shellUsages ?? []).map((usage) => typed(door, `${verbName(command, verb)} ${usage}`));

const exampleLine = (door: Door, command: Command, verb: Verb): string =>
  typed(door, `${verbName(command, verb)} ${verb.examples[0] ?? ""}`.trim());

/** Help for one command: what each verb does, how it is typed, one example each. */
export function commandHelp(command: Command, door: Door): Reply {
  const verbs = command.verbs.filter((verb) => verb.doors.includes(door));
  return {
    verdict: {
      word: "Help",
      outcome: "info",
      text: text`${code(typed(door, command.name))}: ${command.summary}`,
    },
    findings: [],
    blocks: [
      {
        kind: "table",
        columns: [{ title: "type" }, { title: "what it does" }],
        rows: verbs.flatMap((verb) => [
          [[{ code: usageLine(door, command, verb) }], [verb.summary]],
          ...shellLines(door, command, verb).map((line) => [
            [{ code: line }],
            ["The same, in a shell only."],
          ]),
        ]),
      },
    ],
    next: verbs.slice(0, 3).map((verb) => text`Example: ${code(exampleLine(door, command, verb))}`),
    actions: [],
    data: {
      command: command.name,
      verbs: verbs.map((verb) => ({
        usage: usageLine(door, command, verb),
        summary: verb.summary,
        examples: verb.examples.map((tail) => typed(door, `${verbName(command, verb)} ${tail}`.trim())),
        options: verb.options.map((option) => ({ name: `--${option.name}`, about: option.about })),
      })),
    },
  };
}

/** Help for the whole product: one line a command. */
export function overview(commands: readonly Command[], door: Door): Reply {
  const shown = commands.filter((command) => command.verbs.some((verb) => verb.doors.includes(door)));
  const first = shown[0];
  const verb = first?.verbs[0];
  return {
    verdict: { word: "Help", outcome: "info", text: ["Arpeggio predicts, proves, then changes."] },
    findings: [],
    blocks: [
      {
        kind: "table",
        columns: [{ title: "command" }, { title: "what it does" }],
        rows: shown.map((command) => [[{ code: typed(door, command.name) }], [command.summary]]),
      },
    ],
    next: [
      ...(first && verb ? [text`Start with ${code(exampleLine(door, first, verb))}`] : []),
      text`Details of one: ${code(typed(door, "arpeggio help COMMAND"))}`,
    ],
    actions: [],
    data: { commands: shown.map((command) => ({ name: command.name, summary: command.summary })) },
  };
}

/** The arguments are not right: every problem, the usage, one example. */
export function usageReply(command: Command, verb: Verb, problems: readonly string[], door: Door): Reply {
  const [first = "the arguments are not right", ...rest] = problems;
  return {
    verdict: {
      word: "Not understood",
      outcome: "usage",
      text: text`${code(typed(door, verbName(command, verb)))}: ${first}`,
    },
    findings: [],
    blocks: rest.map((problem) => ({ kind: "prose", text: [`Also: ${problem}`] })),
    next: [
      text`Usage: ${code(usageLine(door, command, verb))}`,
      ...shellLines(door, command, verb).map((line) => text`Or: ${code(line)}`),
      text`Example: ${code(exampleLine(door, command, verb))}`,
    ],
    actions: [],
    data: { problems: [...problems] },
  };
}

export function unknownReply(
  word: string,
  command: Command | undefined,
  near: string | undefined,
  commands: readonly Command[],
  door: Door,
): Reply {
  const what: Text = command
    ? text`${code(typed(door, command.name))} has no "${word}".`
    : text`There is no command "${word}".`;
  const suggestion = near
    ? text` Nearest: ${code(typed(door, command ? `${command.name} ${near}`.trim() : near))}`
    : [];
  const known = command
    ? command.verbs.filter((v) => v.doors.includes(door)).map((v) => typed(door, verbName(command, v)))
    : commands.filter((c) => c.verbs.some((v) => v.doors.includes(door))).map((c) => typed(door, c.name));
  return {
    verdict: { word: "Not understood", outcome: "usage", text: [...what, ...suggestion] },
    findings: [],
    blocks: [],
    next: [text`Known: ${known.flatMap((k, i) => (i === 0 ? [code(k)] : [" · ", code(k)]))}`],
    actions: [],
    data: { word, nearest: near ?? null, known },
  };
}
