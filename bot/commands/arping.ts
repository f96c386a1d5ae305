import * as z from "zod";
import { sharedFrameBudget } from "#shared/arp/frame-budget.ts";
import { hostKeyFindings } from "#shared/arp/host-key-finding.ts";
import type { InvestigateOptions, Investigation, Subject } from "#shared/arp/investigate.ts";
import { evidenceAbout, investigate, ownAddressFault } from "#shared/arp/investigate.ts";
import { sharedSingleFlight } from "#shared/arp/single-flight.ts";
import type { Unaddressed } from "#shared/arp/subject.ts";
import { resolveSubject, shortName, unaddressed } from "#shared/arp/subject.ts";
import type { ArpPorts, Surroundings } from "#shared/arp/surroundings.ts";
import { inParallel, readSurroundings } from "#shared/arp/surroundings.ts";
import type { ReadyVantage, Skipped } from "#shared/arp/vantage.ts";
import { arpVantages, nodeOf, probeVantage, readyVantage } from "#shared/arp/vantage.ts";
import { investigationReply, overviewReply } from "#shared/arp/verdict-reply.ts";
import { watchAddress } from "#shared/arp/watch.ts";
import { macWords, watchReply } from "#shared/arp/watch-reply.ts";
import type { Fault } from "#shared/fault.ts";
import { FaultError, isFault } from "#shared/fault.ts";
import { type Finding, isFailure } from "#shared/finding.ts";
import type { Json } from "#shared/json.ts";
import { parseIp } from "#shared/metallb/ip.ts";
import { nearest } from "#shared/nearest.ts";
import { failoverPicture } from "#shared/pictures/failover-timeline.ts";
import { ipRoute } from "#shared/probes/ip-route.ts";
import type { Reply } from "#shared/reply.ts";
import type { Vantage } from "#shared/site/site.ts";
import { code, plain, text } from "#shared/text.ts";
import { withPicture } from "../pictures.ts";
import { drillVerb } from "./arping-drill.ts";
import type { ClusterPorts, Command, Context } from "./command.ts";
import { defineVerb } from "./command.ts";

/** More than any probe can use at once; the frame budget does the real limiting. */
const addressesAtOnce = 16;

const count = z
  .string()
  .regex(/^(?:[1-9]|10)$/, "must be a whole number from 1 to 10")
  .default("3")
  .transform(Number);

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

const duration = z
  .string()
  .regex(/^\d+[smh]?$/, "must be a time such as 60s or 2m, from 1s to 5m")
  .transform(
    (value) => Number.parseInt(value, 10) * unitMs[(/[smh]$/.exec(value)?.[0] ?? "s") as keyof typeof unitMs],
  )
  .refine((ms) => ms >= 1_000 && ms <= 300_000, "must be from 1s to 5m");

const subject = z.string({ error: "name a Service, an address or all" }).min(1);

const reply = (
  cluster: string,
  word: string,
  outcome: Reply["verdict"]["outcome"],
  words: string,
): Reply => ({
  verdict: { word, outcome, text: [words] },
  cluster,
  findings: [],
  blocks: [],
  actions: [],
});

const noVantage = (cluster: string): Reply => ({
  ...reply(
    cluster,
    "UNKNOWN",
    "unknown",
    "no vantage outside the cluster is configured, so reachability cannot be judged. Add one under vantages: (docs/vantages.md).",
  ),
  data: { verdict: "could-not-look" },
});

