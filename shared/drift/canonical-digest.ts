import { hash } from "node:crypto";

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, each]) => [key, sorted(each)]),
  );
};

/** Canonical JSON: keys sorted, `undefined` left out. Equal values give equal text whatever order they were built in. */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value));

/** SHA-256 over canonical JSON, in hexadecimal. */
export const canonicalDigest = (value: unknown): string => hash("sha256", canonicalJson(value));
