import * as z from "zod";
import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import { redact } from "#shared/ledger/audit.ts";
import { nearest } from "#shared/nearest.ts";
import type { Reply } from "#shared/reply.ts";
import { code, join, type Text, text } from "#shared/text.ts";
import type { Deps, Door, Option } from "./command.ts";

export const everyDoor: readonly Door[] = ["slack", "console", "cli"];
/** What is kept in the ledger: a one-shot CLI has none. */
export const keepingDoors: readonly Door[] = ["slack", "console"];

export const incidentShape = /^I-\d+$/;
export const incidentId = z.string().regex(incidentShape, "must be an incident such as I-7");
export const incidentOption: Option = {
  name: "incident",
  value: "I-7",
  about: "which incident; the open one when left out",
};
/** For the record, so what looks like a secret is left out. */
export const words = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(3_000, "must be at most 3000 characters")
  .transform(redact);

/** Changes the incident's record and nothing in the world: an operator may also while changes are closed. */
export const keeping = {
  role: "operator",
  effect: "read",
  cluster: "one",
  doors: keepingDoors,
} as const;

export const runbooksOf = async (deps: Deps): Promise<readonly IncidentRunbook[]> =>
  (await deps.incidentRunbooks?.()) ?? [];

const usage = (said: Text, next: readonly Text[]): Reply => ({
  verdict: { word: "Not understood", outcome: "usage", text: said },
  findings: [],
  blocks: [],
  next,
  actions: [],
});

/** "run service-unreachable SERVICE|IP|HOSTNAME". */
export const runWords = ({ id, argument }: IncidentRunbook): string =>
  argument === undefined ? `/runbook run ${id}` : `/runbook run ${id} ${argument.usage}`;

/** The runbook of that name, or usage with the nearest one. */
export function runbookNamed(runbooks: readonly IncidentRunbook[], name: string): IncidentRunbook | Reply {
  const found = runbooks.find(({ id }) => id === name);
  if (found !== undefined) return found;
  const ids = runbooks.map(({ id }) => id);
  const near = nearest(name, ids);
  const all: Text =
    ids.length === 0
      ? ["This release has none, and the config names none."]
      : text`Runbooks: ${join(ids.map(code), ", ")}`;
  return usage(
    text`there is no runbook ${code(name)}.${near === undefined ? [] : text` Nearest: ${code(near)}`}`,
    [all, text`For changing a cluster there are others: ${code("/migrate plan RUNBOOK")}`],
  );
}

/** The word it is run with, null where it takes none; usage where that is not what it takes. */
export function subjectOf(runbook: IncidentRunbook, given: readonly string[]): string | null | Reply {
  const { argument } = runbook;
  const example = (): Text =>
    argument === undefined
      ? text`It is run as ${code(runWords(runbook))}`
      : text`It is run as ${code(runWords(runbook))}, for example ${code(`/runbook run ${runbook.id} ${argument.example}`)}`;
  const [word, ...others] = given;
  if (argument === undefined)
    return word === undefined
      ? null
      : usage(text`${code(runbook.id)} takes no argument, and was given ${code(given.join(" "))}`, [
          example(),
        ]);
  if (word === undefined) return usage(text`${code(runbook.id)} needs ${code(argument.usage)}`, [example()]);
  if (others.length > 0)
    return usage(text`${code(runbook.id)} takes one word, and was given ${given.length}`, [example()]);
  return word;
}

export const isRunbook = (value: IncidentRunbook | Reply): value is IncidentRunbook => "steps" in value;
