import { sharedFrameBudget } from "../../arp/frame-budget.ts";
import { evidenceAbout, type Investigation, investigate, type Subject } from "../../arp/investigate.ts";
import { judge } from "../../arp/judge.ts";
import type { NodeNics } from "../../arp/mac-table.ts";
import { sharedSingleFlight } from "../../arp/single-flight.ts";
import {
  type ArpPorts,
  inParallel,
  nodeNames,
  readNode,
  type Surroundings,
  surroundingKinds,
  surroundingsOf,
} from "../../arp/surroundings.ts";
import { arpVantages, nodeOf, type ReadyVantage, readyVantage } from "../../arp/vantage.ts";
import { type WishKind, wishKinds } from "../../dns/cluster-wishes.ts";
import type { Fqdn } from "../../dns/fqdn.ts";
import { answersOf, dataOf } from "../../explain/evidence.ts";
import { explain } from "../../explain/explain.ts";
import { gatherEvidence } from "../../explain/gather.ts";
import { lastChange } from "../../explain/last-change.ts";
import { type Wishes, wantedAt, wishesOf, zoneFacts } from "../../explain/name-facts.ts";
import { explainPortsOf } from "../../explain/ports-of.ts";
import { type Fault, isFault } from "../../fault.ts";
import type { ResourceKind } from "../../kubernetes/kinds.ts";
import type { Listed } from "../../kubernetes/read.ts";
import { type FromCluster, fromCluster } from "../../metallb/from-cluster.ts";
import type { Answer } from "../../probes/answer.ts";
import { readFrom } from "../node/gather-lost.ts";
import { changeKinds } from "../recent-changes.ts";
import type { DiagnoseOptions, DiagnosePorts, NoSuch } from "../runbook.ts";
import { clientViews } from "./client-views.ts";
import type { Lists, NameView, PathEvidence } from "./evidence.ts";
import { pinged, pingMachines, visitLeader } from "./leader.ts";
import { endpointsOf, serviceFacts } from "./service-facts.ts";
import { addressed, type PathSubject, pathSubject } from "./subject.ts";
import { impatient, within } from "./within.ts";

/** Milliseconds. A person waits for the whole; each part has less, so that one silent machine does not cost the rest. */
export const budget = {
  whole: 9_000,
  /** The API server; everything else needs what it says. */
  api: 4_000,
  /** One visit to a node or a vantage. */
  visit: 3_500,
  /** Until then the wire waits for the nodes' MACs; later ones count all the same, when the answers are judged. */
  macs: 1_500,
  /** All questions about the name. */
  name: 7_000,
} as const;

/** SSH sessions at a time. */
const nodesAtOnce = 48;

/** Broadcast requests, a second apart. */
const requests = 2;

/** Nodes that are pinged: the one that should announce, and those that pods are on. */
const mostPings = 5;

/** Vantages that are made ready to look at the wire, the best first. */
const arpVantagesTried = 3;

const kinds: readonly ResourceKind[] = [
  ...new Set<ResourceKind>([...surroundingKinds, ...wishKinds, ...changeKinds, "configmaps"]),
];

/** What the cluster says, and what follows from it at once. */
export type Known = Readonly<{ lists: Lists; cluster: FromCluster; wishes: Wishes }>;

export async function readKnown(ports: DiagnosePorts, signal: AbortSignal): Promise<Known> {
  const { clock, config } = ports;
  const read = await within(
    clock,
    { until: clock.now() + budget.api, what: "Kubernetes API", signal },
    (until) => ports.read(kinds, until),
  );
  const lists: Readonly<Record<ResourceKind, Listed>> = (
    read.ok ? read.evidence : Object.fromEntries(kinds.map((kind) => [kind, read.fault]))
  ) as Readonly<Record<ResourceKind, Listed>>;
  return {
    lists,
    cluster: fromCluster(lists),
    wishes: wishesOf(config.name, lists as Readonly<Record<WishKind, Listed>>),
  };
}

/** Why a name does or does not resolve, from everywhere we may ask. Throws FaultError. */
export async function lookAtName(
  ports: DiagnosePorts,
  wishes: Wishes,
  name: Fqdn,
  signal: AbortSignal,
): Promise<NameView> {
  const { zones, ledger, clock } = ports;
  const [facts, change] = await Promise.all([
    zoneFacts(zones, name, "A", wishes),
    lastChange({ ledger, zones, now: clock.now() }, name),
  ]);
  const evidence = await gatherEvidence(
    explainPortsOf(ports),
    { name, type: "A", wanted: wantedAt(wishes, name, "A"), change, ...facts },
    signal,
  );
  return { evidence, explanation: explain(evidence) };
}

