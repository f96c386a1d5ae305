import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import * as z from "zod";
import { applySettings } from "#lambdas/apply-changes/config.ts";
import { scanSettings } from "#lambdas/scan-drift/config.ts";

/** What people decide about a deployment; what belongs to a function is checked with that function's own rules. */
const deployment = z.strictObject({
  /** Name of the CloudFormation stack; with two clusters there are two. */
  stack: z.string().regex(/^[A-Za-z][-A-Za-z0-9]{0,60}$/, "must be a name of letters, digits and hyphens"),
  cluster: z.unknown().optional(),
  zones: z.unknown().optional(),
  oldDomains: z.unknown().optional(),
  slackChannel: z.unknown().optional(),
  digestHour: z.unknown().optional(),
  approvers: z.unknown().optional(),
  owners: z.unknown().optional(),
  affixes: z.unknown().optional(),
  limits: z.unknown().optional(),
  openSeconds: z.unknown().optional(),
  /** ExternalDNS encrypts its TXT records: a secret for its key is made. */
  encryptedTxt: z.boolean().default(false),
  /** Where alarms go; without it they are only seen in CloudWatch. */
  alarmTopicArn: z
    .string()
    .regex(/^arn:aws[-a-z]*:sns:/, "must be the ARN of an SNS topic")
    .optional(),
});

export type Deployment = Readonly<{
  stack: string;
  zones: readonly Readonly<{ id: string; name: string }>[];
  encryptedTxt: boolean;
  alarmTopicArn: string | undefined;
  /** As the functions find them beside their code. */
  settings: Readonly<{ "scan-drift": unknown; "apply-changes": unknown }>;
}>;

export type ReadDeployment =
  | Readonly<{ ok: true; deployment: Deployment }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

const told = (error: z.ZodError): readonly string[] =>
  error.issues.map(({ path, message }) => [path.join("."), message].filter((part) => part !== "").join(": "));

const given = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** Reads YAML or JSON; every problem at once. */
export function readDeployment(text: string): ReadDeployment {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
  }
  const read = deployment.safeParse(document);
  if (!read.success) return { ok: false, problems: told(read.error) };
  const { stack, encryptedTxt, alarmTopicArn, ...all } = read.data;
  const { cluster, zones, limits, oldDomains, slackChannel, digestHour } = all;
  const { approvers, owners, affixes, openSeconds } = all;
  const scan = given({ cluster, zones, limits, oldDomains, slackChannel, digestHour });
  const apply = given({ cluster, zones, limits, approvers, owners, affixes, openSeconds });
  const scanRead = scanSettings.safeParse(scan);
  const applyRead = applySettings.safeParse(apply);
  if (!scanRead.success || !applyRead.success)
    return {
      ok: false,
      problems: [...new Set([scanRead, applyRead].flatMap((each) => (each.success ? [] : told(each.error))))],
    };
  return {
    ok: true,
    deployment: {
      stack,
      zones: scanRead.data.zones,
      encryptedTxt,
      alarmTopicArn,
      settings: { "scan-drift": scan, "apply-changes": apply },
    },
  };
}

export async function loadDeployment(file: string): Promise<Deployment> {
  const read = readDeployment(await readFile(file, "utf8"));
  if (read.ok) return read.deployment;
  throw new Error(`${file}:\n${read.problems.map((each) => `- ${each}`).join("\n")}`);
}
