import * as z from "zod";

/** A time of an object in milliseconds since the epoch; undefined where there is none that can be read. */
export const instant = z
  .string()
  .nullish()
  .transform((value) => {
    const at = Date.parse(value ?? "");
    return Number.isNaN(at) ? undefined : at;
  });

/** A word that may be left out; empty then. */
export const optionalWord = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
