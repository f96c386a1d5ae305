import { createHash } from "node:crypto";
import type { Json } from "../json.ts";
import type { Deed } from "../steps/deed.ts";
import type { Diff } from "../steps/step.ts";
import type { KeptPlan } from "./run-events.ts";

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON with sorted keys and without `undefined`: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (!isRecord(value)) return JSON.stringify(value ?? null);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")}}`;
}

/** What the server writes by itself into every object's metadata. */
const serverFields = new Set(["resourceVersion", "managedFields", "generation"]);

/** An object without what changes while nobody changes it: status and the server's own metadata. */
function settled(object: unknown): unknown {
  if (!isRecord(object)) return object;
  const { status: _, ...rest } = object;
  if (!isRecord(rest.metadata)) return rest;
  const metadata = Object.entries(rest.metadata).filter(([key]) => !serverFields.has(key));
  return { ...rest, metadata: Object.fromEntries(metadata) };
}

const settledDiff = ({ object, uid, before, after }: Diff) => ({
  object,
  uid,
  before: settled(before),
  after: settled(after),
});

function settledDeed(deed: Deed): unknown {
  if (deed.kind !== "kube") return deed;
  const { write } = deed;
  if (write.verb === "create") return { ...deed, write: { ...write, object: settled(write.object) } };
  const is = { uid: write.is.uid };
  return write.verb === "patch"
    ? { ...deed, write: { ...write, patch: settled(write.patch), is } }
    : { ...deed, write: { ...write, is } };
}

/** What of a plan people approve: targets by uid, what is written, before and after, and what we say will happen. */
const approvable = (step: string, { deeds, diffs, predicted }: KeptPlan) => ({
  step,
  deeds: deeds.map(settledDeed),
  diffs: diffs.map(settledDiff),
  predicted,
});

/** SHA-256, hexadecimal, over the canonical JSON of {@link approvable}. */
export const planDigest = (step: string, plan: KeptPlan): string =>
  createHash("sha256")
    .update(canonicalJson(approvable(step, plan)))
    .digest("hex");

const same = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);

/** What is different between two plans of a step, one short sentence each, for people who approved the first. */
export function changesBetween(before: KeptPlan, after: KeptPlan): readonly string[] {
  const objects = (plan: KeptPlan) => new Map(plan.diffs.map((diff) => [diff.object, settledDiff(diff)]));
  const [old, now] = [objects(before), objects(after)];
  const lines = [...new Set([...old.keys(), ...now.keys()])].flatMap((object) => {
    const [a, b] = [old.get(object), now.get(object)];
    if (a === undefined) return [`${object} would be changed too`];
    if (b === undefined) return [`${object} would no longer be changed`];
    if (a.uid !== b.uid) return [`${object} was replaced: its uid is another one`];
    if (!same(a.before, b.before)) return [`${object} is no longer as it was`];
    return same(a.after, b.after) ? [] : [`${object} would become something else`];
  });
  const predicted = same(before.predicted, after.predicted) ? [] : ["the prediction is another one"];
  const titles = (plan: KeptPlan): Json => plan.deeds.map((deed) => deed.title);
  const deeds = same(titles(before), titles(after)) ? [] : ["what would be done is another list"];
  const all = [...lines, ...predicted, ...deeds];
  return all.length > 0 ? all : ["what would be written is something else"];
}
