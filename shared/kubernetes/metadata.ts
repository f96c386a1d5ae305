import * as z from "zod";
import { type ResourceKind, resourceKinds } from "./kinds.ts";
import { type FieldError, forbidden, invalidValue, required } from "./refusals.ts";

// The patterns and sentences are those of k8s.io/apimachinery/pkg/util/validation.
const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const label1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const labelValue = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const qualifiedName = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

const matches = (pattern: string, value: string): boolean => new RegExp(`^(?:${pattern})$`).test(value);

type NameRule = Readonly<{ pattern: string; longest: number; sentence: string }>;

const subdomainRule: NameRule = {
  pattern: subdomain,
  longest: 253,
  sentence: `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`,
};

const nameRules: Partial<Record<ResourceKind, NameRule>> = {
  namespaces: {
    pattern: label,
    longest: 63,
    sentence: `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`,
  },
  services: {
    pattern: label1035,
    longest: 63,
    sentence: `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${label1035}')`,
  },
};

function checkName(field: string, value: string, rule: NameRule): FieldError[] {
  const errors: FieldError[] = [];
  if (value.length > rule.longest)
    errors.push(invalidValue(field, value, `must be no more than ${rule.longest} characters`));
  if (!matches(rule.pattern, value)) errors.push(invalidValue(field, value, rule.sentence));
  return errors;
}

const labelSentence = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${labelValue}')`;
const nameSentence = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedName}')`;

function checkKey(field: string, key: string): FieldError[] {
  const parts = key.split("/");
  const errors: FieldError[] = [];
  if (parts.length > 2)
    return [
      invalidValue(
        field,
        key,
        `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedName}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      ),
    ];
  const name = parts.at(-1) ?? "";
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === "") errors.push(invalidValue(field, key, "prefix part must be non-empty"));
  else if (prefix !== undefined && !matches(subdomain, prefix))
    errors.push(invalidValue(field, key, `prefix part ${subdomainRule.sentence}`));
  if (name === "") errors.push(invalidValue(field, key, "name part must be non-empty"));
  else if (name.length > 63)
    errors.push(invalidValue(field, key, "name part must be no more than 63 characters"));
  if (!matches(qualifiedName, name)) errors.push(invalidValue(field, key, nameSentence));
  return errors;
}

/** What the API server says about one label: nothing when it is fine. */
export function checkLabel(field: string, key: string, value: string): FieldError[] {
  const errors = checkKey(field, key);
  if (value.length > 63) errors.push(invalidValue(field, value, "must be no more than 63 characters"));
  if (!matches(labelValue, value)) errors.push(invalidValue(field, value, labelSentence));
  return errors;
}

const strings = z.record(z.string(), z.string());
const metadataShape = z.object({
  name: z.string().optional(),
  generateName: z.string().optional(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  labels: strings.nullish(),
  annotations: strings.nullish(),
  finalizers: z.array(z.string()).nullish(),
});

/** The type of `metadata` before its content: undefined when it can be read, else where it cannot. */
export function checkMetadataShape(metadata: unknown): string | undefined {
  const read = metadataShape.safeParse(metadata ?? {});
  return read.success
    ? undefined
    : read.error.issues
        .map((issue) => `${["metadata", ...issue.path].join(".")}: ${issue.message}`)
        .join("; ");
}

/** Every problem the API server would name in `metadata` of an object of this kind. The shape was checked before. */
export function checkMetadata(kind: ResourceKind, given: unknown): FieldError[] {
  const metadata = metadataShape.parse(given);
  const errors: FieldError[] = [];
  if (!metadata.name) errors.push(required("metadata.name", "name or generateName is required"));
  else errors.push(...checkName("metadata.name", metadata.name, nameRules[kind] ?? subdomainRule));
  if (resourceKinds[kind].namespaced) {
    if (metadata.namespace)
      errors.push(
        ...checkName("metadata.namespace", metadata.namespace, nameRules.namespaces ?? subdomainRule),
      );
  } else if (metadata.namespace) errors.push(forbidden("metadata.namespace", "not allowed on this type"));
  for (const [key, value] of Object.entries(metadata.labels ?? {}))
    errors.push(...checkLabel("metadata.labels", key, value));
  for (const key of Object.keys(metadata.annotations ?? {}))
    errors.push(...checkKey("metadata.annotations", key.toLowerCase()));
  return errors;
}
