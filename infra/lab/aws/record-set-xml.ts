import { listedRecordSet, type RecordSet } from "#shared/dns/record-set.ts";
import { readRecordSet } from "#shared/dns/zone-file.ts";
import type { Json } from "#shared/json.ts";
import { child, type Element, type Node } from "./xml.ts";

/** Elements of a list are named after what they hold; every other field is an element of its own name. */
const itemName: Readonly<Record<string, string>> = { ResourceRecords: "ResourceRecord" };

function nodes(fields: Readonly<Record<string, Json | undefined>>): readonly Node[] {
  return Object.entries(fields).flatMap(([name, value]): readonly Node[] => {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value))
      return [[name, value.map((item): Node => [itemName[name] ?? "member", nodes(item)])]];
    if (typeof value === "object") return [[name, nodes(value as Readonly<Record<string, Json>>)]];
    return [[name, value as string | number | boolean]];
  });
}

export const recordSetNode = (set: RecordSet): Node => ["ResourceRecordSet", nodes(listedRecordSet(set))];

const numbers = new Set(["TTL", "Weight", "Bias"]);
const booleans = new Set(["MultiValueAnswer", "EvaluateTargetHealth"]);

function value(element: Element): unknown {
  if (element.name === "ResourceRecords") return element.children.map(fields);
  if (element.children.length > 0) return fields(element);
  if (numbers.has(element.name)) return Number(element.text);
  if (booleans.has(element.name)) return element.text === "true";
  return element.text;
}

const fields = (element: Element): Readonly<Record<string, unknown>> =>
  Object.fromEntries(element.children.map((each) => [each.name, value(each)]));

/** A `ResourceRecordSet` element of a request. */
export function readRecordSetElement(
  element: Element | undefined,
): Readonly<{ ok: true; set: RecordSet }> | Readonly<{ ok: false; problems: readonly string[] }> {
  if (element === undefined) return { ok: false, problems: ["a Change has no ResourceRecordSet"] };
  const ids = child(element, "AliasTarget");
  const read = readRecordSet(fields(element), "ResourceRecordSet");
  if (!read.ok) return read;
  const { answer } = read.recordSet;
  if (ids === undefined || answer.kind !== "alias") return { ok: true, set: read.recordSet };
  const target = {
    ...answer.target,
    hostedZoneId: answer.target.hostedZoneId.replace(/^\/hostedzone\//, ""),
  };
  return { ok: true, set: { ...read.recordSet, answer: { ...answer, target } } };
}
