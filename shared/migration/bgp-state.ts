import { type Fault, FaultError, isFault } from "../fault.ts";
import { isIn, rangesOf } from "../metallb/address-ranges.ts";
import { selectsPool } from "../metallb/configuration.ts";
import { parseIp } from "../metallb/ip.ts";
import { bgpStatuses } from "../metallb/observe.ts";
import { tcpConnect } from "../probes/tcp-connect.ts";
import type { StepContext } from "../steps/step.ts";
import { type ServedAddress, servedAddresses } from "./addresses.ts";
import { clientVantage, opensNow } from "./clients.ts";
import { pathTo } from "./hops.ts";
import type { MetalLbView } from "./metallb-view.ts";

/**
 * Whether BGP carries traffic. A ServiceBGPStatus is intention; what counts is a client behind the router that reaches an
 * address which only BGP can have led it to, or a router that does not even listen on the BGP port.
 */
export type BgpState = Readonly<{
  state: "up" | "down" | "unknown" | "not-configured";
  /** One line each: what was looked at and seen. */
  evidence: readonly string[];
}>;

/** How many addresses are tried: all say the same, unless one Service has no endpoint. */
const tried = 3;

/** Addresses that the router has no other way to than BGP: announced by it alone, under no static route of the site. */
export function onlyByBgp(view: MetalLbView, context: StepContext): readonly ServedAddress[] {
  const routes = rangesOf(context.ports.config.site.staticRoutes.map(({ to }) => to));
  return servedAddresses(view).filter(({ ip }) => {
    const parsed = parseIp(ip);
    if (parsed === undefined || isIn(parsed, routes)) return false;
    const prediction = view.prediction.addresses.find((each) => each.ip === ip);
    return prediction !== undefined && prediction.order.length === 0 && prediction.why !== undefined;
  });
}

/** Whether the peers listen on their BGP port, asked from a node: one line each, `refused` in it where nobody does. */
export async function peerPorts(context: StepContext, view: MetalLbView): Promise<readonly string[]> {
  const [node] = view.objects.nodes;
  if (node === undefined) return [];
  const lines: string[] = [];
  for (const peer of view.lists.bgppeers) {
    const spec = (peer.spec ?? {}) as Readonly<{ peerAddress?: string; peerPort?: number }>;
    if (spec.peerAddress === undefined) continue;
    const port = spec.peerPort ?? 179;
    try {
      const output = await context.ports.shell(
        { kind: "node", name: node.name },
        tcpConnect.argv(spec.peerAddress, port),
        { signal: context.signal },
      );
      lines.push(
        `${peer.metadata.name} ${spec.peerAddress} port ${port}: ${tcpConnect.read(output)} from ${node.name}`,
      );
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      lines.push(
        `${peer.metadata.name} ${spec.peerAddress} port ${port}: could not look (${error.fault.detail})`,
      );
    }
  }
  return lines;
}

/** Whether a peer takes connections on its BGP port: no proof of a session, and none can stand without. */
export const listens = (ports: readonly string[]): boolean => ports.some((line) => line.includes(": open "));

/** Looks whether BGP carries traffic now. Throws nothing but bugs: what cannot be seen is told and stays unknown. */
export async function bgpStateOf(context: StepContext, view: MetalLbView): Promise<BgpState> {
  const { bgpAdvertisements, bgpPeers, ipAddressPools } = view.objects;
  if (bgpAdvertisements.length === 0 || bgpPeers.length === 0)
    return {
      state: "not-configured",
      evidence: [`${bgpAdvertisements.length} BGPAdvertisements, ${bgpPeers.length} BGPPeers`],
    };
  const statuses = isFault(view.lists.servicebgpstatuses) ? [] : bgpStatuses(view.lists.servicebgpstatuses);
  const evidence: string[] = [
    `${ipAddressPools.filter((pool) => bgpAdvertisements.some((ad) => selectsPool(ad, pool))).length} of ${ipAddressPools.length} pools are advertised by BGP`,
    ...(statuses.length > 0
      ? [
          `ServiceBGPStatus: ${new Set(statuses.map(({ node }) => node)).size} nodes mean to advertise (intention, no proof of a session)`,
        ]
      : []),
  ];
  const ports = await peerPorts(context, view);
  evidence.push(...ports);
  const refused = ports.length > 0 && ports.every((line) => line.includes(": refused "));
  const vantage = clientVantage(context.ports.config);
  const targets = onlyByBgp(view, context)
    .filter(({ port }) => port !== undefined)
    .slice(0, tried);
  if (vantage === undefined || targets.length === 0) {
    evidence.push(
      vantage === undefined
        ? "no vantage behind the router is configured"
        : "no address is announced by BGP alone, so an answer would not tell what led there",
    );
    return { state: refused ? "down" : "unknown", evidence };
  }
  let opened = 0;
  const faults: Fault[] = [];
  for (const { ip, port } of targets) {
    try {
      const open = await opensNow(context.ports, vantage.name, { ip, port: port as number }, context.signal);
      if (open) opened++;
      evidence.push(
        `${ip} port ${port}: ${open ? "opens" : "does not open"} from ${vantage.name} (behind-router)`,
      );
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      faults.push(error.fault);
      evidence.push(`${ip}: could not look from ${vantage.name}: ${error.fault.detail}`);
    }
  }
  if (opened > 0) return { state: "up", evidence };
  if (refused) return { state: "down", evidence };
  if (listens(ports)) {
    evidence.push(
      "a peer listens for BGP, so that these addresses are silent does not tell that BGP is down",
    );
    return { state: "unknown", evidence };
  }
  const isBlind = faults.length > 0 || ports.some((line) => line.includes(": could not look "));
  return { state: isBlind ? "unknown" : "down", evidence };
}

/** Sessions take a few seconds after their peers are back. */
const sessionTries = 5;
const betweenMs = 3_000;

/**
 * Whether BGP leads to some address beside layer 2: from behind the router the first node on the way is not the one that
 * announces it on the segment. Throws FaultError.
 */
export async function bgpLeads(context: StepContext, view: MetalLbView): Promise<boolean> {
  const vantage = clientVantage(context.ports.config);
  if (vantage === undefined) return false;
  const { shell, clock } = context.ports;
  for (let tries = 1; ; tries++) {
    for (const { ip, order } of view.prediction.addresses.slice(0, 2 * tried)) {
      const { nodes } = await pathTo(shell, vantage.name, ip, view.objects, context.signal);
      if (nodes[0] !== undefined && nodes[0] !== order[0]) return true;
    }
    if (tries === sessionTries || context.signal.aborted) return false;
    await clock.sleep(betweenMs, context.signal);
  }
}
