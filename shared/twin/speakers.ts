import type { Clock } from "../clock.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import { createAnnouncementRecords } from "./announcement-records.ts";
import type { BgpPath } from "./bgp-routes.ts";
import type { Desired, Layer2Announcement, Snapshot } from "./desired-announcements.ts";
import { configKinds, desiredAnnouncements, watchedKinds } from "./desired-announcements.ts";
import { createGratuitousArp } from "./gratuitous-arp.ts";
import { kubeProxyMode, loadBalancerAddresses } from "./kube-proxy.ts";
import type { Machine } from "./machine.ts";
import { createMemberList } from "./member-list.ts";
import { createNodeLifecycle } from "./node-lifecycle.ts";
import type { ObjectStore, StoreEvent } from "./object-store.ts";
import { excludeList, respondersOf } from "./responders.ts";
import type { Schedule } from "./schedule.ts";
import { addressesOfService, servicesWith } from "./service-addresses.ts";
import type { SiteSpec } from "./site-spec.ts";
import { createSpeakerLogs, type Departure, type LogLine } from "./speaker-log.ts";
import type { TcpAnswer } from "./tcp-connect.ts";

export type Speakers = Readonly<{
  powerChanged: (node: string, on: boolean) => void;
  /** A NIC went up or down: responders follow with the speaker's next scan. */
  linkChanged: (node: string) => void;
  stopSpeaker: (node: string) => void;
  startSpeaker: (node: string) => void;
  partition: (groups: readonly (readonly string[])[]) => void;
  /** Nodes whose speaker would tell BGP peers about the address, and which, whether or not anybody listens. */
  bgpPaths: (ip: string) => readonly BgpPath[];
  /** What a node's speaker tells its peers. */
  bgpOf: (node: string) => Readonly<{ ips: readonly string[]; peers: readonly string[] }>;
  /** What one node gets when it opens the port of another's speaker. */
  gossipPort: (from: string, to: string) => TcpAnswer;
  /** What the speaker of a node has written since its container started. */
  logOf: (node: string) => readonly LogLine[];
  stop: () => void;
}>;

export type SpeakersOptions = Readonly<{
  spec: SiteSpec;
  clock: Clock;
  store: ObjectStore;
  newId: () => string;
  schedule: Schedule;
  nodes: readonly Machine[];
}>;

/** From a write in the API until the speakers have acted on it. */
const watchDelayMs = 30;
/** Interfaces are looked at every 10 s (internal/layer2/announcer.go, updateInterfaces). */
const scanMs = 10_000;
/** From power-on until kubelet has started the speaker again. */
const bootMs = 20_000;
/** Until the DaemonSet controller has replaced a deleted speaker pod and it runs. */
const recreateMs = 4_000;
/** Until a probe and its detours have gone unanswered: memberlist probes every second (config.go, DefaultLANConfig). */
const suspectMs = 1_500;

type Speaker = {
  readonly machine: Machine;
  running: boolean;
  startedAt: number;
  /** NIC names that have an ARP responder. */
  responders: ReadonlySet<string>;
  exclude: readonly RegExp[];
  layer2: Map<string, Layer2Announcement>;
  bgp: Map<string, readonly string[]>;
  /** The configuration kinds as they were when they were last valid; a fresh speaker has none. */
  lastGood: Snapshot | undefined;
};

type SpeakerContainer = Readonly<{ name?: string; image?: string }>;

const isSpeakerPod = (event: StoreEvent): boolean =>
  event.kind === "pods" && event.object.metadata.labels?.["app.kubernetes.io/component"] === "speaker";

