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
  .regex(/^R-\d+$/, "must be a run such as R-17 (J-17 is a command that was asked)")
  .optional();
export const runOption: Option = {
  name: "run",
  value: "R-17",
  about: "which run; the open one when left out",
};
export const said = z.string().trim().min(1, "must not be empty").max(500, "must be at most 500 characters");

/** Inputs of the runbooks that have an option of their own; each runbook takes those it knows. */
const named = {
  from: ["NAME", "what the runbook moves from, where it asks for it"],
  to: ["NAME", "what it moves to"],
  advertisement: ["NAME", "name of the L2Advertisement"],
  manifest: [
    "REPOSITORY:PATH",
    "the L2Advertisement to create instead of ours, from a configured repository",
  ],
  interfaces: ["NIC,NIC", "interfaces to announce on, instead of the nodes' LAN interfaces"],
  canary: ["NAMESPACE/SERVICE", "the Service whose address goes first"],
  accept: ["CODE,CODE", "warnings that are accepted as they are"],
} as const;
/** Several values: with commas, or the option several times. */
const lists: ReadonlySet<string> = new Set(["interfaces", "accept"]);
const names = Object.keys(named) as (keyof typeof named)[];

export const inputOptions: readonly Option[] = [
  ...names.map(
    (name): Option => ({
      name,
      value: named[name][0],
      about: named[name][1],
      ...(lists.has(name) && { list: true }),
    }),
  ),
  { name: "with", value: "NAME=VALUE,...", about: "further inputs of the runbook", list: true },
];
/** For the usage line of the verbs that take them. */
export const inputUsage = inputOptions.map(({ name, value }) => `[--${name} ${value ?? ""}]`).join(" ");
const optional = z.string().optional();
export const inputShape = {
  from: optional,
  to: optional,
  advertisement: optional,
  manifest: optional,
  interfaces: optional,
  canary: optional,
  accept: optional,
  with: z
    .string()
    .regex(/^[\w-]+=/, "must be NAME=VALUE,NAME=VALUE")
    .optional(),
};

type Given = Readonly<Partial<Record<keyof typeof named | "with", string | undefined>>>;
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
  // Values may hold commas themselves: a new pair begins where a name and an equals sign follow.
  const pairs = (given.with ?? "")
    .split(/,(?=[\w-]+=)/)
    .filter((pair) => pair !== "")
    .map((pair): [string, string] => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
  const own = names.flatMap((input): [string, string][] => {
    const value = given[input];
    return value === undefined ? [] : [[input, value]];
  });
  const wanted = Object.fromEntries([...pairs, ...own]);
  const parsed = migration.inputs.safeParse(wanted);
  // Kept as they were given: whoever reads them reads them by the same schema.
  if (parsed.success) return { migration, inputs: wanted };
  return usage(
    cluster,
    text`${code(name)} needs other inputs: ${z.prettifyError(parsed.error).replaceAll("\n", "; ")}`,
    [text`Give them as options, or with ${code("--with NAME=VALUE")}.`],
  );
}
