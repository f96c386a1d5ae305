import type { Json } from "../json.ts";
import type { RunFacts } from "../steps/step.ts";

type Notes = RunFacts["notes"];

const noted = (notes: Notes, step: string): Readonly<Record<string, Json | undefined>> => {
  const found = notes[step];
  return typeof found === "object" && found !== null && !Array.isArray(found)
    ? (found as Readonly<Record<string, Json | undefined>>)
    : {};
};

const numberAt = (notes: Notes, step: string, key: string): number | undefined => {
  const found = noted(notes, step)[key];
  return typeof found === "number" ? found : undefined;
};

/**
 * Since when the new names have stood beside the old: when they were verified, else when they were added, else when the
 * run first looked. Milliseconds since the epoch.
 */
export const newNamesSince = (notes: Notes): number | undefined =>
  numberAt(notes, "verify-new-names", "at") ?? addedAt(notes);

export const addedAt = (notes: Notes): number | undefined =>
  numberAt(notes, "add-hostnames", "at") ?? numberAt(notes, "survey-dns", "at");

export const droppedAt = (notes: Notes): number | undefined => numberAt(notes, "drop-old-hostnames", "at");

/** Old names the survey found published: what is gone later is measured against these. */
export function surveyedNames(notes: Notes): readonly string[] {
  const { names } = noted(notes, "survey-dns");
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === "string") : [];
}

/** New names that were proven to resolve, without their types. */
export function verifiedNames(notes: Notes): readonly string[] {
  const { names } = noted(notes, "verify-new-names");
  return Array.isArray(names)
    ? [...new Set(names.flatMap((name) => (typeof name === "string" ? (name.split(" ")[0] ?? []) : [])))]
    : [];
}

/** Seconds; the longest TTL that resolvers may still hold for an old name. Undefined where no survey wrote it down. */
export const notedTtl = (notes: Notes): number | undefined => numberAt(notes, "survey-dns", "oldTtl");

/** How a later round of those who sync is awaited, as the survey of the DNS side found them. */
export const syncNotes = (notes: Notes): Notes => ({ survey: notes["survey-dns"] ?? null });