/** Addresses that anybody gives for the name, the zone itself first. */
function addressesIn({ evidence }: NameView): readonly string[] {
  const { listed, authoritative, site } = evidence;
  const own = listed.ok
    ? listed.value
        .flatMap(({ atName }) => atName)
        .flatMap(({ type, answer }) => (type === "A" && answer.kind === "values" ? answer.values : []))
    : [];
  const said = [evidence.public, authoritative, site].flatMap((looked) =>
    looked.ok ? answersOf(looked.value).flatMap((answer) => dataOf(answer, "A")) : [],
  );
  return [...own, ...said];
}

type Table = Readonly<{ now: () => Surroundings; most: Promise<void>; all: Promise<void> }>;

/** Reads every node's interfaces; what is there can be used at any time, the rest counts as not read yet. */
function readMacs(ports: ArpPorts, cluster: FromCluster, until: number): Table {
  const names = nodeNames(cluster.objects, ports.config);
  const waiting: Fault = { kind: "timed-out", what: "ip addr", detail: "not back yet" };
  const read = new Map<string, NodeNics>(names.map((node) => [node, { node, fault: waiting }]));
  const all = inParallel(names, nodesAtOnce, async (node) => {
    const what = `ssh to ${node}`;
    const answer = await within(ports.clock, { until, what, signal: ports.signal }, (signal) =>
      readNode({ ...ports, signal, shell: impatient(ports.shell, budget.visit) }, node),
    );
    read.set(node, answer.ok ? answer.evidence : { node, fault: answer.fault });
  }).then(() => undefined);
  const over = new AbortController();
  const most = Promise.race([all, ports.clock.sleep(budget.macs, over.signal)]).finally(() => over.abort());
  return { now: () => surroundingsOf(cluster, [...read.values()], ports.config), most, all };
}

type Ready = Readonly<{
  ready: ReadyVantage | undefined;
  passedOver: PathEvidence["passedOver"];
  fault: Fault;
}>;

/** The best vantage that can look at the wire; those that cannot are named. */
async function chooseVantage(ports: ArpPorts, until: number): Promise<Ready> {
  const able = arpVantages(ports.config.vantages).slice(0, arpVantagesTried);
  const tried = await Promise.all(
    able.map(async (vantage) => ({
      vantage,
      answer: await within(
        ports.clock,
        { until, what: `vantage ${vantage.name}`, signal: ports.signal },
        (signal) => readyVantage({ ...ports, signal, shell: impatient(ports.shell, budget.visit) }, vantage),
      ),
    })),
  );
  const first = tried.findIndex(({ answer }) => answer.ok);
  const passedOver = tried
    .slice(0, first < 0 ? undefined : first)
    .flatMap(({ vantage, answer }) =>
      answer.ok ? [] : [{ vantage: vantage.name, detail: answer.fault.detail }],
    );
  const chosen = tried[first]?.answer;
  return {
    ready: chosen?.ok ? chosen.evidence : undefined,
    passedOver,
    fault: {
      kind: tried[0]?.answer.ok === false ? tried[0].answer.fault.kind : "not-configured",
      what: "wire",
      detail:
        passedOver.map(({ vantage, detail }) => `${vantage}: ${detail}`).join("; ") ||
        "no vantage in the segment is configured, so nobody can see who answers ARP",
    },
  };
}

/** Asks by ARP as soon as most MACs are known, and judges the answers with all that came until then. */
async function lookAtWire(
  ports: ArpPorts,
  table: Table,
  about: Subject,
  until: number,
): Promise<Readonly<{ wire: Answer<Investigation>; passedOver: PathEvidence["passedOver"] }>> {
  const { clock } = ports;
  const [chosen] = await Promise.all([chooseVantage(ports, clock.now() + budget.visit), table.most]);
  const { passedOver } = chosen;
  if (chosen.ready === undefined) {
    await table.all;
    const blind = await investigate(
      {
        ports,
        surroundings: table.now(),
        budget: sharedFrameBudget(clock),
        flights: sharedSingleFlight(clock),
        count: requests,
      },
      about,
      chosen.fault,
    );
    return { wire: { ok: true, evidence: blind }, passedOver };
  }
  const known = table.now();
  // What the config calls a host outside may be a node: its MACs tell.
  const node = chosen.ready.vantage.clusterNode ?? nodeOf(chosen.ready, known.table);
  const ready: ReadyVantage =
    node === undefined
      ? chosen.ready
      : { ...chosen.ready, vantage: { ...chosen.ready.vantage, clusterNode: node } };
  const wire = await within(
    clock,
    { until, what: `ARP from ${ready.vantage.name}`, signal: ports.signal },
    (signal) =>
      investigate(
        {
          ports: { ...ports, signal },
          surroundings: known,
          budget: sharedFrameBudget(clock),
          flights: sharedSingleFlight(clock),
          count: requests,
        },
        about,
        ready,
      ),
  );
  if (!wire.ok) return { wire, passedOver };
  await table.all;
  const { route, evidence } = wire.evidence;
  const again = evidenceAbout(table.now(), ports.config.site, about, ready)(evidence.wire, route);
  return {
    wire: { ok: true, evidence: { ...wire.evidence, evidence: again, verdict: judge(again) } },
    passedOver,
  };
}

