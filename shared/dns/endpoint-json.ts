import * as z from "zod";
import type { Json } from "../json.ts";
import type { DomainFilter } from "./domain-filter.ts";
import { noDomainFilter, regexProblem } from "./domain-filter.ts";
import type { Endpoint, ProviderProperty } from "./endpoint.ts";
import type { Changes } from "./plan.ts";
import { isPolicy, policies } from "./policy.ts";

const listedProperties = z.array(z.strictObject({ name: z.string().min(1), value: z.string().default("") }));

/** A list of `{name, value}` as DNSEndpoint objects have it, or `{name: value}`. */
export const providerSpecificShape = z
  .union([listedProperties, z.record(z.string().min(1), z.string())], {
    error: 'expected [{"name", "value"}] or {"name": "value"}',
  })
  .transform((given): readonly ProviderProperty[] =>
    Array.isArray(given) ? given : Object.entries(given).map(([name, value]) => ({ name, value })),
  );

const recordType = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]*$/, "expected a record type such as A")
  .transform((type) => type.toUpperCase());

const ttl = z
  .number()
  .int("expected whole seconds")
  .min(0, "expected 0 (not configured) or more seconds")
  .max(2_147_483_647);

const withoutDot = (name: string): string => (name.endsWith(".") && name !== "." ? name.slice(0, -1) : name);

export const endpointShape = z
  .strictObject({
    name: z.string().min(1, "expected a domain name"),
    type: recordType,
    targets: z.array(z.string()),
    ttl: ttl.nullish(),
    setIdentifier: z.string().nullish(),
    labels: z.record(z.string(), z.string()).nullish(),
    providerSpecific: providerSpecificShape.nullish(),
  })
  .transform(
    (given): Endpoint => ({
      name: withoutDot(given.name.trim()),
      type: given.type,
      targets: given.targets,
      ttl: given.ttl ?? 0,
      setIdentifier: given.setIdentifier ?? "",
      labels: given.labels ?? {},
      providerSpecific: given.providerSpecific ?? undefined,
    }),
  );

const regex = z.string().superRefine((source, context) => {
  const problem = regexProblem(source);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const commaList = (text: string): readonly string[] =>
  text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");

const domainFilterShape = z
  .union(
    [
      z.string(),
      z.array(z.string()),
      z.strictObject({
        include: z.array(z.string()).optional(),
        exclude: z.array(z.string()).optional(),
        regexInclude: regex.optional(),
        regexExclude: regex.optional(),
      }),
    ],
    {
      error:
        'expected a domain, a list of domains, or {"include", "exclude", "regexInclude", "regexExclude"}',
    },
  )
  .transform((given): DomainFilter => {
    if (typeof given === "string") return { ...noDomainFilter, include: commaList(given) };
    if (Array.isArray(given)) return { ...noDomainFilter, include: given };
    const { include = [], exclude = [], regexInclude, regexExclude } = given;
    return { include, exclude, regexInclude, regexExclude };
  });

const planRequest = z.strictObject({
  config: z.strictObject({
    ownerId: z.string().default(""),
    policy: z
      .string()
      .refine(isPolicy, `expected ${policies.join(", ")}`)
      .default("sync"),
    managedTypes: z.array(recordType).default(["A", "AAAA", "CNAME"]),
    excludedTypes: z.array(recordType).nullish(),
    domainFilter: domainFilterShape.nullish(),
    migrateFromOwner: z.string().nullish(),
  }),
  current: z.array(endpointShape),
  desired: z.array(endpointShape),
});

export type PlanRequest = z.output<typeof planRequest>;

export type ReadPlanRequest =
  | Readonly<{ ok: true; request: PlanRequest }>
  | Readonly<{ ok: false; problems: readonly string[] }>;

const place = (path: readonly PropertyKey[]): string =>
  path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`))
    .join("");

/** Reads what `plan-endpoints` takes; every problem at once, each with its place. */
export function readPlanRequest(content: string): ReadPlanRequest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.replace(/^\uFEFF/, ""));
  } catch (error) {
    return { ok: false, problems: [`not JSON: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const read = planRequest.safeParse(parsed);
  if (read.success) return { ok: true, request: read.data };
  return {
    ok: false,
    problems: read.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `${place(path)}: ${message}`,
    ),
  };
}

/** As `plan-endpoints` prints it: what is not set is left out. */
export const endpointJson = (endpoint: Endpoint): { readonly [key: string]: Json } => ({
  name: endpoint.name,
  type: endpoint.type,
  targets: [...endpoint.targets],
  ...(endpoint.ttl > 0 && { ttl: endpoint.ttl }),
  ...(endpoint.setIdentifier !== "" && { setIdentifier: endpoint.setIdentifier }),
  ...(Object.keys(endpoint.labels).length > 0 && { labels: endpoint.labels }),
  ...(endpoint.providerSpecific !== undefined &&
    endpoint.providerSpecific.length > 0 && {
      providerSpecific: endpoint.providerSpecific.map(({ name, value }) => ({ name, value })),
    }),
});

/** Endpoints and nothing else; an update is the record as it shall be, a blocked create the record that is wanted. */
export const changesJson = (changes: Changes): { readonly [key: string]: Json } => ({
  create: changes.create.map(endpointJson),
  update: changes.update.map(({ to }) => endpointJson(to)),
  delete: changes.delete.map(endpointJson),
  createsBlockedByOwner: changes.createsBlockedByOwner.map(({ wanted }) => endpointJson(wanted)),
});
