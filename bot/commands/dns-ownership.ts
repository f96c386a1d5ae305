import * as z from "zod";
import { decodeName, readFqdn } from "#shared/dns/fqdn.ts";
import { acceptsKey, readAesKey, readOwnershipText } from "#shared/dns/ownership-encryption.ts";
import { affixProblem, legacyTxtName, readTxtName, typedTxtName } from "#shared/dns/ownership-name.ts";
import {
  formatOwnershipText,
  type Labels,
  lostLabels,
  parseOwnershipText,
} from "#shared/dns/ownership-text.ts";
import {
  claimants,
  isTooLong,
  type OwnershipFlags,
  typedType,
  unknownFlags,
  whyNeverOwned,
  writtenTxts,
} from "#shared/dns/ownership-written.ts";
import { newestRelease, oldestRelease, ownershipRules, parseRelease } from "#shared/dns/release.ts";
import { FaultError } from "#shared/fault.ts";
import type { Json } from "#shared/json.ts";
import { nearest } from "#shared/nearest.ts";
import type { Reply } from "#shared/reply.ts";
import { code, text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);

const name = z.string().transform((value, context) => {
  const read = readFqdn(value);
  if (read.ok) return read.fqdn;
  context.addIssue({ code: "custom", message: read.problem });
  return z.NEVER;
});

const type = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]*$/, "must be a record type such as A")
  .transform((value) => value.toUpperCase());

const rules = optional(z.string()).transform((value, context) => {
  const release = value === undefined ? newestRelease : parseRelease(value);
  if (release) return ownershipRules(release);
  context.addIssue({
    code: "custom",
    message: `"${value}" is not a release whose rules are known (${oldestRelease.text} to ${newestRelease.text})`,
  });
  return z.NEVER;
});

const onOff = optional(
  z.union([z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true")]),
);

const common = { id: z.json().optional(), explain: optional(z.boolean()), release: rules };
const affixes = {
  prefix: optional(z.string()),
  suffix: optional(z.string()),
  wildcardReplacement: optional(z.string()),
};
const record = { name, type, alias: optional(z.boolean()) };

const flags = optional(
  z.strictObject({
    "txt-prefix": affixes.prefix,
    "txt-suffix": affixes.suffix,
    "txt-wildcard-replacement": affixes.wildcardReplacement,
    "txt-encrypt-enabled": onOff,
    "txt-new-format-only": onOff,
  }),
);

/** Not z.record, which drops a label called `__proto__` without a word. */
const labels = z.unknown().transform((value, context) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    context.addIssue({ code: "custom", message: "must be an object of texts" });
    return z.NEVER;
  }
  const wrong = Object.entries(value).filter(([, label]) => typeof label !== "string");
  for (const [key] of wrong) context.addIssue({ code: "custom", path: [key], message: "must be a text" });
  return wrong.length === 0 ? (value as Labels) : z.NEVER;
});

type Answer = Readonly<Record<string, Json>>;

/** One operation: the shape of its request and the answer to it. A string is why there is none. */
type Operation = (request: Readonly<Record<string, unknown>>) => Answer | string;

const operation =
  <Shape extends z.ZodRawShape>(
    shape: Shape,
    answer: (request: z.output<z.ZodObject<Shape & typeof common>>) => Answer | string,
  ): Operation =>
  (request) => {
    const parsed = z.strictObject({ ...common, ...shape, op: z.string() }).safeParse(request);
    if (parsed.success) return answer(parsed.data as z.output<z.ZodObject<Shape & typeof common>>);
    return parsed.error.issues
      .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
      .join("; ");
  };