/** The vantages to try, best first; a reply when the person named one that cannot serve. */
async function vantagesFor(
  ports: ArpPorts,
  from: string | undefined,
  word: string,
): Promise<readonly Vantage[] | Reply> {
  const { name, vantages } = ports.config;
  if (from === undefined) {
    const able = arpVantages(vantages);
    return able.length > 0 ? able : noVantage(name);
  }
  const named = vantages.find((vantage) => vantage.name === from);
  if (named === undefined) {
    const near = nearest(
      from,
      vantages.map((vantage) => vantage.name),
    );
    return {
      ...reply(
        name,
        "Not understood",
        "usage",
        `No vantage "${from}" on ${name}.${near === undefined ? "" : ` Nearest: ${near}.`}`,
      ),
      next: [text`Vantages: ${vantages.map((vantage) => vantage.name).join(", ") || "none is configured"}`],
    };
  }
  if (named.place !== "behind-router") return [named];
  const [able] = arpVantages(vantages);
  const base = {
    ...reply(
      name,
      "UNKNOWN",
      "unknown",
      `${word} · ${from} is behind the router, and ARP does not cross it: nothing can be seen of who answers.`,
    ),
    next: [
      able === undefined
        ? text`Add a vantage on the LAN under vantages: (${code("docs/vantages.md")})`
        : text`From the LAN: ${code(`/arping ${word} --from ${able.name}`)}`,
    ],
  };
  const ip = parseIp(word)?.family === 4 ? word : undefined;
  const data = { verdict: "could-not-look", vantage: { name: from, place: named.place } };
  if (ip === undefined) return { ...base, data };
  try {
    const route = await probeVantage(ports, named, ipRoute, ip);
    const said =
      route.kind === "via"
        ? `through ${route.gateway}`
        : route.kind === "unreachable"
          ? `not at all (${route.because})`
          : `directly on ${route.nic}`;
    return { ...base, why: [`${from} reaches ${ip} ${said}.`], data: { ...data, route: { ...route } } };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { ...base, why: [`Its route to ${ip} is not known either: ${error.fault.detail}.`], data };
  }
}

/** Services that a question about all of them must not hide: they have no address to look at. */
const withoutAddress = (
  { objects, loadBalancerClass }: Surroundings,
  word: string,
): readonly Unaddressed[] => (word === "all" ? unaddressed(objects, loadBalancerClass) : []);

/** The subjects a word means, or the reply that says why it means none. */
function subjectsFor(ports: ArpPorts, surroundings: Surroundings, word: string): readonly Subject[] | Reply {
  const cluster = ports.config.name;
  const resolved = resolveSubject(surroundings.objects, word);
  const denied = surroundings.faults.get("services");
  const isAddress = resolved.kind === "subjects" && word !== "all";
  if (denied && !isAddress)
    return {
      ...reply(cluster, "UNKNOWN", "unknown", `Services could not be listed: ${denied.detail}`),
      next: [
        text`An address can be probed all the same: ${code("/arping ADDRESS")}`,
        text`What else cannot be read: ${code("/arpeggio doctor")}`,
      ],
      data: { verdict: "could-not-look", fault: { ...denied } },
    };
  switch (resolved.kind) {
    case "subjects":
      return resolved.subjects.length > 0 || withoutAddress(surroundings, word).length > 0
        ? resolved.subjects
        : {
            ...reply(
              cluster,
              "UNKNOWN",
              "unknown",
              "no Service has an address, so there is nothing to probe.",
            ),
            next: [text`${code("kubectl get services -A")}`],
          };
    case "ambiguous":
      return reply(
        cluster,
        "Not understood",
        "usage",
        `"${word}" is ${resolved.services.length} services on ${cluster}: ${resolved.services.join(", ")}. Say which.`,
      );
    case "no-address":
      return {
        ...reply(
          cluster,
          "SILENT",
          "failed",
          `${resolved.service} has no address yet, so nothing can announce it.`,
        ),
        next: [
          text`${code(`kubectl -n ${resolved.service.split("/")[0]} describe service ${resolved.service.split("/")[1]}`)}`,
        ],
        data: {
          service: resolved.service,
          verdict: "silence",
          candidates: [{ id: "not-assigned", seen: true }],
        },
      };
    case "unknown": {
      const near = resolved.nearest;
      const nearText = near
        ? ` Nearest: ${near.service === undefined ? "" : `${shortName(near.service, surroundings.objects)} `}${near.ip}.`
        : "";
      return reply(
        cluster,
        "Not understood",
        "usage",
        `No service "${word}" on ${cluster}.${nearText} All: /arping all`,
      );
    }
  }
}

const isReply = (value: readonly unknown[] | Reply): value is Reply => !Array.isArray(value);

type Found = Readonly<{
  ready: ReadyVantage | undefined;
  skipped: readonly Skipped[];
  /** What has to be said about the vantage that was taken. */
  notes: readonly string[];
}>;

