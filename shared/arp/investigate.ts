import type { Fault } from "../fault.ts";
import { FaultError, isFault } from "../fault.ts";
import { parseIp } from "../metallb/ip.ts";
import { announcersByEvents } from "../metallb/observe.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";
import { arpingFor } from "../probes/arping.ts";
import type { ArpingIdentity } from "../probes/arping-identify.ts";
import type { ArpingOutput } from "../probes/arping-output.ts";
import type { Route } from "../probes/ip-route.ts";
import { ipRoute } from "../probes/ip-route.ts";
import type { Site } from "../site/site.ts";
import type { Claim } from "./claims.ts";
import { claimedNodes, eventClaim, statusClaim } from "./claims.ts";
import type { FrameBudget } from "./frame-budget.ts";
import type { Answer, ArpEvidence, ArpVerdict, VantagePoint, Wire } from "./judge.ts";
import { judge } from "./judge.ts";
import type { SingleFlight } from "./single-flight.ts";
import type { ArpPorts, Surroundings } from "./surroundings.ts";
import { announcedByBgp } from "./surroundings.ts";
import type { ReadyVantage } from "./vantage.ts";
import { machineOf, probeVantage } from "./vantage.ts";
import type { VerdictCode } from "./verdict-codes.ts";

/** An address to look at, and the Service that has it (`namespace/name`). */
export type Subject = Readonly<{ ip: string; service: string | undefined }>;

export type Investigation = Subject &
  Readonly<{
    verdict: ArpVerdict;
    evidence: ArpEvidence;
    vantage: VantagePoint | undefined;
    /** The interface the requests left by, and the program that sent them. */
    nic?: string;
    program?: ArpingIdentity;
    route: Route | Fault | undefined;
    /** ARP requests put on the wire for this address. */
    frames: number;
    /** From start to end of the probe, by our own clock; the program's own interval is one second. */
    seconds?: number;
    endedAt: number;
  }>;

export type InvestigateOptions = Readonly<{
  ports: ArpPorts;
  surroundings: Surroundings;
  budget: FrameBudget;
  flights: SingleFlight;
  count: number;
  /** Called when the probe has to wait for the vantage's frame budget. */
  onWait?: () => void;
}>;

/** Verdicts about which it matters whether the answering device answers for everything. */
const askUnused: ReadonlySet<VerdictCode> = new Set([
  "foreign-mac",
  "two-macs",
  "two-nodes",
  "elsewhere",
  "answered",
  "could-not-look",
]);

const pointOf = (ready: ReadyVantage): VantagePoint => {
  const { name, place, clusterNode } = ready.vantage;
  return { name, place, ...(clusterNode === undefined ? {} : { clusterNode }) };
};

const answersOf = (output: ArpingOutput): readonly Answer[] =>
  output.macs.map((mac) => ({ mac, replies: output.replies.filter((reply) => reply.mac === mac).length }));

const predictionFor = (surroundings: Surroundings, subject: Subject): AddressPrediction | Fault => {
  const { prediction } = surroundings;
  if (isFault(prediction)) return prediction;
  return (
    prediction.addresses.find(
      ({ ip, service }) =>
        ip === subject.ip && (subject.service === undefined || service === subject.service),
    ) ?? {
      kind: "not-configured",
      what: "prediction",
      detail: `no Service has the address ${subject.ip}`,
    }
  );
};

const claimOr = (fault: Fault | undefined, claim: () => Claim): Claim =>
  fault ? { kind: "unknown", fault } : claim();

/** Who is believed to announce an address, by any source: such a node must not be the vantage. */
export function believedAnnouncers(surroundings: Surroundings, subject: Subject): readonly string[] {
  const prediction = predictionFor(surroundings, subject);
  const service = subject.service;
  return [
    ...(isFault(prediction) ? [] : prediction.order.slice(0, 1)),
    ...(service === undefined
      ? []
      : [
          ...claimedNodes(eventClaim(surroundings.objects, service)),
          ...claimedNodes(statusClaim(surroundings.objects, service, surroundings.version)),
        ]),
  ];
}

/**
 * Everything that is known about an address beside the wire, as a function of what was seen there: a probe has one
 * answer to judge by it, a watch has many.
 */
export function evidenceAbout(
  surroundings: Surroundings,
  site: Site,
  subject: Subject,
  ready: ReadyVantage | undefined,
): (wire: Wire, route: Route | Fault | undefined) => ArpEvidence {
  const { objects, faults } = surroundings;
  const { service, ip } = subject;
  const prediction = predictionFor(surroundings, subject);
  const unassigned: Claim = { kind: "none", because: "no Service has the address" };
  // A server that does not know the kind runs a MetalLB from before it: there is nothing to look at.
  const statusFault = faults.get("servicel2statuses");
  const base = {
    ip,
    service,
    vantage: ready && pointOf(ready),
    table: surroundings.table,
    site,
    status: claimOr(statusFault?.kind === "not-configured" ? undefined : statusFault, () =>
      service === undefined ? unassigned : statusClaim(objects, service, surroundings.version),
    ),
    event: claimOr(faults.get("events"), () =>
      service === undefined ? unassigned : eventClaim(objects, service),
    ),
    prediction,
    sharing: isFault(surroundings.prediction)
      ? []
      : surroundings.prediction.addresses.filter((other) => other.ip === ip && other.service !== service),
  } as const;
  return (wire, route) => ({
    ...base,
    wire,
    silence: {
      assigned: faults.has("services") ? undefined : service !== undefined,
      bgp: announcedByBgp(surroundings, isFault(prediction) ? undefined : prediction.pool),
      notReady: surroundings.notReady,
      announcedBefore: service === undefined ? [] : announcersByEvents(objects, service),
      speakers: surroundings.speakers,
      route,
      vantageNic: ready && { name: ready.nic.name, onLan: ready.onLan, wireless: ready.nic.wireless },
    },
  });
}

