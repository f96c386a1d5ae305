import * as z from "zod";
import { checkMove, domainMoveShape } from "../domain-move/move.ts";
import type { StepContext } from "../steps/step.ts";

/** What `/migrate ... wildcard-tls` takes beside the config. */
export const wildcardTlsShape = {
  ...domainMoveShape,
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "must be a namespace")
    .default("default")
    .describe("Where the Secret goes when no Ingress and no Gateway uses one"),
};

export const wildcardTlsInputs = z.object(wildcardTlsShape).superRefine(checkMove);

const asked = z.object(wildcardTlsShape);

export const namespaceOf = ({ run }: Pick<StepContext, "run">): string => asked.parse(run.inputs).namespace;
