import * as z from "zod";
import { sharedFrameBudget } from "#shared/arp/frame-budget.ts";
import { hostKeyFindings } from "#shared/arp/host-key-finding.ts";
import { evidenceAbout, ownAddressFault } from "#shared/arp/investigate.ts";
import { shortName } from "#shared/arp/subject.ts";
import { readSurroundings } from "#shared/arp/surroundings.ts";
import { watchAddress } from "#shared/arp/watch.ts";
import { macWords, watchReply } from "#shared/arp/watch-reply.ts";
import { FaultError } from "#shared/fault.ts";
import { failoverPicture } from "#shared/pictures/failover-timeline.ts";
import type { Reply } from "#shared/reply.ts";
import { code, plain, text } from "#shared/text.ts";
import { withPicture } from "../pictures.ts";
import {
  from,
  isReply,
  noneReady,
  portsOf,
  reply,
  skippedNotes,
  stopped,
  subject,
  subjectsFor,
  vantageFinder,
  vantagesFor,
  waiting,
  withFindings,
} from "./arping-words.ts";
import type { ClusterPorts, Context } from "./command.ts";
import { defineVerb } from "./command.ts";

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

const duration = z
  .string()
  .regex(/^\d+[smh]?$/, "must be a time such as 60s or 2m, from 1s to 5m")
  .transform(
    (value) => Number.parseInt(value, 10) * unitMs[(/[smh]$/.exec(value)?.[0] ?? "s") as keyof typeof unitMs],
  )
  .refine((ms) => ms >= 1_000 && ms <= 300_000, "must be from 1s to 5m");

type WatchInput = Readonly<{ subject: string; for: number; from?: string | undefined }>;

async function handleWatch(context: Context<WatchInput>): Promise<Reply> {
  const { input, show, deps } = context;
  const ports = portsOf(context.cluster as ClusterPorts, context);
  const cluster = ports.config.name;
  const vantages = await vantagesFor(ports, input.from, input.subject);
  if (isReply(vantages)) return vantages;
  const surroundings = await readSurroundings(ports);
  const subjects = subjectsFor(ports, surroundings, input.subject);
  if (isReply(subjects)) return subjects;
  const about = subjects.find(({ ip }) => !ip.includes(":"));
  if (input.subject === "all" || about === undefined)
    return reply(
      cluster,
      "Not understood",
      "usage",
      input.subject === "all"
        ? "A watch is about one address: name it."
        : "NDP is not probed: only IPv4 can be watched.",
    );
  const { ready, skipped, notes } = await vantageFinder(ports, vantages, surroundings)(about);
  const label =
    about.service === undefined ? about.ip : `${shortName(about.service, surroundings.objects)} ${about.ip}`;
  // A node gets no answer for what it announces itself: that would read as an outage.
  const blind = ready === undefined ? noneReady(skipped) : ownAddressFault(surroundings, about, ready);
  const findings = hostKeyFindings(skipped, surroundings.table.unread);
  if (ready === undefined || blind !== undefined) {
    const fault = blind ?? noneReady(skipped);
    return withFindings(
      {
        ...reply(cluster, "UNKNOWN", "unknown", `${label} · could not look at the wire`),
        why: [`${fault.detail}.`],
        next: [text`Vantages outside the cluster: ${code("docs/vantages.md")}`],
        data: { verdict: "could-not-look", fault: { ...fault } },
      },
      findings,
    );
  }
  const evidenceOf = evidenceAbout(surroundings, ports.config.site, about, ready);
  show(waiting(cluster, `${label} · watching from ${ready.vantage.name} for ${input.for / 1000} s`));
  try {
    const watch = await watchAddress(ports, sharedFrameBudget(deps.clock), ready, about.ip, input.for, {
      onWait: () => show(waiting(cluster, `${label} · waits until ${ready.vantage.name} may send again`)),
    });
    const answer = watchReply(
      cluster,
      label,
      about,
      ready.vantage,
      watch,
      (wire) => evidenceOf(wire, undefined),
      [...skippedNotes(skipped), ...notes],
    );
    const { from: start, to } = watch.timeline;
    const told = context.signal.aborted
      ? stopped(
          answer,
          `${label} · `,
          `after ${Math.min(Math.round((to - start) / 1000), input.for / 1000)} of ${input.for / 1000} s`,
        )
      : answer;
    const drawn = await withPicture(deps.drawPng, told, () =>
      failoverPicture({
        cluster,
        title: label,
        verdict: `${told.verdict.word}: ${plain(told.verdict.text).replace(`${label} · `, "")}`,
        timeline: watch.timeline,
        nameOf: (mac) => macWords(mac, surroundings.table.ownerOf(mac)),
      }),
    );
    return withFindings(drawn, findings);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return withFindings(
      {
        ...reply(cluster, "UNKNOWN", "unknown", `${label} · could not look at the wire`),
        why: [`${ready.vantage.name}: ${error.fault.what}: ${error.fault.detail}`],
        data: { verdict: "could-not-look", fault: { ...error.fault } },
      },
      findings,
    );
  }
}

/** `/arping watch SERVICE --for 60s`. */
export const watchVerb = defineVerb({
  path: ["watch"],
  usage: "SERVICE --for 60s [--from VANTAGE]",
  summary: "Owner changes, gaps and gratuitous frames of one address over a while.",
  examples: ["httpbin --for 60s"],
  positionals: ["subject"],
  options: [{ name: "for", value: "TIME", about: "1s to 5m" }, from],
  input: z.object({ subject, for: duration, from: z.string().optional() }),
  role: "viewer",
  effect: "probe",
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: handleWatch,
});