/** Why a vantage that is a node cannot look at an address which it is believed to announce; undefined when it can. */
export function ownAddressFault(
  surroundings: Surroundings,
  subject: Subject,
  { vantage: { name, clusterNode } }: Pick<ReadyVantage, "vantage">,
): Fault | undefined {
  return clusterNode !== undefined && believedAnnouncers(surroundings, subject).includes(clusterNode)
    ? {
        kind: "not-configured",
        what: `vantage ${name}`,
        detail: `${clusterNode} announces ${subject.ip} itself, and a node gets no answer for its own address`,
      }
    : undefined;
}

export type Looked = Readonly<{
  wire: Wire;
  frames: number;
  startedAt?: number;
  endedAt: number;
}>;

/** Asks for one address by broadcast, within the vantage's frame budget. Throws nothing but bugs. */
export async function look(
  options: Pick<InvestigateOptions, "ports" | "budget" | "flights" | "onWait">,
  ready: ReadyVantage,
  ip: string,
  count: number,
): Promise<Looked> {
  const { ports, budget, flights } = options;
  const probe = arpingFor(ready.identity.program);
  const key = [machineOf(ready.vantage), ready.nic.name, ip, count].join(" ");
  try {
    const { output, evidence } = await flights(key, () =>
      budget.run(
        machineOf(ready.vantage),
        1,
        async () => {
          const output = await ports.shell(
            { kind: "vantage", name: ready.vantage.name },
            probe.argv(ready.nic.name, ip, count),
            ports.signal ? { signal: ports.signal } : {},
          );
          return { output, evidence: probe.read(output) };
        },
        { signal: ports.signal, onWait: options.onWait },
      ),
    );
    return {
      wire: { kind: "looked", answers: answersOf(evidence), sent: evidence.broadcasts ?? evidence.sent ?? 0 },
      frames: evidence.sent ?? 0,
      startedAt: output.startedAt,
      endedAt: output.endedAt,
    };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { wire: { kind: "not-looked", fault: error.fault }, frames: 0, endedAt: ports.clock.now() };
  }
}

async function routeOf(ports: ArpPorts, ready: ReadyVantage, ip: string): Promise<Route | Fault> {
  try {
    return await probeVantage(ports, ready.vantage, ipRoute, ip);
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
}

/**
 * Looks at one address from one vantage and judges what it saw. `vantage` is a fault when nothing can look; the other
 * three sources are told all the same. Throws nothing but bugs.
 */
export async function investigate(
  options: InvestigateOptions,
  subject: Subject,
  vantage: ReadyVantage | Fault,
): Promise<Investigation> {
  const { ports, surroundings } = options;
  const { service, ip } = subject;
  const ready = isFault(vantage) ? undefined : vantage;
  const evidenceOf = evidenceAbout(surroundings, ports.config.site, subject, ready);

  const done = (looked: Looked, route: Route | Fault | undefined): Investigation => {
    const evidence = evidenceOf(looked.wire, route);
    return {
      ip,
      service,
      verdict: judge(evidence),
      evidence,
      vantage: evidence.vantage,
      ...(ready ? { nic: ready.nic.name, program: ready.identity } : {}),
      route,
      frames: looked.frames,
      ...(looked.startedAt === undefined ? {} : { seconds: (looked.endedAt - looked.startedAt) / 1000 }),
      endedAt: looked.endedAt,
    };
  };
  const blind = (fault: Fault, route?: Route | Fault): Investigation =>
    done({ wire: { kind: "not-looked", fault }, frames: 0, endedAt: ports.clock.now() }, route);

  if (ready === undefined) return blind(vantage as Fault);
  if (parseIp(ip)?.family !== 4)
    return blind({ kind: "not-modelled", what: ip, detail: "ARP is IPv4 only, NDP is not probed" });
  const own = ownAddressFault(surroundings, subject, ready);
  if (own) return blind(own);
  const route = await routeOf(ports, ready, ip);
  if (!isFault(route) && route.kind === "local")
    return blind(
      {
        kind: "not-configured",
        what: `vantage ${ready.vantage.name}`,
        detail: `it has ${ip} itself, so it cannot see who else answers`,
      },
      route,
    );
  const looked = await look(options, ready, ip, options.count);
  const first = done(looked, route);
  const unused = ports.config.site.unusedAddress;
  if (
    unused === undefined ||
    unused === ip ||
    looked.wire.kind !== "looked" ||
    looked.wire.answers.length === 0 ||
    !askUnused.has(first.verdict.code)
  )
    return first;
  const elsewhere = await look(options, ready, unused, 1);
  if (elsewhere.wire.kind !== "looked") return first;
  return done(
    {
      ...looked,
      frames: looked.frames + elsewhere.frames,
      wire: { ...looked.wire, unusedAnswers: elsewhere.wire.answers.map(({ mac }) => mac) },
    },
    route,
  );
}
