import type { Text } from "../text.ts";
import type { IncidentState } from "./incident-state.ts";

/** A move that changes something, as the newest diagnosis proposes it. It is asked for like anybody's typed words. */
export type ProposedAct = Readonly<{
  /** Counts from 1 over the acts of one diagnosis: a button names it by this and never carries words. */
  number: number;
  label: string;
  /** Without slash, as it would be typed: "nodes fix karstark wifi-active". */
  words: string;
}>;

/** Commands that lead to an act with its plan and approval, by their first words, and what their button says. */
const leading: readonly (readonly [RegExp, string])[] = [
  [/^nodes fix \S+ \S+/, "Show the fix"],
  [/^dns plan \S+/, "Plan DNS changes"],
  [/^arping drill \S+/, "Start the drill"],
  [/^migrate (plan|start) \S+/, "Show the plan"],
  [/^migrate next\b/, "Go on with it"],
];

/** A word that people fill in themselves makes no button. */
const isWhole = (words: string): boolean => !/[<>[\]|\n]|(^|\s)[A-Z][A-Z_-]+(\s|$)/.test(words);

const commandsIn = (texts: readonly Text[]): readonly string[] =>
  texts.flatMap((said) =>
    said.flatMap((part) =>
      typeof part === "object" && "code" in part && part.code.startsWith("/") ? [part.code.slice(1)] : [],
    ),
  );

/** What the newest diagnosis proposes to do, likeliest cause first. Nothing while its cause is not certain. */
export function actsOf({ looked }: Pick<IncidentState, "looked">): readonly ProposedAct[] {
  if (looked === undefined || !("diagnosis" in looked)) return [];
  const { conclusion } = looked.diagnosis;
  const texts =
    conclusion.kind === "cause" ? [conclusion.cause, ...conclusion.also].flatMap(({ next }) => next) : [];
  const found = commandsIn(texts).flatMap((words) => {
    const known = leading.find(([shape]) => shape.test(words));
    return known === undefined || !isWhole(words) ? [] : [{ label: known[1], words }];
  });
  const unique = found.filter(({ words }, i) => found.findIndex((each) => each.words === words) === i);
  return unique.map((act, i) => ({ ...act, number: i + 1 }));
}
