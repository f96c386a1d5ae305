import { closest, distance } from "fastest-levenshtein";

/** The valid word a person most likely meant, or undefined when nothing is close enough to be worth saying. */
export function nearest(word: string, valid: readonly string[]): string | undefined {
  if (word === "" || valid.length === 0) return undefined;
  const lower = word.toLowerCase();
  const prefixed = valid.filter((candidate) => candidate.toLowerCase().startsWith(lower));
  if (prefixed.length === 1 && lower.length >= 2) return prefixed[0];
  const best = closest(
    lower,
    valid.map((candidate) => candidate.toLowerCase()),
  );
  const found = valid.find((candidate) => candidate.toLowerCase() === best);
  // Two swapped letters count as two edits, and that is the commonest slip of all.
  const length = Math.max(word.length, best.length);
  const limit = length < 4 ? 1 : Math.max(2, Math.floor(length / 3));
  return distance(lower, best) <= limit ? found : undefined;
}