/** All speakers of a site: they watch the store, elect, answer ARP, and write down what they do. */
export function createSpeakers({ spec, clock, store, newId, schedule, nodes }: SpeakersOptions): Speakers {
  const { metallb } = spec;
  const records = createAnnouncementRecords({ store, clock, newId, metallb });
  const logs = createSpeakerLogs({ store, clock, metallb, nodes });
  const lifecycle = createNodeLifecycle({ store, clock, schedule });
  const gratuitous = createGratuitousArp({ clock, schedule });
  const speakers = new Map<string, Speaker>();
  let writing = false;
  let started = false;

  /** Services to look at again, or all of them. */
  let waiting: Set<string> | "all" | undefined;
  const resync = (services: readonly string[] | "all") => {
    if (!started) return;
    const first = waiting === undefined;
    if (services === "all" || waiting === "all") waiting = "all";
    else waiting = new Set([...(waiting ?? []), ...services]);
    if (first)
      schedule(watchDelayMs, () => {
        const scope = waiting ?? "all";
        waiting = undefined;
        sync(scope, true);
      });
  };
  const memberList = createMemberList({
    enabled: metallb.memberlist,
    schedule,
    changed: (departure) => {
      noteMembers(departure);
      resync("all");
    },
  });
  const noteMembers = (departure: Departure) => {
    for (const { machine, running } of speakers.values()) {
      const view = running ? memberList.viewOf(machine.name) : "off";
      if (view !== "off") logs.members(machine.name, view, departure);
    }
  };
  /** Whoever probes the member from now on goes without an answer. */
  const crash = (node: string) => {
    memberList.crash(node);
    schedule(suspectMs, () => {
      for (const { machine, running } of speakers.values()) {
        const view = memberList.viewOf(machine.name);
        if (running && view !== "off" && view.has(node) && !find(node).running)
          logs.suspects(machine.name, node);
      }
    });
  };

  const snapshotOf = (kinds: readonly ResourceKind[]): Snapshot =>
    Object.fromEntries(kinds.map((kind) => [kind, store.list(kind).items]));

  /** NICs on which a speaker answers and shouts for a service. */
  const nicsFor = (speaker: Speaker, { interfaces }: Layer2Announcement) =>
    speaker.machine.nics.filter(
      (nic) => speaker.responders.has(nic.name) && (interfaces === "all" || interfaces.includes(nic.name)),
    );

  /** Same members and same configuration: same result, computed once. */
  const decide = (): ReadonlyMap<Speaker, Desired> => {
    const current = snapshotOf(watchedKinds);
    const cache = new Map<string, Desired>();
    const configs: (Snapshot | undefined)[] = [];
    const decided = new Map<Speaker, Desired>();
    for (const speaker of speakers.values()) {
      if (!speaker.running) continue;
      const view = memberList.viewOf(speaker.machine.name);
      const members = view === "off" ? "off" : [...view].sort().join(" ");
      const compute = (snapshot: Snapshot, config: string): Desired => {
        const key = `${config} ${members}`;
        const known = cache.get(key) ?? desiredAnnouncements(snapshot, view, metallb);
        cache.set(key, known);
        return known;
      };
      const fresh = compute(current, "current");
      records.configuration(`speaker-${speaker.machine.name}`, fresh.configError);
      if (fresh.configError === undefined) {
        speaker.lastGood = current;
        decided.set(speaker, fresh);
      } else if (speaker.lastGood === undefined) decided.set(speaker, fresh);
      else {
        const kept = Object.fromEntries(configKinds.map((kind) => [kind, speaker.lastGood?.[kind] ?? []]));
        let number = configs.indexOf(speaker.lastGood);
        if (number < 0) number = configs.push(speaker.lastGood) - 1;
        decided.set(speaker, compute({ ...current, ...kept }, `kept ${number}`));
      }
    }
    records.configuration("controller", [...decided.keys()].length > 0 ? currentError(cache) : undefined);
    return decided;
  };
  const currentError = (cache: ReadonlyMap<string, Desired>): string | undefined =>
    [...cache].find(([key]) => key.startsWith("current"))?.[1].configError;

  const applyLayer2 = (
    speaker: Speaker,
    desired: Desired,
    inScope: (service: string) => boolean,
    loud: boolean,
  ) => {
    const node = speaker.machine.name;
    const wanted = desired.layer2.get(node) ?? new Map<string, Layer2Announcement>();
    for (const service of [...speaker.layer2.keys()])
      if (!wanted.has(service)) {
        speaker.layer2.delete(service);
        records.layer2Withdrawn(service, node);
        logs.withdrawn(node, service, "layer2");
      }
    for (const [service, announcement] of wanted) {
      const fresh = !speaker.layer2.has(service);
      speaker.layer2.set(service, announcement);
      if (!fresh && !inScope(service)) continue;
      const { interfaces, ips } = announcement;
      const exists =
        interfaces === "all" ||
        interfaces.some((name) => speaker.machine.nics.some((nic) => nic.name === name));
      if (!exists) for (const ip of ips) records.failed(service, node, ip);
      records.assigned(service, node, "layer2");
      logs.announced(node, service, "layer2");
      if (loud)
        for (const ip of ips)
          gratuitous.announce(speaker.machine, ip, () => {
            const now = speaker.layer2.get(service);
            return speaker.running && now?.ips.includes(ip) === true ? nicsFor(speaker, now) : [];
          });
    }
  };

  const applyBgp = (speaker: Speaker, desired: Desired, inScope: (service: string) => boolean) => {
    const node = speaker.machine.name;
    const wanted = desired.bgp.get(node) ?? new Map<string, readonly string[]>();
    for (const service of [...speaker.bgp.keys()])
      if (!wanted.has(service)) {
        speaker.bgp.delete(service);
        records.bgpWithdrawn(service, node);
        logs.withdrawn(node, service, "bgp");
      }
    for (const [service, peers] of wanted) {
      const fresh = !speaker.bgp.has(service);
      speaker.bgp.set(service, peers);
      if (!fresh && !inScope(service)) continue;
      records.assigned(service, node, "bgp");
      logs.announced(node, service, "bgp");
      records.bgpStatus(service, node, peers);
    }
  };

  function sync(scope: ReadonlySet<string> | "all", loud: boolean): void {
    const inScope = (service: string) => scope === "all" || scope.has(service);
    writing = true;
    try {
      const proxy = kubeProxyMode(store);
      const everywhere = proxy.ipvs ? loadBalancerAddresses(store) : [];
      const decided = decide();
      for (const speaker of speakers.values()) {
        speaker.machine.localAddresses = () => everywhere;
        speaker.machine.strictArp = proxy.ipvs && proxy.strictArp;
      }
      // Withdrawals come first, so that a living leader's status object is gone before its successor writes one.
      for (const [speaker, desired] of decided) {
        applyLayer2(speaker, { ...desired, layer2: keptOf(speaker, desired) }, () => false, false);
        applyBgp(speaker, desired, inScope);
      }
      for (const [speaker, desired] of decided) applyLayer2(speaker, desired, inScope, loud);
      for (const [speaker] of decided)
        for (const [service, { interfaces }] of speaker.layer2)
          if (inScope(service)) records.layer2Status(service, speaker.machine.name, interfaces);
    } finally {
      writing = false;
    }
  }

  /** The part of what is desired that the speaker has already: applying it only withdraws. */
  const keptOf = (speaker: Speaker, desired: Desired): Desired["layer2"] => {
    const node = speaker.machine.name;
    const kept = [...(desired.layer2.get(node) ?? [])].filter(([service]) => speaker.layer2.has(service));
    return new Map([[node, new Map(kept)]]);
  };

  const silence = (speaker: Speaker) => {
    speaker.running = false;
    speaker.layer2.clear();
    speaker.bgp.clear();
    speaker.lastGood = undefined;
  };

  const launch = (speaker: Speaker) => {
    if (!speaker.machine.powered || speaker.running) return;
    speaker.running = true;
    speaker.startedAt = clock.now();
    speaker.exclude = excludeList(store, metallb.namespace);
    speaker.responders = respondersOf(speaker);
    logs.launched(speaker.machine.name);
    records.launched(speaker.machine.name);
    logs.responders(speaker.machine.name, new Set(), speaker.responders);
    memberList.join(speaker.machine.name);
    resync("all");
  };

  const speakerPod = (node: string) =>
    store
      .list("pods", metallb.namespace)
      .items.find(
        (pod) =>
          pod.metadata.labels?.["app.kubernetes.io/component"] === "speaker" &&
          (pod.spec as { nodeName?: string } | undefined)?.nodeName === node,
      );

  const markPod = (node: string, ready: boolean) => {
    const pod = speakerPod(node);
    if (pod !== undefined)
      store.mergePatch("pods", metallb.namespace, pod.metadata.name, {
        status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
      });
  };

  const replacePod = ({ object }: StoreEvent) => {
    const node = (object.spec as { nodeName?: string } | undefined)?.nodeName ?? "";
    const speaker = speakers.get(node);
    if (speaker === undefined || speakerPod(node) !== undefined) return;
    if (speaker.running) {
      silence(speaker);
      crash(node);
    }
    schedule(recreateMs, () => {
      if (speakerPod(node) !== undefined || store.get("nodes", undefined, node) === undefined) return;
      const { labels } = object.metadata;
      store.create("pods", {
        metadata: {
          generateName: "metallb-speaker-",
          name: "",
          namespace: metallb.namespace,
          ...(labels === undefined ? {} : { labels }),
        },
        spec: { ...(object.spec as object), ...speakerTemplate() },
        status: {
          ...(object.status as object),
          containerStatuses: (speakerTemplate().containers ?? []).map(({ name, image }) => ({
            name,
            image,
            ready: true,
            started: true,
            restartCount: 0,
            state: { running: { startedAt: new Date(clock.now()).toISOString() } },
          })),
        },
      });
      launch(speaker);
    });
  };

  /** What a new speaker pod is made of: the containers of the DaemonSet as it is now. */
  const speakerTemplate = (): Readonly<{ containers?: readonly SpeakerContainer[] }> => {
    for (const { spec } of store.list("daemonsets", metallb.namespace).items) {
      const { template } = spec as { template?: { spec?: { containers?: readonly SpeakerContainer[] } } };
      const containers = template?.spec?.containers;
      if (containers?.some(({ name }) => name === "speaker")) return { containers };
    }
    return {};
  };
  let rolledOut = JSON.stringify(speakerTemplate());
  /** Another template rolls the pods one after the other, as a DaemonSet's updates do. */
  const rollOut = () => {
    const template = JSON.stringify(speakerTemplate());
    if (template === rolledOut) return;
    rolledOut = template;
    const pods = store
      .list("pods", metallb.namespace)
      .items.filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/component"] === "speaker");
    pods.forEach(({ metadata }, i) => {
      schedule(1_000 + i * (recreateMs + 1_000), () => {
        store.remove("pods", metallb.namespace, metadata.name);
      });
    });
  };

  const unsubscribe = store.subscribe((event) => {
    if (writing) return;
    const { kind, object, type } = event;
    if (isSpeakerPod(event)) {
      if (type === "DELETED") replacePod(event);
      return;
    }
    if (kind === "daemonsets") rollOut();
    if (kind === "services") resync([`${object.metadata.namespace}/${object.metadata.name}`]);
    else if (kind === "endpointslices")
      resync([
        `${object.metadata.namespace}/${object.metadata.labels?.["kubernetes.io/service-name"] ?? ""}`,
      ]);
    else if (kind === "configmaps" || (watchedKinds as readonly string[]).includes(kind)) resync("all");
  });

  for (const machine of nodes) {
    const speaker: Speaker = {
      machine,
      running: false,
      startedAt: clock.now(),
      responders: new Set(),
      exclude: [],
      layer2: new Map(),
      bgp: new Map(),
      lastGood: undefined,
    };
    speakers.set(machine.name, speaker);
    machine.announces = (ip, nic) => {
      if (!speaker.running || !speaker.responders.has(nic.name)) return false;
      for (const announcement of speaker.layer2.values())
        if (announcement.ips.includes(ip))
          return announcement.interfaces === "all" || announcement.interfaces.includes(nic.name);
      return false;
    };
    launch(speaker);
  }
  // The speakers of a site have been running for long when anybody looks: no gratuitous rounds at the start.
  started = true;
  sync("all", false);

  const find = (node: string): Speaker => {
    const speaker = speakers.get(node);
    if (speaker === undefined) throw new Error(`no speaker on ${node}`);
    return speaker;
  };

  return {
    powerChanged(node, on) {
      const speaker = find(node);
      if (!on) {
        silence(speaker);
        crash(node);
        lifecycle.died(node);
        return;
      }
      schedule(bootMs, () => {
        const { readyAfterMs } = spec.nodes.find(({ name }) => name === node) ?? {};
        lifecycle.returned(node, readyAfterMs ?? 0);
        launch(speaker);
      });
    },
    linkChanged(node) {
      const speaker = find(node);
      const sinceScan = (clock.now() - speaker.startedAt) % scanMs;
      schedule(scanMs - sinceScan, () => {
        if (!speaker.running) return;
        const before = speaker.responders;
        speaker.responders = respondersOf(speaker);
        logs.responders(node, before, speaker.responders);
      });
    },
    stopSpeaker(node) {
      const speaker = find(node);
      if (!speaker.running) return;
      silence(speaker);
      markPod(node, false);
      memberList.leave(node);
    },
    startSpeaker(node) {
      launch(find(node));
      markPod(node, true);
    },
    partition: (groups) => memberList.partition(groups),
    gossipPort: (from, to) => {
      if (!memberList.hears(from, to)) return "silence";
      return speakers.get(to)?.running === true && spec.metallb.memberlist ? "open" : "refused";
    },
    bgpPaths: (ip) => {
      const services = servicesWith(store, ip);
      return [...speakers.values()].flatMap(({ bgp, machine, running }): readonly BgpPath[] => {
        if (!running || !machine.powered) return [];
        const peers = services.flatMap((service) => bgp.get(service) ?? []);
        return peers.length === 0 ? [] : [{ node: machine.name, peers }];
      });
    },
    bgpOf: (node) => {
      const { bgp } = find(node);
      return {
        ips: [...bgp.keys()].flatMap((service) => addressesOfService(store, service)),
        peers: [...new Set([...bgp.values()].flat())],
      };
    },
    logOf: (node) =>
      logs.linesOf(
        node,
        [...speakers.values()].filter(({ running }) => running).map(({ machine }) => machine.name),
      ),
    stop: unsubscribe,
  };
}
