import { isIP } from "node:net";
import * as z from "zod";
import { affixProblem } from "#shared/dns/ownership-name.ts";
import { defaultDeleteLimits } from "#shared/drift/guards.ts";
import { clusterName, commonEnvironment, hostedZone } from "../settings.ts";

export const applyEnvironment = z.object({
  ...commonEnvironment,
  /** Name or ARN of the secret with `--txt-encrypt-aes-key`, where ExternalDNS encrypts. */
  TXT_KEY_SECRET: z.string().min(1).optional(),
});

const affixes = z
  .strictObject({
    prefix: z.string().min(1).optional(),
    suffix: z.string().min(1).optional(),
    wildcardReplacement: z.string().min(1).optional(),
  })
  .superRefine((value, context) => {
    const problem = affixProblem({
      ...(value.prefix !== undefined && { prefix: value.prefix }),
      ...(value.suffix !== undefined && { suffix: value.suffix }),
    });
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  })
  .transform(({ prefix, suffix, wildcardReplacement }) => ({
    ...(prefix !== undefined && { prefix }),
    ...(suffix !== undefined && { suffix }),
    ...(wildcardReplacement !== undefined && { wildcardReplacement }),
  }));

const server = z
  .string()
  .refine(
    (value) => isIP(value.split("#")[0] ?? "") !== 0,
    "must be an address, with a port after # if need be",
  );

/** The writer's own rules: what the bot says about approvers, limits and ownership counts for nothing here. */
export const applySettings = z.strictObject({
  cluster: clusterName,
  zones: z.array(hostedZone).min(1),
  /** Names of people, as the bot's configuration has them. */
  approvers: z.array(z.string().min(1)).min(1),
  /** Owner ids of ours: `--txt-owner-id` of every ExternalDNS of the cluster. */
  owners: z.array(z.string().min(1)).min(1),
  /** How their ownership TXTs are named. */
  affixes: z.array(affixes).min(1).default([{}]),
  limits: z
    .strictObject({ absolute: z.number().int().min(0), share: z.number().min(0).max(1) })
    .default(defaultDeleteLimits),
  /** Longest that a request may be open, whatever the bot wrote into it. */
  openSeconds: z.number().int().min(60).max(86_400).default(86_400),
  /** Longest wait until every name server has a change. */
  insyncSeconds: z.number().int().min(0).max(600).default(180),
  /** Route 53 gives an account five calls a second, for all its callers together. */
  callsPerSecond: z.number().positive().max(5).default(1),
  /** Addresses of name servers that the function's resolver does not know. */
  nameServers: z.record(z.string(), server).default({}),
});

export type ApplyEnvironment = z.output<typeof applyEnvironment>;
export type ApplyConfig = z.output<typeof applySettings>;
