import * as z from "zod";
import { isFault } from "../fault.ts";
import type { Listed } from "../kubernetes/read.ts";

/** An Event, with the first and the last time that it was seen. */
export type EventTrace = Readonly<{
  subject: Readonly<{ kind: string; name: string }>;
  namespace: string;
  reason: string;
  message: string;
  /** Component that reported it. */
  by: string;
  first: number;
  last: number;
  times: number;
}>;

const words = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const about = z.looseObject({ kind: words, namespace: words, name: words }).nullish();

const shape = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: words, creationTimestamp: words }),
  involvedObject: about,
  regarding: about,
  reason: words,
  message: words,
  note: words,
  source: z.looseObject({ component: words }).nullish(),
  reportingComponent: words,
  reportingController: words,
  firstTimestamp: words,
  lastTimestamp: words,
  deprecatedFirstTimestamp: words,
  deprecatedLastTimestamp: words,
  eventTime: words,
  count: z.number().nullish(),
  deprecatedCount: z.number().nullish(),
  series: z.looseObject({ count: z.number().nullish(), lastObservedTime: words }).nullish(),
});

const firstTime = (...candidates: readonly (string | undefined)[]): number | undefined =>
  candidates.map((each) => Date.parse(each ?? "")).find((at) => !Number.isNaN(at));

/** Events of core/v1 and events.k8s.io. One without a usable time is a problem: it cannot be put anywhere. */
export function readEvents(
  listed: Listed | undefined,
): Readonly<{ events: readonly EventTrace[]; problems: readonly string[] }> {
  const events: EventTrace[] = [];
  const problems: string[] = [];
  for (const object of listed === undefined || isFault(listed) ? [] : listed) {
    const name = `Event ${object.metadata?.name ?? "without a name"}`;
    const read = shape.safeParse(object);
    if (!read.success) {
      const [issue] = read.error.issues;
      problems.push(`${name}: ${issue?.path.join(".")}: ${issue?.message}`);
      continue;
    }
    const event = read.data;
    const { metadata, series } = event;
    const first = firstTime(
      event.firstTimestamp,
      event.deprecatedFirstTimestamp,
      event.eventTime,
      metadata.creationTimestamp,
    );
    const last = firstTime(
      series?.lastObservedTime,
      event.lastTimestamp,
      event.deprecatedLastTimestamp,
      event.eventTime,
      event.firstTimestamp,
      metadata.creationTimestamp,
    );
    const subject = event.involvedObject ?? event.regarding;
    if (first === undefined || last === undefined) {
      problems.push(`${name}: it carries no time`);
      continue;
    }
    events.push({
      subject: {
        kind: subject?.kind ?? "",
        name: subject?.namespace ? `${subject.namespace}/${subject.name}` : (subject?.name ?? ""),
      },
      namespace: subject?.namespace || metadata.namespace,
      reason: event.reason,
      message: event.message || event.note,
      by: event.source?.component || event.reportingComponent || event.reportingController,
      first: Math.min(first, last),
      last,
      times: series?.count ?? event.count ?? event.deprecatedCount ?? 1,
    });
  }
  return { events, problems };
}