const zoneNames = async (ports: DiagnosePorts, until: number): Promise<readonly Fqdn[] | undefined> => {
  const { zones, config, clock } = ports;
  const own = (config.dns?.zones ?? []).map(({ name }) => name as Fqdn);
  if (own.length > 0 || zones === undefined) return own.length > 0 ? own : undefined;
  const read = await within(clock, { until, what: "hosted zones" }, () => zones.zones());
  return read.ok ? read.evidence.map(({ name }) => name) : undefined;
};

export type GatherOptions = DiagnoseOptions &
  Readonly<{
    /** False: nobody asks about names where the address is known without. */
    names?: boolean;
    /** Milliseconds for everything, {@link budget.whole} when left out. */
    whole?: number;
  }>;

/**
 * Looks at everything between a client and the pods of a Service, all of it concurrently, in at most
 * {@link budget.whole}. Throws nothing but bugs.
 */
export async function gatherPath(
  ports: DiagnosePorts,
  word: string,
  { signal, show, names = true, whole: wholeMs = budget.whole }: GatherOptions,
): Promise<PathEvidence | NoSuch> {
  const { clock, config } = ports;
  const now = clock.now();
  const until = now + wholeMs;
  const { lists, cluster, wishes } = await readKnown(ports, signal);
  const meant = pathSubject(
    { objects: cluster.objects, wishes, zones: await zoneNames(ports, clock.now() + 1_000) },
    word,
  );
  if ("noSuch" in meant) {
    const denied = cluster.faults.get("services");
    if (denied === undefined) return meant;
  }
  const first: PathSubject =
    "noSuch" in meant
      ? { word, kind: "service", service: undefined, ip: undefined, hostname: undefined, otherNames: [] }
      : meant;
  show(["asking the cluster, names, vantages and nodes about ", { code: word }]);

  const { hostname } = first;
  const naming =
    hostname === undefined || (!names && first.ip !== undefined)
      ? undefined
      : within(
          clock,
          { until: Math.min(until, clock.now() + budget.name), what: `questions about ${hostname}`, signal },
          (late) => lookAtName(ports, wishes, hostname, late),
        );
  const early = first.ip === undefined ? await naming : undefined;
  const subject = early?.ok === true ? addressed(first, cluster.objects, addressesIn(early.evidence)) : first;

  const whole = new AbortController();
  const over = new AbortController();
  void clock.sleep(Math.max(0, until - clock.now()), over.signal).then(() => {
    if (!over.signal.aborted) whole.abort();
  });
  const arp: ArpPorts = {
    config,
    read: readFrom(lists),
    shell: ports.shell,
    clock,
    signal: AbortSignal.any([signal, whole.signal]),
  };
  const table = readMacs(arp, cluster, until);
  const before = table.now();
  const service =
    subject.service === undefined ? undefined : serviceFacts(lists.services ?? [], subject.service);
  const { ip } = subject;
  const elected =
    isFault(before.prediction) || ip === undefined
      ? undefined
      : before.prediction.addresses.find(
          (each) => each.ip === ip && (subject.service === undefined || each.service === subject.service),
        )?.order[0];
  const behind = service === undefined ? [] : (endpointsOf(lists.endpointslices ?? [], service.key) ?? []);
  const hanging = [
    ...(elected === undefined ? [] : [elected]),
    ...new Set(behind.flatMap(({ node }) => node ?? [])),
  ].slice(0, mostPings);
  const [looked, clients, leader, name, pings] = await Promise.all([
    ip === undefined ? undefined : lookAtWire(arp, table, { ip, service: subject.service }, until - 100),
    ip === undefined
      ? []
      : clientViews(ports, { subject, service, objects: cluster.objects, until: until - 100, signal }),
    elected === undefined ? undefined : visitLeader(ports, lists, elected, until - 100),
    naming,
    pingMachines(ports, pinged(cluster.objects, hanging, config.site), until - 100),
    table.all,
  ]);
  over.abort();
  return {
    config,
    now,
    subject,
    lists,
    surroundings: table.now(),
    wishes,
    service,
    name,
    wire: looked?.wire,
    passedOver: looked?.passedOver ?? [],
    clients,
    leader,
    pings,
  };
}
