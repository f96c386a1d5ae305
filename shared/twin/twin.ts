import type { Clock } from "../clock.ts";
import { decodeName, type Fqdn } from "../dns/fqdn.ts";
import { createAddressController } from "./address-controller.ts";
import { type BgpRoutes, createBgpRoutes } from "./bgp-routes.ts";
import { type Connections, createConnections } from "./connections.ts";
import type { DnsOutcome, DnsQuestion } from "./dns-message.ts";
import { echo } from "./echo.ts";
import { createExternalDns, noExternalDns, type TwinExternalDns } from "./external-dns.ts";
import { createGitOps, type GitOps } from "./git-ops.ts";
import type { Machine, MachineKind } from "./machine.ts";
import { addressesOf, createMachine, isWorking } from "./machine.ts";
import type { ObjectStore } from "./object-store.ts";
import type { RunProgram } from "./program.ts";
import type { Reach } from "./reach.ts";
import { reach } from "./reach.ts";
import { createResolvers, type Resolvers } from "./resolvers.ts";
import { runProgram } from "./run-program.ts";
import type { Schedule } from "./schedule.ts";
import { createSegment, type Segment } from "./segment.ts";
import { servedAddress } from "./served-address.ts";
import type { ArpingProgram, SiteSpec } from "./site-spec.ts";
import type { LogLine } from "./speaker-log.ts";
import { createSpeakers } from "./speakers.ts";
import { tcpConnect } from "./tcp-connect.ts";
import { createWeb, type Web } from "./web.ts";
import { createWorkloads } from "./workloads.ts";
import { createZones, type TwinZones } from "./zones.ts";

export type Twin = Readonly<{
  spec: SiteSpec;
  store: ObjectStore;
  clock: Clock;
  machines: () => readonly Readonly<{ name: string; kind: MachineKind; addresses: readonly string[] }>[];
  hasMachine: (machine: string) => boolean;
  /** False while a machine is off: connections to it time out. */
  /** With an address: whether the interface that has it works. */
  isReachable: (machine: string, address?: string) => boolean;
  run: RunProgram;
  /** What a client on a machine gets when it connects to an address; `flow` stands for the port it comes from. */
  reach: (machine: string, ip: string, flow?: number) => Reach;
  /** Nodes whose speaker answers ARP for an address, each with the interface: `dalt/eth0`. */
  layer2Announcers: (ip: string) => readonly string[];
  /** Gives the router this address and prefix on its LAN, and no static route there. */
  setRouterLan: (cidr: string) => void;
  /** Connections that clients have opened and keep. */
  connections: Connections;
  /** The router's side of BGP. */
  bgp: Omit<BgpRoutes, "crashed" | "returned" | "stop">;
  /** Pulls the plug of a machine or plugs it in again; a node's death has its consequences in the cluster. */
  setPower: (machine: string, on: boolean) => void;
  setLink: (machine: string, nic: string, change: Readonly<{ up?: boolean; carrier?: boolean }>) => void;
  /** Switches drop ARP packets that claim the address for another MAC than this. */
  bindAddress: (ip: string, mac: string) => void;
  /** A device of the segment answers for every address, with this MAC. */
  setProxyArp: (on: boolean, mac: string) => void;
  /** While hung, programs of the machine never return. */
  hang: (machine: string, on: boolean) => void;
  removeTool: (machine: string, tool: string) => void;
  /** Replaces one of the two programs called arping by the other. */
  installArping: (machine: string, program: ArpingProgram) => void;
  /** A kernel setting by its `sysctl` key. */
  setSysctl: (machine: string, key: string, value: string) => void;
  /** Neither root nor sudo from now on. */
  dropPrivilege: (machine: string) => void;
  /** A planned stop of a node's speaker: it leaves the member list at once. */
  stopSpeaker: (node: string) => void;
  startSpeaker: (node: string) => void;
  /** Cuts the speakers' member list into groups of nodes; nodes named in none form one group. `[]` heals. */
  partition: (groups: readonly (readonly string[])[]) => void;
  /** The container log of a node's speaker, oldest line first. */
  speakerLog: (node: string) => readonly LogLine[];
  /** What the cluster's Argo CD and Flux read from git. */
  gitOps: Omit<GitOps, "stop">;
  /** What the pods behind Services say to clients that connect. */
  web: Web;
  zones: TwinZones;
  resolvers: Resolvers;
  externalDns: TwinExternalDns;
  /**
   * What a machine gets from its first resolver, or what a server says when `from` is an address or a resolver's name.
   * Recursive and with checking unless told otherwise.
   */
  resolve: (
    from: string,
    name: string,
    type: string,
    flags?: Partial<Pick<DnsQuestion, "recursive" | "checkingDisabled">>,
  ) => DnsOutcome;
  /** Ends everything that is scheduled. */
  stop: () => void;
}>;

