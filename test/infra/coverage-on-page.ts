import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The page as it is committed, which each of its lists must be a part of. */
export const coverageOnPage = (): string =>
  readFileSync(join(import.meta.dirname, "../../docs/coverage.md"), "utf8");
