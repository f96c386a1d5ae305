import { sharedFrameBudget } from "../arp/frame-budget.ts";
import { type Investigation, investigate, ownAddressFault } from "../arp/investigate.ts";
import { sharedSingleFlight } from "../arp/single-flight.ts";
import { assignedAddresses, shortName } from "../arp/subject.ts";
import { inParallel, readSurroundings, type Surroundings } from "../arp/surroundings.ts";
import { arpVantages, nodeOf, type ReadyVantage, readyVantage } from "../arp/vantage.ts";
import { verdictOutcome } from "../arp/verdict-codes.ts";
import { overviewReply } from "../arp/verdict-reply.ts";
import { type Fault, FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import type { Block } from "../reply.ts";
import type { StepContext } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { finding } from "./define-step.ts";

const addressesAtOnce = 16;
/** Of many addresses, how often it is told how far this has come. */
const toldEvery = 25;
/** Requests an address; of very many one each, since a vantage sends ten a second over all. */
const requestsFor = (addresses: number): number => (addresses > 100 ? 1 : 3);

export type OnTheWire = Readonly<{
  surroundings: Surroundings;
  results: readonly Investigation[];
  /** One for each address that is not answered as predicted; unknown where nobody could look. */
  findings: readonly Finding[];
  blocks: readonly Block[];
}>;

/** Probes addresses by ARP from the segment, all of them or those given, and judges each. Throws nothing but bugs. */
export async function lookOnTheWire(
  { ports, signal, run, show }: StepContext,
  only?: readonly string[],
): Promise<OnTheWire> {
  const arpPorts = { config: ports.config, read: ports.read, shell: ports.shell, clock: ports.clock, signal };
  const surroundings = await readSurroundings(arpPorts);
  const ready: ReadyVantage[] = [];
  const faults: Fault[] = [];
  for (const vantage of arpVantages(ports.config.vantages)) {
    try {
      const found = await readyVantage(arpPorts, vantage);
      const node = nodeOf(found, surroundings.table);
      ready.push(node === undefined ? found : { ...found, vantage: { ...vantage, clusterNode: node } });
      // A host outside the cluster can look at every address.
      if (node === undefined && vantage.clusterNode === undefined) break;
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      faults.push(error.fault);
    }
  }
  const none: Fault = faults[0] ?? {
    kind: "not-configured",
    what: "vantage",
    detail: "none on the segment is configured, so nobody can ask by ARP",
  };
  const subjects = assignedAddresses(surroundings.objects).filter(
    ({ ip }) => only === undefined || only.includes(ip),
  );
  let asked = 0;
  const results = await inParallel(subjects, addressesAtOnce, async (subject) => {
    const result = await investigate(
      {
        ports: arpPorts,
        surroundings,
        budget: sharedFrameBudget(ports.clock),
        flights: sharedSingleFlight(ports.clock),
        count: requestsFor(subjects.length),
      },
      subject,
      ready.find((each) => ownAddressFault(surroundings, subject, each) === undefined) ?? none,
    );
    asked += 1;
    if (asked % toldEvery === 0) show(text`${asked} of ${subjects.length} addresses are asked for`);
    return result;
  });
  const reply = overviewReply(
    run.cluster,
    results,
    [],
    ({ ip, service }) => (service === undefined ? ip : `${shortName(service, surroundings.objects)} ${ip}`),
    [],
  );
  return {
    surroundings,
    results,
    findings: results.flatMap(({ ip, service, verdict }) => {
      const outcome = verdictOutcome(verdict.code);
      if (outcome === "ok") return [];
      return [
        finding(
          `wire-${verdict.code}`,
          outcome === "unknown" ? "unknown" : "error",
          { kind: "address", name: ip },
          text`${code(ip)}${service === undefined ? "" : ` (${service})`}: ${verdict.headline}`,
          { facts: { service: service ?? null }, remedy: text`${code(`/arping ${ip}`)}` },
        ),
      ];
    }),
    blocks: reply.blocks,
  };
}

/** Who answers for each address, as the wire says; addresses that nobody single answers for are left out. */
export const announcersSeen = (results: readonly Investigation[]): ReadonlyMap<string, string> =>
  new Map(
    results.flatMap(({ ip, verdict }) => (verdict.node === undefined ? [] : [[ip, verdict.node] as const])),
  );

export const announcersJson = (results: readonly Investigation[]): Json =>
  Object.fromEntries([...announcersSeen(results)].sort(([a], [b]) => (a < b ? -1 : 1)));
