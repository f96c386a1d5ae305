import * as z from "zod";
import { defaultDeleteLimits } from "#shared/drift/guards.ts";
import { clusterName, commonEnvironment, domain, hostedZone } from "../settings.ts";

export const scanEnvironment = z.object({
  ...commonEnvironment,
  /** Name or ARN of the secret that holds the bot token. */
  SLACK_TOKEN_SECRET: z.string().min(1),
  /** Base of Slack's Web API, ending in a slash; Slack's own when absent. */
  SLACK_API_URL: z.url().optional(),
});

export const scanSettings = z.strictObject({
  cluster: clusterName,
  zones: z.array(hostedZone).min(1),
  /** Domains the site moves away from. */
  oldDomains: z.array(domain).default([]),
  slackChannel: z.string().regex(/^[CG][A-Z0-9]+$/, "must be the id of a channel such as C0123456789"),
  /** Hour of the day, UTC, from which on the daily digest is posted. */
  digestHour: z.number().int().min(0).max(23).default(7),
  /** Route 53 gives an account five calls a second, for all its callers together. */
  callsPerSecond: z.number().positive().max(5).default(2),
  /** For the plans that a report offers; the writer has its own. */
  limits: z
    .strictObject({ absolute: z.number().int().min(0), share: z.number().min(0).max(1) })
    .default(defaultDeleteLimits),
});

export type ScanEnvironment = z.output<typeof scanEnvironment>;
export type ScanConfig = z.output<typeof scanSettings>;
