import type { VantagePlace } from "../site/site.ts";
import type { Twin } from "../twin/twin.ts";

export type Client = Readonly<{ name: string; place: VantagePlace }>;

/** A time in which a client got no new connection to an address. `endedAt` is missing while it lasts. */
export type Gap = {
  readonly client: string;
  readonly ip: string;
  readonly startedAt: number;
  endedAt?: number;
};

/** What clients felt while something went on. */
export type Felt = Readonly<{
  /** Longest time without a new connection for one address, by place; undefined where none of them was served before. */
  gapMs: Readonly<Record<VantagePlace, number | undefined>>;
  /** Addresses that a client lost and has not got back. */
  lost: readonly Readonly<{ ip: string; place: VantagePlace }>[];
  /** Gaps are as long as they were seen, give or take this. */
  resolutionMs: number;
  /** Connections that entered another node and were reset: services and nodes they had entered through. */
  resets: Readonly<{ connections: number; addresses: number; nodes: number }>;
}>;

const closeMs = 200;
const farMs = 5_000;
/** Where nothing has changed for a while, as in a quiet period of a day. */
const idleMs = 300_000;
const idleAfterMs = 600_000;
/** So long after a change of the cluster is looked closely. */
const closeForMs = 12_000;
/** Connections that each client holds to each address: enough for a router to spread them. */
const flows = 6;
/** Old connections send this often. */
const sendMs = 1_000;

export type ClientsWatch = Readonly<{
  /** What was felt since the last time, and connections opened anew for the next. */
  mark: () => Felt;
  stop: () => void;
}>;

/** Clients that try new connections again and again, and keep some old ones, until they are told to stop. */
export function watchClients(
  twin: Twin,
  clients: readonly Client[],
  addresses: () => readonly string[],
): ClientsWatch {
  const { clock, connections, store } = twin;
  const served = new Set<string>();
  const gaps: Gap[] = [];
  const open = new Map<string, Gap>();
  const key = (client: string, ip: string): string => `${client} ${ip}`;
  let windowStart = clock.now();
  let sentAt = clock.now();
  const connect = (): void => {
    connections.forget(({ state }) => state === "reset");
    const kept = new Set(connections.all().map(({ client, ip, flow }) => `${key(client, ip)} ${flow}`));
    for (const { name } of clients)
      for (const ip of addresses())
        for (let flow = 0; flow < flows; flow++) {
          if (kept.has(`${key(name, ip)} ${flow}`)) continue;
          if (!("state" in connections.open(name, ip, flow))) break;
          served.add(key(name, ip));
        }
  };
  connect();

  let changedAt = clock.now();
  let pausing = new AbortController();
  const changed = (): void => {
    changedAt = clock.now();
    pausing.abort();
  };
  const unsubscribe = store.subscribe(({ kind }) => {
    if (kind !== "events" && !kind.endsWith("statuses") && kind !== "configurationstates") changed();
  });
  const look = (): void => {
    for (const { name } of clients)
      for (const ip of addresses()) {
        const id = key(name, ip);
        const { ok } = twin.reach(name, ip, Math.floor(clock.now() / closeMs));
        const gap = open.get(id);
        if (ok) {
          served.add(id);
          if (gap === undefined) continue;
          gap.endedAt = clock.now();
          open.delete(id);
        } else if (gap === undefined && served.has(id)) {
          const begun: Gap = { client: name, ip, startedAt: clock.now() };
          gaps.push(begun);
          open.set(id, begun);
        }
      }
    if (clock.now() - sentAt < sendMs) return;
    sentAt = clock.now();
    connections.send();
  };
  const over = new AbortController();
  void (async () => {
    while (!over.signal.aborted) {
      look();
      const quietMs = clock.now() - changedAt;
      const pause = quietMs < closeForMs ? closeMs : quietMs < idleAfterMs ? farMs : idleMs;
      pausing = new AbortController();
      await clock.sleep(pause, AbortSignal.any([over.signal, pausing.signal]));
    }
  })();

  const placeOf = (client: string) => clients.find(({ name }) => name === client)?.place as VantagePlace;
  const longest = (place: VantagePlace): number | undefined => {
    const here = clients.filter((client) => client.place === place).map(({ name }) => name);
    if (![...served].some((id) => here.some((name) => id.startsWith(`${name} `)))) return undefined;
    return Math.max(
      0,
      ...gaps
        .filter(({ client }) => here.includes(client))
        .map(({ startedAt, endedAt }) => (endedAt ?? clock.now()) - Math.max(startedAt, windowStart)),
    );
  };

  return {
    mark: () => {
      sentAt = Number.NEGATIVE_INFINITY;
      look();
      const reset = connections.all().filter(({ state }) => state === "reset");
      const felt: Felt = {
        gapMs: {
          "lan-wired": longest("lan-wired"),
          "lan-wifi": longest("lan-wifi"),
          "behind-router": longest("behind-router"),
        },
        lost: [...open.values()].map(({ client, ip }) => ({ ip, place: placeOf(client) })),
        resolutionMs: closeMs,
        resets: {
          connections: reset.length,
          addresses: new Set(reset.map(({ ip }) => ip)).size,
          nodes: new Set(reset.map(({ entered }) => entered)).size,
        },
      };
      windowStart = clock.now();
      connect();
      changed();
      return felt;
    },
    stop: () => {
      over.abort();
      unsubscribe();
    },
  };
}
