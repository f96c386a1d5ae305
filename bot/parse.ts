import { nearest } from "#shared/nearest.ts";
import type { Command, Door, Option, Verb } from "./commands/command.ts";

/** Options that every verb understands. `--json` is for doors whose answers a program may read. */
export const globalOptions: readonly Option[] = [
  { name: "cluster", value: "NAME", about: "which cluster; needed only where the config has several" },
];

export type Parsed =
  | Readonly<{ kind: "verb"; command: Command; verb: Verb; input: unknown; cluster: string | undefined }>
  | Readonly<{ kind: "help"; command: Command | undefined }>
  /** A command that needs more, typed alone: shows its help, but it is no success. */
  | Readonly<{ kind: "bare"; command: Command }>
  /** Not a command we have, or not one of its verbs. */
  | Readonly<{ kind: "unknown"; word: string; command: Command | undefined; nearest: string | undefined }>
  /** The verb is known; its arguments are not right. Every problem at once. */
  | Readonly<{ kind: "usage"; command: Command; verb: Verb; problems: readonly string[] }>
  | Readonly<{ kind: "elsewhere"; command: Command; verb: Verb }>;

const camel = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

function findVerb(command: Command, words: readonly string[]): Verb | undefined {
  return [...command.verbs]
    .sort((a, b) => b.path.length - a.path.length)
    .find((verb) => verb.path.every((word, i) => words[i] === word));
}

type Raw = { values: Record<string, string | true | string[]>; problems: string[] };

function collect(verb: Verb, words: readonly string[]): Raw {
  const values: Record<string, string | true | string[]> = {};
  const problems: string[] = [];
  const options = [...verb.options, ...globalOptions];
  const positionals: string[] = [];
  const give = (key: string, value: string): void => {
    values[key] = key in values ? `${String(values[key])},${value}` : value;
  };
  let onlyPositionals = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === "--" && !onlyPositionals && verb.takesProse !== true) {
      onlyPositionals = true;
      continue;
    }
    if (onlyPositionals || !word.startsWith("--")) {
      positionals.push(word);
      continue;
    }
    const [name = "", ...rest] = word.slice(2).split("=");
    const option = options.find((candidate) => candidate.name === name);
    if (!option && verb.takesProse === true) {
      positionals.push(word);
      continue;
    }
    if (!option) {
      const near = nearest(
        name,
        options.map((candidate) => candidate.name),
      );
      problems.push(`there is no option --${name}${near ? `; nearest: --${near}` : ""}`);
      // The value that belonged to it is not a positional: telling of it too would only be noise.
      if (rest.length === 0 && words[i + 1] !== undefined && !words[i + 1]?.startsWith("--")) i++;
      continue;
    }
    const key = camel(name);
    if (key in values && option.list !== true) {
      problems.push(`--${name} is given twice`);
      if (option.value !== undefined && rest.length === 0 && !words[i + 1]?.startsWith("--")) i++;
      continue;
    }
    if (option.value === undefined) {
      if (rest.length > 0) problems.push(`--${name} takes no value`);
      values[key] = true;
    } else if (rest.length > 0) {
      give(key, rest.join("="));
    } else if (words[i + 1] !== undefined && !(words[i + 1] as string).startsWith("--")) {
      give(key, words[++i] as string);
    } else {
      problems.push(`--${name} needs a value: --${name} ${option.value}`);
    }
  }
  const names = [...verb.positionals];
  const last = names.at(-1);
  if (last?.endsWith("...")) {
    names.pop();
    names.forEach((name, i) => {
      if (positionals[i] !== undefined) values[name] = positionals[i] as string;
    });
    values[last.slice(0, -3)] = positionals.slice(names.length);
  } else {
    names.forEach((name, i) => {
      if (positionals[i] !== undefined) values[name] = positionals[i] as string;
    });
    for (const extra of positionals.slice(names.length)) problems.push(`"${extra}" is one word too many`);
  }
  return { values, problems };
}

/** The names of verbs as people type them: `nodes impact`. */
export const verbName = (command: Command, verb: Verb): string => [command.name, ...verb.path].join(" ");

const asksHelp = (word: string): boolean => word === "help" || word === "--help" || word === "-h";

/** Words in, what is meant out. Pure: rights, clusters and doors' own options are decided elsewhere. */
export function parseCommand(words: readonly string[], commands: readonly Command[], door: Door): Parsed {
  const [first, ...tail] = words;
  if (first === undefined || asksHelp(first)) {
    const named = commands.find((command) => command.name === tail[0]);
    if (tail[0] !== undefined && !named) {
      return {
        kind: "unknown",
        word: tail[0],
        command: undefined,
        nearest: nearest(
          tail[0],
          commands.map((c) => c.name),
        ),
      };
    }
    return { kind: "help", command: named };
  }
  const command = commands.find((candidate) => candidate.name === first);
  if (!command) {
    return {
      kind: "unknown",
      word: first,
      command: undefined,
      nearest: nearest(
        first,
        commands.map((c) => c.name),
      ),
    };
  }
  // `/arpeggio help arping` is how help is asked for where every command starts with a slash.
  if (command.name === "arpeggio" && tail[0] === "help") return parseCommand(tail, commands, door);
  const verb = findVerb(command, tail);
  if (
    tail[0] === "-h" ||
    tail.at(-1) === "--help" ||
    (tail[0] === "help" && !(verb && verb.path.length > 0))
  ) {
    return { kind: "help", command };
  }
  if (!verb) {
    if (tail[0] === undefined) return { kind: "bare", command };
    const known = command.verbs.map((candidate) => candidate.path.join(" "));
    return { kind: "unknown", word: tail[0], command, nearest: nearest(tail[0], known) };
  }
  if (
    verb.path.length === 0 &&
    tail.length === 0 &&
    verb.positionals.length > 0 &&
    !verb.input.safeParse({}).success
  ) {
    return { kind: "bare", command };
  }
  if (!verb.doors.includes(door)) return { kind: "elsewhere", command, verb };
  const { values, problems } = collect(verb, tail.slice(verb.path.length));
  const { cluster, ...own } = values;
  const parsed = verb.input.safeParse(own);
  const all = [
    ...problems,
    ...(parsed.success
      ? []
      : parsed.error.issues.map((issue) => {
          const [name] = issue.path;
          const option = verb.options.find((candidate) => camel(candidate.name) === name);
          const label = option
            ? `--${option.name}`
            : typeof name === "string"
              ? name.toUpperCase()
              : "arguments";
          const missing = typeof name === "string" && !(name in own);
          return missing ? `${label} is missing` : `${label} ${issue.message}`;
        })),
  ];
  if (all.length > 0 || !parsed.success) return { kind: "usage", command, verb, problems: [...new Set(all)] };
  return {
    kind: "verb",
    command,
    verb,
    input: parsed.data,
    cluster: typeof cluster === "string" ? cluster : undefined,
  };
}