/** Vantages once found ready are not asked again within a command; a node is no vantage for its own address. */
function vantageFinder(ports: ArpPorts, vantages: readonly Vantage[], surroundings: Surroundings) {
  const known = new Map<string, Promise<ReadyVantage | Fault>>();
  const getReady = async (vantage: Vantage): Promise<ReadyVantage | Fault> => {
    try {
      return await readyVantage(ports, vantage);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return error.fault;
    }
  };
  return async (about: Subject): Promise<Found> => {
    const skipped: Skipped[] = [];
    for (const vantage of vantages) {
      const own = ownAddressFault(surroundings, about, { vantage });
      if (own && vantages.length > 1) continue;
      const asked = known.get(vantage.name) ?? getReady(vantage);
      known.set(vantage.name, asked);
      const ready = await asked;
      if (isFault(ready)) {
        skipped.push({ vantage: vantage.name, fault: ready });
        continue;
      }
      const node = nodeOf(ready, surroundings.table);
      if (node === undefined || node === vantage.clusterNode) return { ready, skipped, notes: [] };
      const asNode = { ...ready, vantage: { ...vantage, clusterNode: node } };
      const blind = ownAddressFault(surroundings, about, asNode);
      const said = `${vantage.name} has a MAC of the node ${node} and is taken for it${vantage.clusterNode === undefined ? "" : `, not for ${vantage.clusterNode}`} (clusterNode: in the config)`;
      if (!blind) return { ready: asNode, skipped, notes: [said] };
      skipped.push({ vantage: vantage.name, fault: { ...blind, detail: `${said}; ${blind.detail}` } });
    }
    return { ready: undefined, skipped, notes: [] };
  };
}

const noneReady = (skipped: readonly Skipped[]): Fault => ({
  kind: skipped[0]?.fault.kind ?? "not-configured",
  what: skipped.length > 0 ? "vantages" : "vantage",
  detail:
    skipped.map(({ vantage, fault }) => `${vantage}: ${fault.detail}`).join("; ") ||
    "every vantage is a node that announces the address itself",
});

const skippedNotes = (skipped: readonly Skipped[]): readonly string[] =>
  skipped.map(({ vantage, fault }) => `${vantage} could not be used: ${fault.detail}`);

/** Findings beside the verdict about the address. A pass with a failure beside it is none. */
function withFindings(answer: Reply, findings: readonly Finding[]): Reply {
  if (findings.length === 0) return answer;
  const { word, outcome } = answer.verdict;
  const passes = (outcome === "ok" || outcome === "info") && findings.some(isFailure);
  return {
    ...answer,
    verdict: passes
      ? { ...answer.verdict, word: outcome === "ok" ? "WARN" : word, outcome: "failed" }
      : answer.verdict,
    findings: [...answer.findings, ...findings],
  };
}

/**
 * An answer to a question that somebody, or a time limit, stopped: what was seen is shown, and nothing is concluded from
 * it. What was seen may be wrong for the rest, so neither a pass nor silence is.
 */
const stopped = (answer: Reply, label: string, soFar: string): Reply => ({
  ...answer,
  verdict: { word: "UNKNOWN", outcome: "unknown", text: [`${label}stopped ${soFar}`] },
  why: [`Until then: ${plain(answer.verdict.text)}.`],
  next: [],
  data: { ...(answer.data as Readonly<Record<string, Json>>), stopped: soFar, verdict: "could-not-look" },
});

const waiting = (cluster: string, words: string): Reply => reply(cluster, "Probing", "running", words);

const portsOf = (cluster: ClusterPorts, context: Context<unknown>): ArpPorts => ({
  config: cluster.config,
  read: cluster.read,
  shell: cluster.shell,
  clock: context.deps.clock,
  signal: context.signal,
});

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
        title: label,
        verdict: `${told.verdict.word}: ${plain(told.verdict.text)}`,
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

const from = { name: "from", value: "VANTAGE", about: "look from this vantage instead of the best one" };

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
    defineVerb({
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
    }),
    drillVerb,
  ],
};
