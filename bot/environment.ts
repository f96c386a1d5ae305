import * as z from "zod";

/** A value that prints as `[secret]` wherever it may end up: logs, JSON, errors, string templates. */
export type Secret = Readonly<{ reveal: () => string; toString: () => string; toJSON: () => string }>;

export const secret = (value: string): Secret => ({
  reveal: () => value,
  toString: () => "[secret]",
  toJSON: () => "[secret]",
  [Symbol.for("nodejs.util.inspect.custom") as never]: () => "[secret]",
});

const environmentSchema = z.object({
  ARPEGGIO_CONFIG: z.string().min(1).optional(),
  SLACK_BOT_TOKEN: z
    .string()
    .regex(/^xoxb-/, "must be a bot token, which starts with xoxb-")
    .transform(secret)
    .optional(),
  SLACK_SIGNING_SECRET: z
    .string()
    .min(16, "must be the app's signing secret, 32 hexadecimal digits")
    .transform(secret)
    .optional(),
  SLACK_APP_TOKEN: z
    .string()
    .regex(/^xapp-/, "must be an app-level token, which starts with xapp-")
    .transform(secret)
    .optional(),
  ARPEGGIO_ALERTS_TOKEN: z
    .string()
    .min(16, "must be at least 16 characters, for example of `openssl rand -hex 32`")
    .transform(secret)
    .optional(),
  ARPEGGIO_HEARTBEAT_URL: z.url("must be a URL").transform(secret).optional(),
  SLACK_API_URL: z.url("must be a URL such as https://slack.com/api/").optional(),
  PORT: z.coerce.number("must be a port number").int().min(0).max(65_535, "must be a port number").optional(),
  HOST: z.string().min(1).optional(),
  KUBECONFIG: z.string().optional(),
  USER: z.string().optional(),
  LOGNAME: z.string().optional(),
  NO_COLOR: z.string().optional(),
});

export type Environment = z.output<typeof environmentSchema>;

export type EnvironmentResult =
  | Readonly<{ ok: true; environment: Environment }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

/** Reads the variables that we know; problems name the variable, never its value, since some are secrets. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): EnvironmentResult {
  const given = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = environmentSchema.safeParse(given);
  if (parsed.success) return { ok: true, environment: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`),
  };
}
