import { inParallel } from "../arp/surroundings.ts";
import type { Clock } from "../clock.ts";
import { type Fault, FaultError, isFault } from "../fault.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { ReadLogs } from "../kubernetes/logs.ts";
import type { Listed, ReadCluster } from "../kubernetes/read.ts";
import { fromCluster } from "../metallb/from-cluster.ts";
import { speakerLogSources } from "../metallb/speakers.ts";
import { type Answer, answerOf } from "../probes/answer.ts";
import { type EvidenceRequest, evidenceCommand, readEvidence } from "../probes/evidence-script.ts";
import { nodeRoutes } from "../probes/node-routes.ts";
import type { Shell, ShellOutput } from "../probes/shell.ts";
import type { ClusterConfig } from "../site/site.ts";
import type { Check } from "./check.ts";
import type { Gathered, NodeAnswers, SpeakerLogs, VantageRoutes } from "./evidence.ts";
import { logWindowSeconds } from "./log-window.ts";
import { type NodeProbeId, nodeProbes, type Visit } from "./node-probes.ts";
import { needsOf } from "./run.ts";
import { tellMissingRule } from "./sudoers.ts";

export type GatherPorts = Readonly<{
  config: ClusterConfig;
  read: ReadCluster;
  shell: Shell;
  clock: Clock;
  /** Letters, digits and dashes that a program on a node cannot guess. */
  newNonce: () => string;
  /** Without it, checks that look at logs are unknown. */
  logs?: ReadLogs;
  signal?: AbortSignal;
}>;

export type Limits = Readonly<{ nodesAtOnce: number; perNodeMs: number; wholeRunMs: number }>;

/** A Raspberry Pi under load answers all probes in a second or two; the slowest single probe may take five. */
export const usualLimits: Limits = { nodesAtOnce: 50, perNodeMs: 20_000, wholeRunMs: 120_000 };

/** Where the names of the nodes come from. */
export type NodeSource =
  | Readonly<{ from: "api"; names: readonly string[] }>
  | Readonly<{ from: "config"; names: readonly string[]; because: Fault }>;

/** How many neighbours of each node are tried: enough to tell a node's own fault from that of one neighbour. */
const neighboursEach = 3;

const noNodes = (detail: string): Fault => ({ kind: "unreadable", what: "list of nodes", detail });

/** The cluster's nodes, from the API or, when that could not be read, from the config. */
export function nodeSource(nodes: Listed | undefined, config: ClusterConfig): NodeSource {
  const because = nodes === undefined ? noNodes("it was not asked for") : isFault(nodes) ? nodes : undefined;
  const names = because === undefined ? (nodes as readonly { metadata: { name: string } }[]) : [];
  if (names.length > 0) return { from: "api", names: names.map(({ metadata }) => metadata.name).sort() };
  return {
    from: "config",
    names: config.nodes.map(({ name }) => name).sort(),
    because: because ?? noNodes("the API server listed none, which no running cluster does"),
  };
}

/** The next nodes in the order of names, around the end, whose InternalIP the API told. */
function visitsTo(lists: Gathered["lists"], source: NodeSource): (node: string) => Visit {
  if (source.from === "config") return (node) => ({ node, neighbours: undefined });
  const { objects } = fromCluster({ nodes: lists.nodes ?? [] });
  const ring = objects.nodes
    .flatMap(({ name, addresses }) => {
      const address = addresses.find(({ type }) => type === "InternalIP")?.address;
      return address === undefined ? [] : [{ node: name, address }];
    })
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  return (node) => {
    const after = ring.findIndex((each) => each.node > node);
    const start = after < 0 ? 0 : after;
    const others = [...ring.slice(start), ...ring.slice(0, start)].filter((each) => each.node !== node);
    return { node, neighbours: others.slice(0, neighboursEach) };
  };
}

type Asked = Readonly<{ probe: NodeProbeId; requests: readonly EvidenceRequest[] }>;

const askedOf = (probes: readonly NodeProbeId[], visit: Visit): readonly Asked[] =>
  probes.map((probe) => ({
    probe,
    requests: nodeProbes[probe]
      .commands(visit)
      .map((command, i) => ({ key: `${probe}-${String(i)}`, command })),
  }));

/** What went wrong on the way to a node, in the words of our own time limits where one of them ended it. */
function unreached(error: unknown, node: string, late: boolean, { perNodeMs }: Limits): Fault {
  if (!(error instanceof FaultError)) throw error;
  const what = `ssh to ${node}`;
  if (error.fault.kind !== "cancelled") return { ...error.fault, what };
  return late
    ? { kind: "timed-out", what, detail: `no answer in ${perNodeMs / 1_000} s` }
    : { kind: "cancelled", what, detail: "the run was over before this node had answered" };
}

