import type { AwsChange } from "./aws-change.ts";
import { type RecordSet, valuesOf } from "./record-set.ts";

/** `--aws-batch-change-size`, `-size-bytes` and `-size-values`; Route 53's own limits are the defaults of the last two. */
export type BatchLimits = Readonly<{ changes: number; bytes: number; values: number }>;

export const defaultBatchLimits: BatchLimits = { changes: 1000, bytes: 32_000, values: 1000 };

const encoder = new TextEncoder();

const sent = (set: RecordSet): readonly string[] =>
  set.answer.kind === "alias" ? [set.answer.target.name] : valuesOf(set);

/** UPSERT counts twice, as Route 53 counts it (R53DOC DNSLimitations). */
const size = ({ action, set }: AwsChange): Readonly<{ bytes: number; values: number }> => {
  const times = action === "UPSERT" ? 2 : 1;
  const values = sent(set);
  return {
    bytes: times * values.reduce((sum, value) => sum + encoder.encode(value).length, 0),
    values: times * values.length,
  };
};

const total = (changes: readonly AwsChange[]): BatchLimits =>
  changes.reduce(
    (sum, change) => {
      const { bytes, values } = size(change);
      return { changes: sum.changes + 1, bytes: sum.bytes + bytes, values: sum.values + values };
    },
    { changes: 0, bytes: 0, values: 0 },
  );

const fits = (a: BatchLimits, limits: BatchLimits): boolean =>
  a.changes <= limits.changes && a.bytes <= limits.bytes && a.values <= limits.values;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** UPSERT, DELETE, CREATE, then by name and type (provider/aws/aws.go sortChangesByActionNameType). */
export const inSendingOrder = (changes: readonly AwsChange[]): readonly AwsChange[] =>
  [...changes].sort(
    (a, b) =>
      byText(b.action, a.action) ||
      byText(a.set.name, b.set.name) ||
      byText(a.set.type, b.set.type) ||
      byText(a.set.setIdentifier ?? "", b.set.setIdentifier ?? ""),
  );

/** Records with everything that is sent or retried together with them, by the record's name. */
export function groups(changes: readonly AwsChange[]): readonly (readonly AwsChange[])[] {
  const byGroup = new Map<string, AwsChange[]>();
  for (const change of changes) {
    const known = byGroup.get(change.group);
    if (known) known.push(change);
    else byGroup.set(change.group, [change]);
  }
  return [...byGroup.keys()].sort().map((group) => inSendingOrder(byGroup.get(group) ?? []));
}

export type Batches = Readonly<{
  batches: readonly (readonly AwsChange[])[];
  /** Groups over the limits on their own: ExternalDNS leaves them out with a warning, every time. */
  tooLarge: readonly (readonly AwsChange[])[];
}>;

/** One batch if it fits, else groups packed in order of their names (provider/aws/aws.go batchChangeSet). */
export function batchChanges(changes: readonly AwsChange[], limits: BatchLimits): Batches {
  if (changes.length === 0) return { batches: [], tooLarge: [] };
  if (fits(total(changes), limits)) return { batches: [inSendingOrder(changes)], tooLarge: [] };
  const batches: (readonly AwsChange[])[] = [];
  const tooLarge: (readonly AwsChange[])[] = [];
  let current: AwsChange[] = [];
  let used: BatchLimits = { changes: 0, bytes: 0, values: 0 };
  for (const group of groups(changes)) {
    const more = total(group);
    if (!fits(more, limits)) {
      tooLarge.push(group);
      continue;
    }
    const together = {
      changes: used.changes + more.changes,
      bytes: used.bytes + more.bytes,
      values: used.values + more.values,
    };
    if (current.length > 0 && !fits(together, limits)) {
      batches.push(inSendingOrder(current));
      current = [...group];
      used = more;
    } else {
      current.push(...group);
      used = together;
    }
  }
  if (current.length > 0) batches.push(inSendingOrder(current));
  return { batches, tooLarge };
}
