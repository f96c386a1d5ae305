import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { badRequest } from "#shared/kubernetes/refusals.ts";
import { Refused } from "./refused.ts";

type Matches = (object: KubeObject) => boolean;

const everything: Matches = () => true;

/** Splits at commas outside parentheses: `a in (x,y),b` is two requirements. */
const requirements = (selector: string): string[] =>
  selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

const unreadable = (selector: string, part: string): Refused =>
  new Refused(
    badRequest(`unable to parse requirement: found '${part}', in the label selector "${selector}"`),
  );

const key = /^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$/;

/** The string form of label selectors: `a=b`, `a!=b`, `a in (x,y)`, `a notin (x,y)`, `a`, `!a`, joined by commas. */
export function labelSelector(selector: string | null): Matches {
  if (!selector) return everything;
  const tests = requirements(selector).map((part): Matches => {
    const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(part);
    if (set) {
      const [, label = "", operator, list = ""] = set;
      if (!key.test(label)) throw unreadable(selector, part);
      const values = list.split(",").map((value) => value.trim());
      return ({ metadata: { labels = {} } }) => {
        const value = labels[label];
        return (value !== undefined && values.includes(value)) === (operator === "in");
      };
    }
    const comparison = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(part);
    if (comparison) {
      const [, label = "", operator, wanted] = comparison;
      if (!key.test(label)) throw unreadable(selector, part);
      return ({ metadata: { labels = {} } }) => (labels[label] === wanted) === (operator !== "!=");
    }
    const [, not, label = ""] = /^(!?)\s*(\S+)$/.exec(part) ?? [];
    if (!key.test(label)) throw unreadable(selector, part);
    return ({ metadata: { labels = {} } }) => label in labels === (not === "");
  });
  return (object) => tests.every((test) => test(object));
}

// Fields that the API server selects by, for each kind; custom resources know name and namespace only.
const selectable: Partial<Record<ResourceKind, readonly string[]>> = {
  events: [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  pods: [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
  ],
  nodes: ["spec.unschedulable"],
  services: ["spec.clusterIP", "spec.type"],
  namespaces: ["status.phase"],
};

function fieldOf(object: KubeObject, path: string): string {
  const at = path === "source" ? ["source", "component"] : path.split(".");
  let value: unknown = object;
  for (const step of at)
    value =
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  if (value === undefined || value === null) return path === "spec.unschedulable" ? "false" : "";
  return String(value);
}

/** `metadata.name=x,type!=Normal`; a field the kind cannot be selected by is refused, as the API server does. */
export function fieldSelector(kind: ResourceKind, selector: string | null): Matches {
  if (!selector) return everything;
  const known = ["metadata.name", "metadata.namespace", ...(selectable[kind] ?? [])];
  const tests = requirements(selector).map((part): Matches => {
    const [, field = "", operator, wanted = ""] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? [];
    if (operator === undefined)
      throw new Refused(badRequest(`invalid selector: '${selector}'; can't understand '${part}'`));
    if (!known.includes(field)) throw new Refused(badRequest(`field label not supported: ${field}`));
    return (object) => (fieldOf(object, field) === wanted) === (operator !== "!=");
  });
  return (object) => tests.every((test) => test(object));
}
