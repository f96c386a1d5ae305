import type { OwnershipRules } from "./release.ts";

/** `--txt-prefix`, `--txt-suffix` and `--txt-wildcard-replacement`; prefix and suffix exclude each other. */
export type Affixes = Readonly<{ prefix?: string; suffix?: string; wildcardReplacement?: string }>;

/** What a TXT name stands for. `type` is `null` when the name says none (legacy format, or a type not known). */
export type Reading = Readonly<{ name: string; type: string | null }>;

const template = "%{record_type}";

/** The registry lower-cases all three when it starts (mapper.go NewAffixNameMapper). */
const lowered = ({ prefix = "", suffix = "", wildcardReplacement = "" }: Affixes) => ({
  prefix: prefix.toLowerCase(),
  suffix: suffix.toLowerCase(),
  wildcardReplacement: wildcardReplacement.toLowerCase(),
});

export const isTemplated = ({ prefix = "", suffix = "" }: Affixes): boolean =>
  prefix.toLowerCase().includes(template) || suffix.toLowerCase().includes(template);

const isPlain = ({ prefix, suffix, wildcardReplacement }: Affixes): boolean =>
  !prefix && !suffix && !wildcardReplacement;

/** Why ExternalDNS would not start with these; `undefined` when it would. */
export const affixProblem = ({ prefix, suffix }: Affixes): string | undefined =>
  prefix && suffix ? "prefix and suffix exclude each other: ExternalDNS does not start with both" : undefined;

const splitFirst = (name: string): readonly [string, string | undefined] => {
  const dot = name.indexOf(".");
  return dot < 0 ? [name, undefined] : [name.slice(0, dot), name.slice(dot + 1)];
};

function around(name: string, prefix: string, before: string, suffix: string, wildcard: string): string {
  const [first, rest] = splitFirst(name);
  const label = first === "*" && wildcard !== "" ? wildcard : first;
  return `${prefix}${before}${label}${suffix}${rest === undefined ? "" : `.${rest}`}`;
}

/** Name of the typed TXT, the format since 0.12: the type stands before the first label or where the template is. */
export function typedTxtName(name: string, type: string, affixes: Affixes): string {
  const t = type.toLowerCase();
  if (isPlain(affixes)) return `${t}-${name}`;
  const { prefix, suffix, wildcardReplacement } = lowered(affixes);
  return around(
    name,
    prefix.replaceAll(template, t),
    isTemplated(affixes) ? "" : `${t}-`,
    suffix.replaceAll(template, t),
    wildcardReplacement,
  );
}

/** Name of the legacy TXT, written up to 0.17: no type, and a template is dropped (before 0.12 it is ordinary text). */
export function legacyTxtName(
  name: string,
  affixes: Affixes,
  { templates }: Pick<OwnershipRules, "templates"> = { templates: true },
): string {
  if (isPlain(affixes)) return name;
  const { prefix, suffix, wildcardReplacement } = lowered(affixes);
  const strip = (affix: string): string => (templates ? affix.replaceAll(template, "") : affix);
  return around(name, strip(prefix), "", strip(suffix), wildcardReplacement);
}

const typeInFront = (name: string, knownTypes: readonly string[]): Reading => {
  const dash = name.indexOf("-");
  const token = dash < 0 ? name : name.slice(0, dash);
  const type = knownTypes.find((known) => known.toLowerCase() === token);
  // A name that is nothing but a type has no dash to take off and stays whole (mapper.go
  // extractRecordTypeDefaultPosition).
  return type === undefined ? { name, type: null } : { name: name.slice(dash + 1), type };
};

/** Takes the suffix off the first labels, one more than it has dots. `undefined` when it is not there. */
function withoutSuffix(name: string, suffix: string, dots: number): readonly [string, string] | undefined {
  const labels = name.split(".");
  if (labels.length <= dots) return undefined;
  const head = labels.slice(0, dots + 1).join(".");
  if (!head.endsWith(suffix)) return undefined;
  const rest = labels.slice(dots + 1).join(".");
  return [head.slice(0, head.length - suffix.length), rest === "" ? "" : `.${rest}`];
}

const strip = (
  name: string,
  affix: Readonly<{ prefix: string; suffix: string; dots: number }>,
): readonly [string, string] | undefined => {
  if (affix.suffix !== "") return withoutSuffix(name, affix.suffix, affix.dots);
  return name.startsWith(affix.prefix) ? [name.slice(affix.prefix.length), ""] : undefined;
};

