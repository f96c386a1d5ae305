import * as z from "zod";

/** A Kubernetes label selector as MetalLB's objects carry it. */
export type Requirement = Readonly<{ key: string; operator: string; values: readonly string[] }>;
export type LabelSelector = Readonly<{
  matchLabels: Readonly<Record<string, string>>;
  matchExpressions: readonly Requirement[];
}>;

export type Labels = Readonly<Record<string, string>>;

const nothing: LabelSelector = { matchLabels: {}, matchExpressions: [] };

/** `null` stands for an empty selector, as Go's decoder reads it. */
export const labelSelector: z.ZodType<LabelSelector> = z
  .object({
    matchLabels: z.record(z.string(), z.string()).nullish(),
    matchExpressions: z
      .array(
        z
          .object({ key: z.string(), operator: z.string(), values: z.array(z.string()).nullish() })
          // Order means nothing to a selector; MetalLB sorts values before it judges and quotes them.
          .transform(({ key, operator, values }) => ({ key, operator, values: [...(values ?? [])].sort() })),
      )
      .nullish(),
  })
  .nullable()
  .transform((selector) =>
    selector === null
      ? nothing
      : { matchLabels: selector.matchLabels ?? {}, matchExpressions: selector.matchExpressions ?? [] },
  );

// Wording and limits of k8s.io/apimachinery (util/validation, labels.NewRequirement), which MetalLB passes on.
const labelPart = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const namePart = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const dnsPart = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

const valueFault = (value: string): string | undefined => {
  const faults: string[] = [];
  if (value.length > 63) faults.push("must be no more than 63 characters");
  if (!new RegExp(`^${labelPart}$`).test(value))
    faults.push(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start " +
        "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', " +
        `regex used for validation is '${labelPart}')`,
    );
  return faults.length === 0 ? undefined : faults.join("; ");
};

const qualifiedName =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
  `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${namePart}')`;

const keyFault = (key: string): string | undefined => {
  const parts = key.split("/");
  if (parts.length > 2)
    return `a qualified name ${qualifiedName} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
  const name = parts.at(-1) as string;
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const faults: string[] = [];
  if (prefix === "") faults.push("prefix part must be non-empty");
  else if (prefix !== undefined) {
    if (prefix.length > 253) faults.push("prefix part must be no more than 253 characters");
    if (!new RegExp(`^${dnsPart}$`).test(prefix))
      faults.push(
        "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
          `and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${dnsPart}')`,
      );
  }
  if (name === "") faults.push("name part must be non-empty");
  if (name.length > 63) faults.push("name part must be no more than 63 characters");
  if (!new RegExp(`^${namePart}$`).test(name)) faults.push(`name part ${qualifiedName}`);
  return faults.length === 0 ? undefined : faults.join("; ");
};

const valueFaults = (key: string, values: readonly string[]): readonly string[] =>
  values.flatMap((value, i) => {
    const fault = valueFault(value);
    return fault ? [`values[${i}][${key}]: Invalid value: ${JSON.stringify(value)}: ${fault}`] : [];
  });

const quotedList = (values: readonly string[]): string =>
  `[${values.map((v) => JSON.stringify(v)).join(",")}]`;

function requirementFault({ key, operator, values }: Requirement): string | undefined {
  const faults: string[] = [];
  const badKey = keyFault(key);
  if (badKey) faults.push(`key: Invalid value: ${JSON.stringify(key)}: ${badKey}`);
  const wantsValues = operator === "In" || operator === "NotIn";
  if (wantsValues && values.length === 0)
    faults.push("values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty");
  if (!wantsValues && values.length > 0)
    faults.push(
      `values: Invalid value: ${quotedList(values)}: values set must be empty for exists and does not exist`,
    );
  faults.push(...valueFaults(key, values));
  return faults.length > 1 ? `[${faults.join(", ")}]` : faults[0];
}

/** Why Kubernetes cannot use the selector, in its words; `undefined` for a legal one. A `*` is not a legal value. */
export function selectorFault({ matchLabels, matchExpressions }: LabelSelector): string | undefined {
  const operators = ["In", "NotIn", "Exists", "DoesNotExist"];
  for (const [key, value] of Object.entries(matchLabels)) {
    const fault = requirementFault({ key, operator: "In", values: [value] });
    if (fault) return fault;
  }
  for (const requirement of matchExpressions) {
    if (!operators.includes(requirement.operator))
      return `${JSON.stringify(requirement.operator)} is not a valid label selector operator`;
    const fault = requirementFault(requirement);
    if (fault) return fault;
  }
  return undefined;
}

const has = (labels: Labels, key: string): boolean => Object.hasOwn(labels, key);

/** All requirements must hold; an empty selector matches everything; strings are compared exactly. */
export const matches = (selector: LabelSelector, labels: Labels): boolean =>
  Object.entries(selector.matchLabels).every(([key, value]) => has(labels, key) && labels[key] === value) &&
  selector.matchExpressions.every(({ key, operator, values }) => {
    const present = has(labels, key);
    if (operator === "Exists") return present;
    if (operator === "DoesNotExist") return !present;
    const listed = present && values.includes(labels[key] as string);
    return operator === "In" ? listed : operator === "NotIn" && !listed;
  });

/** Selectors in a list are alternatives. */
export const anyMatches = (selectors: readonly LabelSelector[], labels: Labels): boolean =>
  selectors.some((selector) => matches(selector, labels));

/** Order of keys, expressions' values and labels does not make two selectors different. */
export const selectorIdentity = (selector: LabelSelector): string =>
  JSON.stringify([
    Object.entries(selector.matchLabels).sort(([a], [b]) => (a < b ? -1 : 1)),
    selector.matchExpressions.map(({ key, operator, values }) => [key, operator, [...values].sort()]),
  ]);

/** As Go prints the struct with `%v`, or with `%q`, which is how MetalLB quotes selectors in its errors. */
export const goSelector = (selector: LabelSelector, quote: (value: string) => string = String): string => {
  const labels = Object.entries(selector.matchLabels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${quote(key)}:${quote(value)}`);
  const expressions = selector.matchExpressions.map((requirement) => goRequirement(requirement, quote));
  return `{map[${labels.join(" ")}] [${expressions.join(" ")}]}`;
};

export const goRequirement = (
  { key, operator, values }: Requirement,
  quote: (value: string) => string = String,
): string => `{${quote(key)} ${quote(operator)} [${values.map((value) => quote(value)).join(" ")}]}`;

/** As Kubernetes prints a pointer to a selector, which MetalLB's errors about namespaces show. */
export const goSelectorPointer = ({ matchLabels, matchExpressions }: LabelSelector): string => {
  const labels = Object.entries(matchLabels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`);
  const expressions = matchExpressions.map(
    ({ key, operator, values }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  const map = labels.length === 0 ? "map[string]string{}" : `map[string]string{${labels.join("")}}`;
  return `&LabelSelector{MatchLabels:${map},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
};