async function visitNode(
  ports: GatherPorts,
  limits: Limits,
  probes: readonly NodeProbeId[],
  visit: Visit,
  wholeRun: AbortSignal,
): Promise<NodeAnswers> {
  const { node } = visit;
  const { clock, shell } = ports;
  const asked = askedOf(probes, visit);
  const requests = asked.flatMap((each) => each.requests);
  const nonce = ports.newNonce();
  const late = new AbortController();
  const over = new AbortController();
  void clock.sleep(limits.perNodeMs, over.signal).then(() => {
    if (!over.signal.aborted) late.abort();
  });
  const signal = AbortSignal.any([late.signal, wholeRun]);
  let output: ShellOutput;
  try {
    // Ended by us before that, so that what came until then still counts.
    const command = evidenceCommand(nonce, requests, limits.perNodeMs + 5_000);
    output = await shell({ kind: "node", name: node }, command, { signal });
  } catch (error) {
    return { node, unreached: unreached(error, node, late.signal.aborted, limits), probes: {} };
  } finally {
    over.abort();
  }
  // Not even a first frame: it froze, or the script never began.
  if (output.exitCode === null && output.stdout === "") {
    const fault = { kind: "cancelled", what: "", detail: "" } as const;
    return {
      node,
      unreached: unreached(new FaultError(fault), node, late.signal.aborted, limits),
      probes: {},
    };
  }
  const answers = readEvidence(output, nonce, requests);
  const byKey = new Map(requests.map(({ key }, i) => [key, answers[i] as Answer<ShellOutput>]));
  const read = asked.map((each): readonly [NodeProbeId, Answer<unknown>] => {
    const outputs = each.requests.map(({ key }) => byKey.get(key) as Answer<ShellOutput>);
    const answer = answerOf(() => nodeProbes[each.probe].read(outputs, visit));
    const commands = each.requests.map((request) => request.command);
    return [each.probe, tellMissingRule(answer, commands)];
  });
  return { node, probes: Object.fromEntries(read) as NodeAnswers["probes"] };
}

export type GatherOptions = Readonly<{
  checks: readonly Check[];
  /** Nodes to visit; undefined means all. Checks across nodes see these alone. */
  only?: readonly string[];
  limits?: Limits;
  /** Called when the nodes are known and whenever one of them is done. */
  onProgress?: (done: number, total: number) => void;
}>;

/** Lists what the checks read of the cluster. Faults are values in it. */
export async function readLists(
  ports: GatherPorts,
  checks: readonly Check[],
): Promise<Gathered["lists"] & Readonly<{ nodes: Listed }>> {
  const kinds: ResourceKind[] = [...new Set<ResourceKind>(["nodes", ...needsOf(checks).kinds])];
  return (await ports.read(kinds, ports.signal)) as Gathered["lists"] & Readonly<{ nodes: Listed }>;
}

const logLines = 2_000;

/** The newest lines of every speaker that runs, all at once; one that cannot be read is a fault of its own. */
async function readSpeakerLogs(
  { logs, signal }: GatherPorts,
  lists: Gathered["lists"],
): Promise<SpeakerLogs> {
  const sources = speakerLogSources(fromCluster({ pods: lists.pods ?? [] }).objects);
  const read = await inParallel(
    sources,
    usualLimits.nodesAtOnce,
    async ({ node, ...where }): Promise<readonly [string, Answer<readonly string[]>]> => {
      const what = `log of ${where.pod}`;
      if (logs === undefined)
        return [
          node,
          { ok: false, fault: { kind: "not-configured", what, detail: "logs cannot be read here" } },
        ];
      try {
        const request = { ...where, tailLines: logLines, sinceSeconds: logWindowSeconds };
        return [node, { ok: true, evidence: await logs(request, signal) }];
      } catch (error) {
        if (error instanceof FaultError) return [node, { ok: false, fault: error.fault }];
        throw error;
      }
    },
  );
  return new Map(read);
}

const routesMs = 10_000;

/** Routes of the vantages that stand in the segment; those behind the router have a gateway on their way by right. */
async function readVantageRoutes(
  { config, shell }: GatherPorts,
  signal: AbortSignal,
): Promise<VantageRoutes> {
  const inSegment = config.vantages.filter(({ place }) => place !== "behind-router");
  return Promise.all(
    inSegment.map(async (vantage) => {
      const what = `routes of ${vantage.name}`;
      try {
        const command = { ...nodeRoutes.argv(), timeoutMs: routesMs };
        const output = await shell({ kind: "vantage", name: vantage.name }, command, { signal });
        return { vantage, routes: answerOf(() => nodeRoutes.read(output)) };
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        return { vantage, routes: { ok: false as const, fault: { ...error.fault, what } } };
      }
    }),
  );
}

/**
 * Visits every node at once, so many at a time, with one SSH exec each for all probes of all checks. A node that is dead
 * or slow costs its own time limit and nobody else's. Throws nothing but bugs: what fails is evidence of a fault.
 */
export async function visitNodes(
  ports: GatherPorts,
  lists: Gathered["lists"],
  source: NodeSource,
  { checks, only, limits = usualLimits, onProgress }: GatherOptions,
): Promise<Gathered> {
  const { probes } = needsOf(checks);
  const names = only ?? source.names;
  const visit = visitsTo(lists, source);
  const wholeRun = new AbortController();
  const over = new AbortController();
  void ports.clock.sleep(limits.wholeRunMs, over.signal).then(() => {
    if (!over.signal.aborted) wholeRun.abort();
  });
  const signal =
    ports.signal === undefined ? wholeRun.signal : AbortSignal.any([wholeRun.signal, ports.signal]);
  let done = 0;
  onProgress?.(0, names.length);
  const speakerLogs = checks.some((check) => check.logs !== undefined)
    ? readSpeakerLogs({ ...ports, signal }, lists)
    : undefined;
  const vantageRoutes = checks.some((check) => check.vantages !== undefined)
    ? readVantageRoutes(ports, signal)
    : undefined;
  const nodes = await inParallel(names, limits.nodesAtOnce, async (name) => {
    const answers = await visitNode(ports, limits, probes, visit(name), signal);
    onProgress?.(++done, names.length);
    return answers;
  });
  const logged = await speakerLogs;
  const seenFrom = await vantageRoutes;
  over.abort();
  return {
    cluster: ports.config.name,
    site: ports.config.site,
    nodes,
    lists,
    ...(logged === undefined ? {} : { speakerLogs: logged }),
    ...(seenFrom === undefined ? {} : { vantageRoutes: seenFrom }),
  };
}
