import type { Clock } from "../clock.ts";
import { isIn, rangesOf } from "../metallb/address-ranges.ts";
import { parseIp } from "../metallb/ip.ts";
import { atLeast } from "../metallb/versions.ts";
import { gossipTrouble } from "./gossip-trouble.ts";
import type { Machine } from "./machine.ts";
import type { ObjectStore } from "./object-store.ts";
import { addressesOfService } from "./service-addresses.ts";
import type { MetalLbSpec } from "./site-spec.ts";

/** One line of a container, and the whole second it was written in. */
export type LogLine = Readonly<{ at: number; text: string }>;

/** Why a member is no longer in a view: it said good-bye, or nobody heard of it any more. */
export type Departure = "left" | "failed";

export type SpeakerLogs = Readonly<{
  /** A speaker's container starts anew: what the last one wrote is gone with it. */
  launched: (node: string) => void;
  announced: (node: string, service: string, protocol: "layer2" | "bgp") => void;
  withdrawn: (node: string, service: string, protocol: "layer2" | "bgp") => void;
  responders: (node: string, before: ReadonlySet<string>, after: ReadonlySet<string>) => void;
  /** A probe of the member went unanswered, directly, through others and over TCP. */
  suspects: (observer: string, member: string) => void;
  members: (observer: string, view: ReadonlySet<string>, departure: Departure) => void;
  /** Oldest first; those who run see each other's dropped gossip. */
  linesOf: (node: string, running: readonly string[]) => readonly LogLine[];
}>;

type Fields = Readonly<Record<string, string | readonly string[]>>;

type Journal = {
  since: number;
  lines: Readonly<{ at: number; fields: Fields }>[];
  view: ReadonlySet<string> | undefined;
  /** Addresses a service was announced with, by protocol and service. */
  readonly announced: Map<string, readonly string[]>;
};

/** The kubelet rotates container logs at 10 MiB; this many lines are about one. */
const keptLines = 5_000;
/** Speakers of a site have been running for long when a model of it begins. */
const runningForMs = 3_600_000;

// Line numbers as the releases' own sources have them: `caller` is a file and its line.
const callers = {
  announced: {
    "0.13.0": "main.go:374",
    "0.14.0": "main.go:420",
    "0.15.0": "main.go:443",
    "0.16.0": "main.go:481",
  },
  withdrawn: {
    "0.13.0": "main.go:418",
    "0.14.0": "main.go:464",
    "0.15.0": "main.go:487",
    "0.16.0": "main.go:525",
  },
  member: {
    "0.13.0": "speakerlist.go:310",
    "0.14.0": "speakerlist.go:313",
    "0.15.0": "speakerlist.go:331",
    "0.16.0": "speakerlist.go:343",
  },
  started: {
    "0.13.0": "main.go:100",
    "0.14.0": "main.go:106",
    "0.15.0": "main.go:108",
    "0.16.0": "main.go:120",
  },
} as const;

/** One JSON object a line, keys in alphabetical order, `ts` in whole seconds: go-kit's JSON logger over a map. */
const render = (at: number, fields: Fields): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries({ ...fields, ts: new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z") }).sort(
        ([a], [b]) => (a < b ? -1 : 1),
      ),
    ),
  );

/** What hashicorp/memberlist writes, as MetalLB passes it on (internal/speakerlist/log.go at v0.16.1). */
const memberlist = (level: string, caller: string, message: string): Fields => ({
  caller,
  component: "Memberlist",
  level,
  msg: `memberlist: ${message}`,
});

/**
 * What speakers write to their container log, in the shapes of MetalLB's own sources (speaker/main.go,
 * internal/speakerlist, internal/layer2 at v0.13.12 to v0.16.1; memberlist 0.5.1). Level info, the shipped default.
 */