/** Since 0.13.6: the affix comes off first; a templated one tells the type, otherwise it stands in front of the rest. */
function affixThenType(
  txtName: string,
  affixes: Affixes,
  { knownTypes, templatedTypeInLowerCase }: ReaderRules,
): Reading | undefined {
  const { prefix, suffix } = lowered(affixes);
  if (prefix !== "" && suffix !== "") return undefined;
  const dots = suffix.split(".").length - 1;
  if (isTemplated(affixes)) {
    for (const type of knownTypes) {
      const t = type.toLowerCase();
      const parts = strip(txtName, {
        prefix: prefix.replaceAll(template, t),
        suffix: suffix.replaceAll(template, t),
        dots,
      });
      if (parts)
        return parts[0] === ""
          ? undefined
          : { name: parts.join(""), type: templatedTypeInLowerCase ? t : type };
    }
  }
  const plainPrefix = prefix.replaceAll(template, "");
  const plainSuffix = suffix.replaceAll(template, "");
  const parts =
    suffix !== "" && plainSuffix === ""
      ? withoutSuffix(txtName, "", dots)
      : strip(txtName, { prefix: plainPrefix, suffix: plainSuffix, dots });
  if (!parts || parts[0] === "") return undefined;
  const read = typeInFront(parts[0], knownTypes);
  return read.name === "" ? undefined : { name: read.name + parts[1], type: read.type };
}

/**
 * 0.12 to 0.13.5: the type is sought at the very start, before the affix comes off. So with a prefix a typed name reads
 * as a host called `a-…`, and a templated prefix is never recognised at all.
 */
function typeThenAffix(
  txtName: string,
  affixes: Affixes,
  knownTypes: readonly string[],
): Reading | undefined {
  const { prefix, suffix } = lowered(affixes);
  const { name, type } = typeInFront(txtName, knownTypes);
  if (suffix === "")
    return isTemplated(affixes) || !name.startsWith(prefix) || name === prefix
      ? undefined
      : { name: name.slice(prefix.length), type };
  if (prefix !== "") return undefined;
  const [first, rest] = splitFirst(name);
  if (rest === undefined) return undefined;
  const suffixes = isTemplated(affixes)
    ? [...knownTypes.map((known) => suffix.replaceAll(template, known.toLowerCase())), suffix]
    : [suffix];
  const found = suffixes.find((each) => first.endsWith(each));
  if (found === undefined || first === found) return undefined;
  return { name: `${first.slice(0, first.length - found.length)}.${rest}`, type };
}

function affixOnly(txtName: string, affixes: Affixes): Reading | undefined {
  const { prefix, suffix } = lowered(affixes);
  const parts = strip(txtName, { prefix, suffix, dots: 0 });
  return !parts || parts[0] === "" ? undefined : { name: parts.join(""), type: null };
}

type ReaderRules = Pick<
  OwnershipRules,
  "reader" | "knownTypes" | "crashesOnShortNames" | "templatedTypeInLowerCase"
>;

/**
 * Whether an ownership TXT of this name makes the release stop with a panic on every loop: with a suffix of n dots,
 * releases before 0.22 need n + 2 labels. A dotted suffix and a heritage TXT near the zone's apex are enough.
 */
export function crashesReader(txtName: string, affixes: Affixes, rules: ReaderRules): boolean {
  const { prefix, suffix } = lowered(affixes);
  if (suffix === "" || prefix !== "" || rules.crashesOnShortNames === "none") return false;
  const labels = txtName.split(".").length;
  if (rules.reader === "affix-only") return labels === 1 && txtName.toLowerCase().endsWith(suffix);
  if (rules.reader === "type-then-affix") return labels === 1;
  return labels < suffix.split(".").length + 1 && (labels > 1 || rules.crashesOnShortNames === "all");
}

/**
 * The record a release takes a TXT name to stand for; `undefined` when it stands for none, or the release crashes on it
 * (`crashesReader`). A replaced wildcard comes back as the replacement: `a-any.apps.example.com` reads as
 * `any.apps.example.com` even if it was written for `*`.
 */
export function readTxtName(txtName: string, affixes: Affixes, rules: ReaderRules): Reading | undefined {
  if (crashesReader(txtName, affixes, rules)) return undefined;
  const name = txtName.toLowerCase();
  if (rules.reader === "affix-only") return affixOnly(name, affixes);
  return rules.reader === "type-then-affix"
    ? typeThenAffix(name, affixes, rules.knownTypes)
    : affixThenType(name, affixes, rules);
}
