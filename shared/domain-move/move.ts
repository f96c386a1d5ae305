import * as z from "zod";
import { decodeName, type Fqdn, isWithin } from "../dns/fqdn.ts";
import { FaultError } from "../fault.ts";
import type { StepContext } from "../steps/step.ts";

const domain = z
  .string()
  .transform((value) => decodeName(value))
  .pipe(
    z
      .string()
      .regex(
        /^([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
        "must be a domain, for example goldentooth.net",
      ),
  );

const list = z
  .string()
  .default("")
  .transform((value) => value.split(",").flatMap((each) => (each.trim() === "" ? [] : [each.trim()])));

const lieInEachOther = ({ from, to }: Readonly<{ from?: string | undefined; to?: string | undefined }>) =>
  from !== undefined && to !== undefined && (isWithin(from, to) || isWithin(to, from));

/** What `/migrate ... dns-domain-move` takes beside the config. */
export const domainMoveShape = {
  from: domain.optional().describe("The domain that is left; default: dns.move.from"),
  to: domain.optional().describe("The domain that takes its place; default: dns.move.to"),
  accept: list.describe("Codes of warnings that are accepted as they are"),
};

/** Both or neither, and not one below the other: a name of the new domain would then be one of the old. */
export const checkMove = (
  given: Readonly<{ from?: string | undefined; to?: string | undefined }>,
  context: z.RefinementCtx,
): void => {
  if ((given.from === undefined) !== (given.to === undefined))
    context.addIssue({ code: "custom", message: "--from and --to go together" });
  if (lieInEachOther(given))
    context.addIssue({ code: "custom", message: "--from and --to must not lie in each other" });
};

export const domainMoveInputs = z.object(domainMoveShape).superRefine(checkMove);

const asked = z.object(domainMoveShape);

/** From which domain to which names move. `hellholt.net` to `services.k8s.goldentooth.net` is one too. */
export type Move = Readonly<{ from: Fqdn; to: Fqdn }>;

/** As the command or else the config has it. Throws FaultError where neither says. */
export function moveOf({ run, ports }: Pick<StepContext, "run" | "ports">): Move {
  const { from, to } = asked.parse(run.inputs);
  const given = from !== undefined && to !== undefined ? { from, to } : ports.config.dns?.move;
  if (given === undefined)
    throw new FaultError({
      kind: "not-configured",
      what: "the move",
      detail: "neither --from and --to nor dns.move in the config say which domain is left for which",
    });
  if (lieInEachOther(given))
    throw new FaultError({
      kind: "not-configured",
      what: "the move",
      detail: `${given.from} and ${given.to} lie in each other`,
    });
  return { from: decodeName(given.from) as Fqdn, to: decodeName(given.to) as Fqdn };
}

export const acceptedOf = ({ run }: Pick<StepContext, "run">): readonly string[] =>
  asked.parse(run.inputs).accept;

export const isOld = (name: string, { from }: Move): boolean => isWithin(decodeName(name.trim()), from);
export const isNew = (name: string, { to }: Move): boolean => isWithin(decodeName(name.trim()), to);

/** The name in the new domain; a name outside the old one stays as it is. */
export function movedName(name: string, { from, to }: Move): string {
  const read = decodeName(name.trim());
  return isWithin(read, from) ? `${read.slice(0, read.length - from.length)}${to}` : read;
}
