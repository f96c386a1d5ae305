import type { LabelSelector } from "./source-objects.ts";

export type Labelled = Readonly<Record<string, string>>;

type Requirement = (labels: Labelled) => boolean;

const has = (labels: Labelled, key: string): boolean => Object.hasOwn(labels, key);

const values = (text: string): readonly string[] => text.split(",").map((each) => each.trim());

/** A comma inside `in (a,b)` does not end the requirement. */
const parts = (text: string): readonly string[] => text.split(/,(?![^(]*\))/).map((each) => each.trim());

function requirement(text: string): Requirement | undefined {
  const set = /^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set) {
    const [, key = "", operator, listed = ""] = set;
    const known = values(listed);
    return operator === "in"
      ? (labels) => has(labels, key) && known.includes(labels[key] as string)
      : (labels) => !has(labels, key) || !known.includes(labels[key] as string);
  }
  const equality = /^([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)$/.exec(text);
  if (equality) {
    const [, key = "", operator, value = ""] = equality;
    return operator === "!="
      ? (labels) => labels[key] !== value || !has(labels, key)
      : (labels) => has(labels, key) && labels[key] === value;
  }
  const existence = /^(!?)\s*([^\s!=,()]+)$/.exec(text);
  if (!existence) return undefined;
  const [, not, key = ""] = existence;
  return not === "!" ? (labels) => !has(labels, key) : (labels) => has(labels, key);
}

/** A selector as `--label-filter` takes it; empty matches everything. `undefined` when it is none. */
export function parseSelector(text: string): Requirement | undefined {
  if (text.trim() === "") return () => true;
  const requirements = parts(text).map(requirement);
  return requirements.every((each) => each !== undefined)
    ? (labels) => requirements.every((each) => each?.(labels) === true)
    : undefined;
}

/** A selector as objects carry it. One without requirements matches everything, as in apimachinery. */
export function matchesSelector(selector: LabelSelector, labels: Labelled): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels)) if (labels[key] !== value) return false;
  return selector.matchExpressions.every(({ key, operator, values: known }) => {
    switch (operator) {
      case "In":
        return has(labels, key) && known.includes(labels[key] as string);
      case "NotIn":
        return !has(labels, key) || !known.includes(labels[key] as string);
      case "Exists":
        return has(labels, key);
      case "DoesNotExist":
        return !has(labels, key);
      default:
        return false;
    }
  });
}