const operations: ReadonlyMap<string, Operation> = new Map([
  [
    "name",
    operation({ ...record, ...affixes, format: z.enum(["typed", "legacy"]) }, (request) => {
      const problem = affixProblem(request);
      if (problem !== undefined) return problem;
      const txtName =
        request.format === "legacy"
          ? legacyTxtName(request.name, request, request.release)
          : typedTxtName(request.name, typedType(request, request.release), request);
      return { txtName, ...(request.explain && { tooLong: isTooLong(txtName) }) };
    }),
  ],
  [
    "written",
    operation({ ...record, flags, zone: optional(name) }, (request) => {
      const given: OwnershipFlags = {
        prefix: request.flags?.["txt-prefix"] ?? "",
        suffix: request.flags?.["txt-suffix"] ?? "",
        wildcardReplacement: request.flags?.["txt-wildcard-replacement"] ?? "",
        encryptEnabled: request.flags?.["txt-encrypt-enabled"] ?? false,
        newFormatOnly: request.flags?.["txt-new-format-only"] ?? false,
      };
      const problem = affixProblem(given);
      if (problem !== undefined) return problem;
      return {
        txtNames: writtenTxts(request, given, request.release, request.zone).map((txt) => txt.name),
        ...(request.explain && {
          neverOwned: whyNeverOwned(request, given, request.release, request.zone),
          unknownFlags: unknownFlags(given, request.release),
        }),
      };
    }),
  ],
  [
    "read-name",
    operation({ txtName: z.string(), ...affixes }, (request) => {
      const problem = affixProblem(request);
      if (problem !== undefined) return problem;
      const txtName = decodeName(request.txtName);
      const reading = readTxtName(txtName, request, request.release) ?? { name: "", type: null };
      return { ...reading, ...(request.explain && { claimants: claimants(txtName, request) }) };
    }),
  ],
  [
    "parse",
    operation({ value: z.string() }, ({ value, release }) => {
      const labels = parseOwnershipText(value, release);
      return { valid: labels !== undefined, labels: labels ?? {} };
    }),
  ],
  [
    "format",
    operation({ labels }, (request) => ({
      value: formatOwnershipText(request.labels),
      ...(request.explain && { lost: lostLabels(request.labels, request.release) }),
    })),
  ],
  [
    "decrypt",
    operation({ value: z.string(), key: z.string() }, ({ value, key, release }) => {
      const aesKey = readAesKey(key, release);
      if (!aesKey)
        return `key: must be 32 bytes${release.base64Key ? ", as they are or in standard base64" : ""}`;
      const labels = readOwnershipText(value, aesKey, release);
      return { valid: labels !== undefined, labels: labels ?? {} };
    }),
  ],
  [
    "key",
    operation({ key: optional(z.string()), encryptEnabled: onOff }, ({ key, encryptEnabled, release }) => ({
      valid: acceptsKey(key ?? "", encryptEnabled ?? false, release),
    })),
  ],
  ["decode-name", operation({ name: z.string() }, (request) => ({ name: decodeName(request.name) }))],
]);

function answerLine(line: string): Json {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch (error) {
    return { error: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof request !== "object" || request === null || Array.isArray(request))
    return { error: "a request is a JSON object with an op" };
  const fields = request as Readonly<Record<string, unknown>>;
  const id = Object.hasOwn(fields, "id") ? { id: fields.id as Json } : {};
  const known = [...operations.keys()];
  if (typeof fields.op !== "string") return { ...id, error: `op: must be one of ${known.join(", ")}` };
  const run = operations.get(fields.op);
  if (!run) {
    const near = nearest(fields.op, known);
    return {
      ...id,
      error: `op: ${JSON.stringify(fields.op)} is not known; ${near === undefined ? `known are ${known.join(", ")}` : `nearest is ${near}`}`,
    };
  }
  const answer = run(fields);
  return typeof answer === "string" ? { ...id, error: answer } : { ...id, ...answer };
}

/** Answers JSON lines: one answer a request, in order; blank lines are passed over. */
export const answerLines = (content: string): readonly Json[] =>
  content
    .replace(/^\uFEFF/, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(answerLine);

export const ownership = defineVerb({
  path: ["ownership"],
  usage: "[FILE]",
  summary: "Translate ExternalDNS ownership names and texts, a JSON request a line in, an answer a line out.",
  examples: ["requests.jsonl", "- --json"],
  positionals: ["file"],
  options: [],
  input: z.object({ file: z.string().optional() }),
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: ["cli"],
  handle: async ({ input, deps }): Promise<Reply> => {
    let content: string;
    try {
      content = await deps.readFile(input.file ?? "-");
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      const { what, detail } = error.fault;
      return {
        verdict: { word: "Usage", outcome: "usage", text: text`${what}: ${detail}` },
        findings: [],
        blocks: [],
        next: [text`Requests and answers: ${code("docs/dns-ownership.md")}`],
        actions: [],
        data: { problems: [`${what}: ${detail}`] },
      };
    }
    const answers = answerLines(content);
    return {
      verdict: { word: "OK", outcome: "ok", text: text`${answers.length} answers` },
      findings: [],
      blocks: [],
      actions: [],
      jsonLines: answers,
    };
  },
});
