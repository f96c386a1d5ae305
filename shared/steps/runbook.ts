import type * as z from "zod";
import type { Text } from "../text.ts";
import type { Step } from "./step.ts";

/** An ordered list of steps under a name. */
export type Migration = Readonly<{
  id: string;
  title: string;
  summary: Text;
  /** `--from`, `--to` and the like, by name. */
  inputs: z.ZodType;
  steps: readonly Step[];
}>;
