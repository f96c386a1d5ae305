import * as z from "zod";
import type { Subject } from "#shared/arp/investigate.ts";
import { ownAddressFault } from "#shared/arp/investigate.ts";
import type { Unaddressed } from "#shared/arp/subject.ts";
import { resolveSubject, shortName, unaddressed } from "#shared/arp/subject.ts";
import type { ArpPorts, Surroundings } from "#shared/arp/surroundings.ts";
import type { ReadyVantage, Skipped } from "#shared/arp/vantage.ts";
import { arpVantages, nodeOf, probeVantage, readyVantage } from "#shared/arp/vantage.ts";
import type { Fault } from "#shared/fault.ts";
import { FaultError, isFault } from "#shared/fault.ts";
import { type Finding, isFailure } from "#shared/finding.ts";
import type { Json } from "#shared/json.ts";
import { parseIp } from "#shared/metallb/ip.ts";
import { nearest } from "#shared/nearest.ts";
import { ipRoute } from "#shared/probes/ip-route.ts";
import type { Reply } from "#shared/reply.ts";
import type { Vantage } from "#shared/site/site.ts";
import { code, plain, text } from "#shared/text.ts";
import type { ClusterPorts, Context } from "./command.ts";

export const subject = z.string({ error: "name a Service, an address or all" }).min(1);

export const from = {
  name: "from",
  value: "VANTAGE",
  about: "look from this vantage instead of the best one",
};

export const reply = (
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
export async function vantagesFor(
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
export const withoutAddress = (
  { objects, loadBalancerClass }: Surroundings,
  word: string,
): readonly Unaddressed[] => (word === "all" ? unaddressed(objects, loadBalancerClass) : []);

/** The subjects a word means, or the reply that says why it means none. */
export function subjectsFor(
  ports: ArpPorts,
  surroundings: Surroundings,
  word: string,
): readonly Subject[] | Reply {
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

export const isReply = (value: readonly unknown[] | Reply): value is Reply => !Array.isArray(value);

type Found = Readonly<{
  ready: ReadyVantage | undefined;
  skipped: readonly Skipped[];
  /** What has to be said about the vantage that was taken. */
  notes: readonly string[];
}>;

/** Vantages once found ready are not asked again within a command; a node is no vantage for its own address. */
export function vantageFinder(ports: ArpPorts, vantages: readonly Vantage[], surroundings: Surroundings) {
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

export const noneReady = (skipped: readonly Skipped[]): Fault => ({
  kind: skipped[0]?.fault.kind ?? "not-configured",
  what: skipped.length > 0 ? "vantages" : "vantage",
  detail:
    skipped.map(({ vantage, fault }) => `${vantage}: ${fault.detail}`).join("; ") ||
    "every vantage is a node that announces the address itself",
});

export const skippedNotes = (skipped: readonly Skipped[]): readonly string[] =>
  skipped.map(({ vantage, fault }) => `${vantage} could not be used: ${fault.detail}`);

/** Findings beside the verdict about the address. A pass with a failure beside it is none. */
export function withFindings(answer: Reply, findings: readonly Finding[]): Reply {
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
export const stopped = (answer: Reply, label: string, soFar: string): Reply => ({
  ...answer,
  verdict: { word: "UNKNOWN", outcome: "unknown", text: [`${label}stopped ${soFar}`] },
  why: [`Until then: ${plain(answer.verdict.text)}.`],
  next: [],
  data: { ...(answer.data as Readonly<Record<string, Json>>), stopped: soFar, verdict: "could-not-look" },
});

export const waiting = (cluster: string, words: string): Reply => reply(cluster, "Probing", "running", words);

export const portsOf = (cluster: ClusterPorts, context: Context<unknown>): ArpPorts => ({
  config: cluster.config,
  read: cluster.read,
  shell: cluster.shell,
  clock: context.deps.clock,
  signal: context.signal,
});
