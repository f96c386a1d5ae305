import * as z from "zod";
import { sharedFrameBudget } from "#shared/arp/frame-budget.ts";
import { hostKeyFindings } from "#shared/arp/host-key-finding.ts";
import type { InvestigateOptions, Investigation, Subject } from "#shared/arp/investigate.ts";
import { investigate } from "#shared/arp/investigate.ts";
import { sharedSingleFlight } from "#shared/arp/single-flight.ts";
import { shortName } from "#shared/arp/subject.ts";
import { inParallel, readSurroundings } from "#shared/arp/surroundings.ts";
import type { Skipped } from "#shared/arp/vantage.ts";
import { investigationReply, overviewReply } from "#shared/arp/verdict-reply.ts";
import type { Reply } from "#shared/reply.ts";
import { drillVerb } from "./arping-drill.ts";
import { watchVerb } from "./arping-watch.ts";
import {
  from,
  isReply,
  noneReady,
  portsOf,
  skippedNotes,
  stopped,
  subject,
  subjectsFor,
  vantageFinder,
  vantagesFor,
  waiting,
  withFindings,
  withoutAddress,
} from "./arping-words.ts";
import type { ClusterPorts, Command, Context } from "./command.ts";
import { defineVerb } from "./command.ts";

/** More than any probe can use at once; the frame budget does the real limiting. */
const addressesAtOnce = 16;

const count = z
  .string()
  .regex(/^(?:[1-9]|10)$/, "must be a whole number from 1 to 10")
  .default("3")
  .transform(Number);

type ProbeInput = Readonly<{ subject: string; from?: string | undefined; count: number }>;

async function handleProbe(context: Context<ProbeInput>): Promise<Reply> {
  const { input, show } = context;
  const ports = portsOf(context.cluster as ClusterPorts, context);
  const cluster = ports.config.name;
  const word = input.subject;
  const early = await vantagesFor(ports, input.from, word);
  if (isReply(early)) return early;
  const surroundings = await readSurroundings(ports);
  const subjects = subjectsFor(ports, surroundings, word);
  if (isReply(subjects)) return subjects;

  const findVantage = vantageFinder(ports, early, surroundings);
  const notes = new Set<string>();
  const passedOver = new Map<string, Skipped>();
  const options: InvestigateOptions = {
    ports,
    surroundings,
    budget: sharedFrameBudget(context.deps.clock),
    flights: sharedSingleFlight(context.deps.clock),
    count: input.count,
    onWait: () => {
      if (subjects.length === 1)
        show(waiting(cluster, "waits for its turn: a vantage sends at most 10 ARP requests a second"));
    },
  };
  let done = 0;
  const startedAt = context.deps.clock.now();
  const results = await inParallel(subjects, addressesAtOnce, async (about): Promise<Investigation> => {
    const { ready, skipped, notes: remarks } = await findVantage(about);
    for (const note of [...skippedNotes(skipped), ...remarks]) notes.add(note);
    for (const each of skipped) passedOver.set(each.vantage, each);
    const result = await investigate(options, about, ready ?? noneReady(skipped));
    if (!context.signal.aborted) done++;
    if (subjects.length > 1 && done < subjects.length)
      show(waiting(cluster, `${done} of ${subjects.length} addresses`));
    return result;
  });
  const labelOf = ({ service, ip }: Subject): string =>
    service === undefined ? ip : `${shortName(service, surroundings.objects)} ${ip}`;
  const without = withoutAddress(surroundings, word);
  const [only] = results;
  const answer =
    results.length === 1 && only && without.length === 0
      ? investigationReply(cluster, labelOf(only), only, [...notes])
      : overviewReply(cluster, results, without, labelOf, [...notes]);
  const seconds = ((context.deps.clock.now() - startedAt) / 1000).toFixed(1);
  return withFindings(
    context.signal.aborted
      ? stopped(
          answer,
          only && results.length === 1 ? `${labelOf(only)} · ` : "",
          results.length === 1 ? `after ${seconds} s` : `after ${done} of ${results.length} addresses`,
        )
      : answer,
    hostKeyFindings([...passedOver.values()], surroundings.table.unread),
  );
}

export const arping: Command = {
  name: "arping",
  summary: "Who answers for an address on the wire, and who should.",
  verbs: [
    defineVerb({
      path: [],
      usage: "SERVICE|IP|all [--from VANTAGE] [--count N]",
      summary: "Who answers ARP for an address: wire, status, event and prediction side by side.",
      examples: ["httpbin", "10.4.11.1 --from ops-host", "all"],
      positionals: ["subject"],
      options: [
        from,
        { name: "count", value: "N", about: "broadcast requests per address, 1 to 10 (default 3)" },
      ],
      input: z.object({ subject, from: z.string().optional(), count }),
      role: "viewer",
      effect: "probe",
      slow: true,
      cluster: "one",
      doors: ["slack", "console", "cli"],
      handle: handleProbe,
    }),
    watchVerb,
    drillVerb,
  ],
};
