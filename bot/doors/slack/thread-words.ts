import { nearest } from "#shared/nearest.ts";
import type { Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import type { Command, Verb } from "../../commands/command.ts";
import { quoteWords } from "../../quote-words.ts";
import { splitWords } from "../../words.ts";

/** What words typed in a thing's thread come to: a command to ask with the mentioner's rights, or an answer. */
export type Meant = Readonly<{ words: string }> | Readonly<{ reply: Reply }>;

/** `key` is the board's name of the thing whose thread it is; undefined: these threads have no words of their own. */
export type ThreadWords = (key: string, words: string) => Meant | undefined;

/** Which command a kind of thing's thread speaks: `@arpeggio next` under `run/R-17` is `migrate next R-17`. */
export type ThreadKind = Readonly<{ kind: string; command: string; positional: string }>;

export const threadKinds: readonly ThreadKind[] = [
  { kind: "run", command: "migrate", positional: "run" },
  { kind: "plan", command: "dns", positional: "plan" },
  { kind: "incident", command: "runbook", positional: "incident" },
];

/** How a verb takes the thing: as one of its positionals, or as an option. Undefined: it is not about one. */
function placeOf(verb: Verb, positional: string): number | "option" | undefined {
  const at = verb.positionals.indexOf(positional);
  if (at >= 0) return at;
  return verb.options.some((option) => option.name === positional) ? "option" : undefined;
}

const bare = (said: Text, next: readonly Text[]): Reply => ({
  verdict: { word: "Not understood", outcome: "usage", text: said },
  findings: [],
  blocks: [],
  next,
  actions: [],
});

/** Prose behind a verb that takes any words needs no quoting rules: `note it's quiet again`. */
function wordsOf(said: string, verbs: readonly Verb[]): readonly string[] | undefined {
  const split = splitWords(said);
  if (split.ok) return split.words;
  const [, first = "", rest = ""] = /^\s*(\S+)\s+(.*)$/s.exec(said) ?? [];
  const verb = verbs.find(({ path }) => path[0] === first.toLowerCase());
  return verb?.positionals.at(-1)?.endsWith("...") ? [first, rest] : undefined;
}

/**
 * From the command table: the verbs of a kind's command that are about one such thing. Words that start another
 * command stay that command; everything else gets the nearest of both.
 */
export function threadWords(
  commands: readonly Command[],
  kinds: readonly ThreadKind[] = threadKinds,
): ThreadWords {
  const names = commands.map(({ name }) => name);
  return (key, said) => {
    const slash = key.indexOf("/");
    const id = key.slice(slash + 1);
    const kind = kinds.find((one) => one.kind === key.slice(0, slash));
    const command = commands.find(({ name }) => name === kind?.command);
    if (kind === undefined || command === undefined) return undefined;
    const verbs = command.verbs.filter(
      (verb) =>
        verb.path.length === 1 &&
        verb.doors.includes("slack") &&
        placeOf(verb, kind.positional) !== undefined,
    );
    const words = verbs.flatMap((verb) => verb.path);
    const parts = said === "" && words.includes("status") ? ["status"] : wordsOf(said, verbs);
    if (parts === undefined) return undefined;
    const [typed, ...tail] = parts;
    const first = typed?.toLowerCase();
    const verb = verbs.find(({ path }) => path[0] === first);
    if (verb !== undefined && first !== undefined) {
      // Whoever names the thing all the same means this one or is told otherwise by the command.
      if (tail.includes(id)) return { words: quoteWords([command.name, first, ...tail]) };
      const at = placeOf(verb, kind.positional);
      const args =
        at === "option"
          ? [...tail, `--${kind.positional}`, id]
          : [...tail.slice(0, at), id, ...tail.slice(at)];
      return { words: quoteWords([command.name, first, ...args]) };
    }
    if (first === undefined || first === "help" || names.includes(first)) return undefined;
    const near = nearest(first, [...words, ...names]);
    const known = words.flatMap((word, i): Text => (i === 0 ? [code(word)] : [" · ", code(word)]));
    return {
      reply: bare(
        text`${code(first)} is no word for the thread of ${id}.${near === undefined ? [] : text` Nearest: ${code(`@arpeggio ${near}`)}`}`,
        [text`Here: ${known}`, text`Any command works too: ${code("@arpeggio help")}`],
      ),
    };
  };
}
