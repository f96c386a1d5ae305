import * as z from "zod";
import type { Json } from "#shared/json.ts";
import { nearest } from "#shared/nearest.ts";
import type { Reply } from "#shared/reply.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import { code, text } from "#shared/text.ts";
import type { Door, Option } from "./command.ts";

/** Acts need the ledger, which the bot has; a one-shot CLI has none. */
export const actingDoors: readonly Door[] = ["slack", "console"];
export const everyDoor: readonly Door[] = ["slack", "console", "cli"];

export const run = z
  .string()
  .regex(/^R-\d+$/, "must be a run such as R-17")
  .optional();
export const runOption: Option = {
  name: "run",
  value: "R-17",
  about: "which run; the open one when left out",
};
export const said = z.string().trim().min(1, "must not be empty").max(500, "must be at most 500 characters");

export const inputOptions: readonly Option[] = [
  { name: "from", value: "NAME", about: "what the runbook moves from, where it asks for it" },
  { name: "to", value: "NAME", about: "what it moves to" },
  { name: "with", value: "NAME=VALUE,...", about: "further inputs of the runbook" },
];
export const inputShape = {
  from: z.string().optional(),
  to: z.string().optional(),
  with: z
    .string()
    .regex(/^[^=,]+=[^,]*(,[^=,]+=[^,]*)*$/, "must be NAME=VALUE,NAME=VALUE")
    .optional(),
};

type Given = Readonly<{ from?: string | undefined; to?: string | undefined; with?: string | undefined }>;
type Chosen = Readonly<{ migration: Migration; inputs: Readonly<Record<string, Json>> }>;

const usage = (cluster: string, words: Reply["verdict"]["text"], next: Reply["next"]): Reply => ({
  verdict: { word: "Not understood", outcome: "usage", text: words },
  cluster,
  findings: [],
  blocks: [],
  ...(next !== undefined && { next }),
  actions: [],
});

/** The runbook and its inputs, or everything that is wrong with them at once. */
export function chosenRunbook(
  migrations: readonly Migration[],
  cluster: string,
  name: string,
  given: Given,
): Chosen | Reply {
  const migration = migrations.find(({ id }) => id === name);
  const all = migrations.map(({ id }) => id);
  if (migration === undefined) {
    const near = nearest(name, all);
    return usage(
      cluster,
      text`there is no runbook ${code(name)}.${near === undefined ? [] : text` Nearest: ${code(near)}`}`,
      [all.length === 0 ? text`This release has no runbooks.` : text`Runbooks: ${all.join(", ")}`],
    );
  }
  const { with: more, ...named } = given;
  const pairs = (more ?? "")
    .split(",")
    .filter((pair) => pair !== "")
    .map((pair): [string, string] => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
  const wanted = {
    ...Object.fromEntries(pairs),
    ...Object.fromEntries(Object.entries(named).filter(([, v]) => v !== undefined)),
  };
  const parsed = migration.inputs.safeParse(wanted);
  if (parsed.success) return { migration, inputs: (parsed.data ?? {}) as Record<string, Json> };
  return usage(
    cluster,
    text`${code(name)} needs other inputs: ${z.prettifyError(parsed.error).replaceAll("\n", "; ")}`,
    [text`Give them with --from, --to or --with NAME=VALUE.`],
  );
}
