import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { type Fqdn, readFqdn } from "#shared/dns/fqdn.ts";

/** A domain as people write it. */
export const domain = z.string().transform((value, context): Fqdn => {
  const read = readFqdn(value);
  if (read.ok) return read.fqdn;
  context.addIssue({ code: "custom", message: `must be a domain such as goldentooth.net: ${read.problem}` });
  return z.NEVER;
});

export const hostedZone = z.strictObject({
  id: z.string().regex(/^Z[A-Z0-9]+$/, "must be a hosted zone id such as Z0123456789ABC"),
  name: domain,
});

/** Clusters are named as the bot's configuration names them: their snapshots stand under that name. */
export const clusterName = z
  .string()
  .regex(/^[a-z0-9][-a-z0-9.]*$/, "must be the cluster's name in the bot's config");

/** What both functions find in their environment: where things are. What people decide is in the settings. */
export const commonEnvironment = {
  AWS_REGION: z.string().min(1),
  LEDGER_TABLE: z.string().min(3),
  SNAPSHOT_BUCKET: z.string().min(3),
};

const problems = (error: z.ZodError, where: string): readonly string[] =>
  error.issues.map(
    ({ path, message }) => `${where}${path.length === 0 ? "" : ` ${path.join(".")}`}: ${message}`,
  );

/**
 * The environment, and the settings in the file that was deployed with the function: nobody changes them who may only
 * invoke it. Throws one error with every problem in it.
 */
export async function readSettings<E, S>(
  env: Readonly<Record<string, string | undefined>>,
  shapes: Readonly<{ environment: z.ZodType<E>; settings: z.ZodType<S> }>,
): Promise<Readonly<{ environment: E; settings: S }>> {
  const found = shapes.environment.safeParse(env);
  const file = env.SETTINGS_FILE ?? join(env.LAMBDA_TASK_ROOT ?? ".", "settings.json");
  const wrong = found.success ? [] : [...problems(found.error, "environment")];
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    wrong.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const settings = json === undefined ? undefined : shapes.settings.safeParse(json);
  if (settings && !settings.success) wrong.push(...problems(settings.error, file));
  if (!found.success || !settings?.success)
    throw new Error(`the function is not configured:\n${wrong.map((each) => `- ${each}`).join("\n")}`);
  return { environment: found.data, settings: settings.data };
}