export type TwinOptions = Readonly<{
  spec: SiteSpec;
  clock: Clock;
  /** Filled with the spec's objects where it does not have them yet. */
  store: ObjectStore;
  /** Another one each call; generated names and uids are made of it. */
  newId: () => string;
  /** Default: made from the clock's sleep. */
  schedule?: Schedule;
}>;

/** The model of one site: machines on a wire, speakers that watch the store, programs that people run. */
export function createTwin({ spec, clock, store, newId, schedule }: TwinOptions): Twin {
  const stopped = new AbortController();
  const later: Schedule =
    schedule ??
    ((ms, act) => {
      const cancelled = new AbortController();
      const signal = AbortSignal.any([cancelled.signal, stopped.signal]);
      void clock.sleep(ms, signal).then(() => {
        if (!signal.aborted) act();
      });
      return () => cancelled.abort();
    });

  const segments = new Map<string, Segment>();
  const segment = (name: string): Segment => {
    const known = segments.get(name);
    if (known !== undefined) return known;
    const made = createSegment(clock.now);
    segments.set(name, made);
    return made;
  };

  const machines = new Map<string, Machine>();
  const add = (machine: Machine) => machines.set(machine.name, machine);
  for (const node of spec.nodes) add(createMachine("node", node, segment));
  add(createMachine("router", spec.router, segment));
  for (const vantage of spec.vantages)
    if (vantage.clusterNode === undefined) add(createMachine("vantage", vantage, segment));
  /** A vantage that is a cluster node is that machine under another name. */
  const aliases = new Map(
    spec.vantages.flatMap(({ name, clusterNode }) =>
      clusterNode === undefined ? [] : [[name, clusterNode] as const],
    ),
  );
  const find = (name: string): Machine => {
    const machine = machines.get(aliases.get(name) ?? name);
    if (machine === undefined) throw new Error(`no machine ${name} in the model of ${spec.name}`);
    return machine;
  };
  const stranger = createMachine(
    "vantage",
    { name: "stranger", nics: [{ name: "eth0", mac: "02:00:00:00:00:66", addresses: [] }] },
    segment,
  );

  for (const { kind, object } of spec.objects) {
    if (store.get(kind, object.metadata.namespace, object.metadata.name) !== undefined) continue;
    const result = store.create(kind, object, { seed: true });
    if (!result.ok)
      throw new Error(`site ${spec.name}: ${kind} ${object.metadata.name}: ${result.refusal.message}`);
  }

  const speakers = createSpeakers({
    spec,
    clock,
    store,
    newId,
    schedule: later,
    nodes: [...machines.values()].filter((machine) => machine.kind === "node"),
  });

  const bgp = createBgpRoutes({
    store,
    clock,
    router: spec.router,
    namespace: spec.metallb.namespace,
    pathsOf: speakers.bgpPaths,
  });
  const network = {
    clock,
    machines: [...machines.values()],
    served: (address: string) => servedAddress(store, address),
    bgpNextHops: bgp.nextHops,
  };
  const connect: Twin["reach"] = (name, ip, flow = 0) => reach(network, find(name), ip, flow);
  const connections = createConnections({ clock, reach: connect });

  const web = createWeb({ store, startedAt: clock.now(), specs: spec.web ?? [] });
  const addresses = createAddressController({ store, clock, newId, schedule: later });

  const workloads = createWorkloads({ store, clock, schedule: later, newId });
  const gitOps = createGitOps({ store, clock, schedule: later, newId, contents: spec.gitOps ?? [] });
  const zones = createZones({
    zones: spec.dns?.zones ?? [],
    clock,
    schedule: later,
    newId,
    ...(spec.dns?.propagationMs === undefined ? {} : { propagationMs: spec.dns.propagationMs }),
  });
  const resolvers = createResolvers({
    spec: spec.dns ?? { parents: [], resolvers: [] },
    zones,
    clock,
    isUp: (name) => find(name).powered,
  });
  const externalDns =
    spec.dns === undefined ? noExternalDns : createExternalDns({ store, zones, clock, schedule: later });
  const routerAddress = spec.router.nics[0]?.addresses[0]?.split("/")[0];
  const resolversOf = (machine: Machine): readonly string[] =>
    machine.spec.resolvers ?? (routerAddress === undefined ? [] : [routerAddress]);
  let queries = 0;

  const setLink: Twin["setLink"] = (name, nicName, change) => {
    const nic = find(name).nics.find((each) => each.name === nicName);
    if (nic === undefined) throw new Error(`no interface ${nicName} on ${name}`);
    nic.up = change.up ?? nic.up;
    nic.carrier = change.carrier ?? nic.carrier;
    const machine = find(name);
    if (machine.kind === "node") speakers.linkChanged(machine.name);
  };

  const endPrograms = (machine: Machine) => {
    for (const program of [...machine.running]) program.abort();
  };

  return {
    spec,
    store,
    clock,
    machines: () =>
      [...machines.values()].map(({ name, kind, nics }) => ({
        name,
        kind,
        addresses: nics.flatMap(addressesOf),
      })),
    hasMachine: (name) => machines.has(aliases.get(name) ?? name),
    isReachable: (name, address) => {
      const machine = find(name);
      return (
        machine.powered &&
        (address === undefined ||
          machine.nics.some((nic) => isWorking(machine, nic) && addressesOf(nic).includes(address)))
      );
    },
    reach: connect,
    layer2Announcers: (ip) =>
      network.machines.flatMap((machine) =>
        machine.kind === "node" && machine.powered
          ? machine.nics
              .filter((nic) => machine.announces(ip, nic))
              .map((nic) => `${machine.name}/${nic.name}`)
          : [],
      ),
    setRouterLan: (cidr) => {
      const router = find(spec.router.name);
      const [lan] = router.nics;
      if (lan === undefined) return;
      lan.spec = { ...lan.spec, addresses: [cidr] };
      router.spec = {
        ...router.spec,
        routes: (router.spec.routes ?? []).filter(({ dev }) => dev !== lan.name),
      };
      router.neighbours.length = 0;
    },
    connections,
    bgp,
    run: (name, argv, io) =>
      runProgram(find(name), argv, io, {
        clock,
        setLink,
        connect: (from, ip, port) =>
          tcpConnect(
            {
              machines: network.machines,
              gossipPort: speakers.gossipPort,
              routerSpeaksBgp: bgp.isSpeaking,
              served: network.served,
              reach: (client, address) => reach(network, client, address),
            },
            from,
            ip,
            port,
          ),
        web: web.answer,
        echo: (from, ip, ttl) => echo(network.machines, reach(network, from, ip), ip, ttl),
        dns: (machine) => ({
          ask: resolvers.ask,
          hostAddress: resolvers.hostAddress,
          resolvers: resolversOf(machine),
          nextId: () => {
            queries += 1;
            return (queries * 40_503) % 65_536;
          },
        }),
      }),
    setPower: (name, on) => {
      const machine = find(name);
      if (machine.powered === on) return;
      machine.powered = on;
      machine.neighbours.length = 0;
      if (!on) endPrograms(machine);
      if (machine.kind !== "node") return;
      const { ips, peers } = speakers.bgpOf(machine.name);
      if (on) bgp.returned(machine.name);
      else bgp.crashed(machine.name, ips, peers);
      speakers.powerChanged(machine.name, on);
    },
    setLink,
    bindAddress: (ip, mac) => {
      for (const each of segments.values()) each.bind(ip, mac);
    },
    setProxyArp: (on, mac) => {
      stranger.proxyArp = on ? mac : undefined;
    },
    hang: (name, on) => {
      const machine = find(name);
      machine.hung = on;
      if (on) endPrograms(machine);
    },
    removeTool: (name, tool) => {
      find(name).missingTools.add(tool);
    },
    installArping: (name, program) => {
      const machine = find(name);
      machine.arping = program;
      machine.missingTools.delete("arping");
    },
    setSysctl: (name, key, value) => {
      find(name).sysctls.set(key, value);
    },
    dropPrivilege: (name) => {
      find(name).privileged = false;
    },
    stopSpeaker: (node) => speakers.stopSpeaker(find(node).name),
    startSpeaker: (node) => speakers.startSpeaker(find(node).name),
    partition: (groups) => speakers.partition(groups),
    speakerLog: (node) => speakers.logOf(find(node).name),
    gitOps,
    web,
    zones,
    resolvers,
    externalDns,
    resolve: (from, name, type, flags = {}) => {
      const isMachine = machines.has(aliases.get(from) ?? from);
      const server = isMachine ? resolversOf(find(from))[0] : (resolvers.addressOf(from) ?? from);
      if (server === undefined || (isMachine && !find(from).powered)) return "timed-out";
      return resolvers.ask(server, {
        name: decodeName(name) as Fqdn,
        type,
        recursive: flags.recursive ?? true,
        checkingDisabled: flags.checkingDisabled ?? false,
      });
    },
    stop: () => {
      stopped.abort();
      externalDns.stop();
      gitOps.stop();
      workloads.stop();
      bgp.stop();
      addresses.stop();
      speakers.stop();
    },
  };
}