export function createSpeakerLogs(
  options: Readonly<{
    store: ObjectStore;
    clock: Clock;
    metallb: MetalLbSpec;
    nodes: readonly Machine[];
  }>,
): SpeakerLogs {
  const { store, clock, metallb, nodes } = options;
  const journals = new Map<string, Journal>();
  const journal = (node: string): Journal => {
    const known = journals.get(node);
    if (known !== undefined) return known;
    const made = { since: clock.now() - runningForMs, lines: [], view: undefined, announced: new Map() };
    journals.set(node, made);
    return made;
  };
  const write = (node: string, fields: Fields) => {
    const { lines } = journal(node);
    lines.push({ at: clock.now(), fields });
    if (lines.length > keptLines * 2) lines.splice(0, lines.length - keptLines);
  };
  const callerOf = (what: keyof typeof callers): string => {
    const known = Object.entries(callers[what]).filter(
      ([since]) => metallb.version === since || atLeast(metallb.version, since),
    );
    return known.at(-1)?.[1] ?? "main.go:374";
  };
  const addresses = (service: string) => addressesOfService(store, service);
  const poolOf = (ip: string): string | undefined => {
    const address = parseIp(ip);
    return store.list("ipaddresspools").items.find(({ spec }) => {
      const { addresses: given = [] } = (spec ?? {}) as { addresses?: readonly string[] };
      return address !== undefined && isIn(address, rangesOf(given));
    })?.metadata.name;
  };
  const addressOf = (node: string): string =>
    nodes
      .find(({ name }) => name === node)
      ?.nics.flatMap(({ spec }) => spec.addresses)[0]
      ?.split("/")[0] ?? "";
  const reasonFor = (service: string, protocol: "layer2" | "bgp"): string => {
    const at = service.indexOf("/");
    if (store.get("services", service.slice(0, at), service.slice(at + 1)) === undefined)
      return "serviceDeleted";
    if (addresses(service).length === 0) return "noIPAllocated";
    const advertisements = protocol === "bgp" ? "bgpadvertisements" : "l2advertisements";
    return atLeast(metallb.version, "0.16.0") && store.list(advertisements).items.length === 0
      ? "noMatchingAdvertisement"
      : "notOwner";
  };

  return {
    launched(node) {
      const begun = journals.has(node);
      const own = journal(node);
      if (!begun) return;
      Object.assign(own, { since: clock.now(), lines: [], view: undefined });
      own.announced.clear();
      write(node, {
        branch: "dev",
        caller: callerOf("started"),
        commit: "dev",
        goversion: "gc / go1.24 / arm64",
        level: "info",
        msg: `MetalLB speaker starting version ${metallb.version} (commit dev, branch dev)`,
        version: metallb.version,
      });
    },
    announced(node, service, protocol) {
      const ips = addresses(service);
      journal(node).announced.set(`${protocol} ${service}`, ips);
      write(node, {
        caller: callerOf("announced"),
        event: "serviceAnnounced",
        ips,
        level: "info",
        msg: "service has IP, announcing",
        pool: poolOf(ips[0] ?? "") ?? "",
        protocol,
      });
    },
    withdrawn(node, service, protocol) {
      const { announced } = journal(node);
      const ip = announced.get(`${protocol} ${service}`);
      announced.delete(`${protocol} ${service}`);
      // Only the last protocol's end is written down.
      if (ip === undefined || announced.has(`${protocol === "bgp" ? "layer2" : "bgp"} ${service}`)) return;
      const reason = reasonFor(service, protocol);
      const now = addresses(service);
      write(node, {
        caller: callerOf("withdrawn"),
        event: "serviceWithdrawn",
        ip,
        ...(now.length > 0 ? { ips: now, pool: poolOf(now[0] ?? "") ?? "", protocol } : {}),
        level: "info",
        msg: "withdrawing service announcement",
        reason,
      });
    },
    responders(node, before, after) {
      const line = (event: string, msg: string, nic: string) =>
        write(node, { caller: "announcer.go:126", event, interface: nic, level: "info", msg });
      for (const nic of after)
        if (!before.has(nic)) line("createARPResponder", "created ARP responder for interface", nic);
      for (const nic of before)
        if (!after.has(nic)) line("deleteARPResponder", "deleted ARP responder for interface", nic);
    },
    suspects: (observer, member) =>
      write(observer, memberlist("info", "state.go:521", `Suspect ${member} has failed, no acks received`)),
    members(observer, view, departure) {
      const own = journal(observer);
      const before = own.view ?? new Set([observer]);
      own.view = new Set(view);
      const event = (member: string, nodeEvent: "NodeJoin" | "NodeLeave") =>
        write(observer, {
          caller: callerOf("member"),
          level: "info",
          msg: "node event - forcing sync",
          "node addr": addressOf(member),
          "node event": nodeEvent,
          "node name": member,
        });
      for (const member of view) if (!before.has(member)) event(member, "NodeJoin");
      for (const member of before) {
        if (view.has(member)) continue;
        if (departure === "failed") {
          const confirmations = Math.max(0, Math.min(2, before.size - 3));
          const words = `Marking ${member} as failed, suspect timeout reached (${confirmations} peer confirmations)`;
          write(observer, memberlist("info", "state.go:1245", words));
        }
        event(member, "NodeLeave");
      }
    },
    linesOf(node, running) {
      const { since, lines, view } = journal(node);
      const written = lines.map(({ at, fields }) => ({ at, text: render(at, fields) }));
      const members = nodes.filter(({ name }) => running.includes(name) && view?.has(name));
      const trouble = gossipTrouble({ node, members, since, until: clock.now(), limit: keptLines }).map(
        ({ at, level, caller, message }) => ({
          at,
          text: render(at, memberlist(level, caller, message)),
        }),
      );
      return [...trouble, ...written].sort((a, b) => a.at - b.at);
    },
  };
}
