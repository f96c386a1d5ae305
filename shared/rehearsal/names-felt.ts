import { decodeName } from "../dns/fqdn.ts";
import { type DnsView, viewDns, wishesOf } from "../domain-move/dns-view.ts";
import { leftInOldDomain } from "../domain-move/foresee.ts";
import { isOld, movedName } from "../domain-move/move.ts";
import { looksAt } from "../domain-move/publishers.ts";
import { FaultError } from "../fault.ts";
import type { VantagePlace } from "../site/site.ts";
import type { StepContext } from "../steps/step.ts";
import type { Twin } from "../twin/twin.ts";
import type { Client } from "./felt.ts";

/** A name and the one that takes its place. */
export type NamePair = Readonly<{ old: string; new: string }>;

/** How many names of a kind a client resolves, and of how many it then reaches the address. */
export type Worked = Readonly<{ resolve: number; open: number }>;

export type NamesAt = Readonly<{
  old: Worked;
  new: Worked;
  /** Longest time in which neither of a pair did, though one of them had; milliseconds. */
  gapMs: number;
  /** Pairs of which neither does any more, though one of them had. */
  lost: number;
}>;

export type NamesFelt = Readonly<{
  pairs: number;
  at: Readonly<Record<VantagePlace, NamesAt | undefined>>;
  /** Records of ours in the old domain that no ExternalDNS looks at: nobody will ever delete them. */
  unseen: readonly string[];
}>;

/** What the cluster publishes in the old domain, with the names to come. Throws FaultError. */
export async function namesToMove(context: StepContext): Promise<readonly NamePair[]> {
  const view = await viewDns(context);
  const names = view.movers.flatMap((mover) =>
    wishesOf(mover, view.lists)
      .endpoints.filter(({ name }) => isOld(name, view.move) && looksAt(mover, name))
      .map(({ name }) => decodeName(name)),
  );
  return [...new Set(names)].sort().map((old) => ({ old, new: movedName(old, view.move) }));
}

/** Records in the old domain that nobody looks after. None where that cannot be told. */
export async function unseenRecords(context: StepContext): Promise<readonly string[]> {
  let view: DnsView;
  try {
    view = await viewDns(context);
    const { records } = await leftInOldDomain(view, view.publishers);
    const readers = view.publishers;
    return [
      ...new Set(
        records.filter(({ name }) => !readers.some((each) => looksAt(each, name))).map(({ name }) => name),
      ),
    ].sort();
  } catch (error) {
    if (error instanceof FaultError) return [];
    throw error;
  }
}

const closeMs = 10_000;
const idleMs = 600_000;
/** Answers are kept for minutes: so long after a change names are looked at closely. */
const closeForMs = 600_000;

export type NamesWatch = Readonly<{
  /** What was felt since the last time. */
  mark: () => Omit<NamesFelt, "unseen">;
  stop: () => void;
}>;

/**
 * Clients that use every name again and again: the old one, and the new one where the old does not work and every name
 * server has the new. Nobody asks for a name that is not there yet, so nobody's resolver remembers a "no".
 */
export function watchNames(twin: Twin, clients: readonly Client[], pairs: readonly NamePair[]): NamesWatch {
  const { clock, zones } = twin;
  const used = new Set<string>();
  const down = new Map<string, number>();
  const longest = new Map<string, number>();
  const key = (client: string, { old }: NamePair): string => `${client} ${old}`;

  const addressOf = (client: string, name: string): string | undefined => {
    const outcome = twin.resolve(client, name, "A");
    return typeof outcome === "string"
      ? undefined
      : outcome.answer.findLast(({ type }) => type === "A")?.value;
  };
  const opens = (client: string, address: string): boolean =>
    twin.reach(client, address, Math.floor(clock.now() / closeMs)).ok;
  const works = (client: string, name: string): boolean => {
    const address = addressOf(client, name);
    return address !== undefined && opens(client, address);
  };
  const worked = (client: string, names: readonly string[]): Worked => {
    const addresses = names.flatMap((name) => addressOf(client, name) ?? []);
    return { resolve: addresses.length, open: addresses.filter((each) => opens(client, each)).length };
  };
  const served = (): ReadonlySet<string> => {
    const all = zones
      .all()
      .filter((zone) => !zone.private)
      .flatMap(({ id }) => zones.nameServers(id).map((_, server) => zones.served(id, server)));
    const counts = new Map<string, number>();
    for (const sets of all)
      for (const name of new Set(sets.map((set) => set.name))) counts.set(name, (counts.get(name) ?? 0) + 1);
    const serversOf = (name: string): number =>
      zones
        .all()
        .filter((zone) => !zone.private && (name === zone.name || name.endsWith(`.${zone.name}`)))
        .reduce((most, { id }) => Math.max(most, zones.nameServers(id).length), 0);
    return new Set([...counts].filter(([name, n]) => n > 0 && n >= serversOf(name)).map(([name]) => name));
  };
  const look = (): void => {
    let known: ReadonlySet<string> | undefined;
    const isThere = (name: string): boolean => {
      known ??= served();
      return known.has(name);
    };
    for (const { name: client } of clients)
      for (const pair of pairs) {
        const id = key(client, pair);
        const isUsable = works(client, pair.old) || (isThere(pair.new) && works(client, pair.new));
        const since = down.get(id);
        if (isUsable) {
          used.add(id);
          if (since === undefined) continue;
          longest.set(id, Math.max(longest.get(id) ?? 0, clock.now() - since));
          down.delete(id);
        } else if (since === undefined && used.has(id)) down.set(id, clock.now());
      }
  };
  look();

  let changedAt = clock.now();
  let pausing = new AbortController();
  const unsubscribe = twin.store.subscribe(({ kind }) => {
    if (kind === "events" || kind.endsWith("statuses")) return;
    changedAt = clock.now();
    pausing.abort();
  });
  const over = new AbortController();
  void (async () => {
    while (!over.signal.aborted) {
      const isClose = clock.now() - changedAt < closeForMs;
      pausing = new AbortController();
      await clock.sleep(isClose ? closeMs : idleMs, AbortSignal.any([over.signal, pausing.signal]));
      // What a change comes to is seen at the next look; a change itself is none.
      if (!over.signal.aborted && !pausing.signal.aborted) look();
    }
  })();

  const at = (place: VantagePlace): NamesAt | undefined => {
    const here = clients.filter((client) => client.place === place).map(({ name }) => name);
    const [client] = here;
    if (client === undefined) return undefined;
    const there = served();
    const mine = pairs.map((pair) => key(client, pair));
    const gaps = mine.map((id) =>
      Math.max(longest.get(id) ?? 0, clock.now() - (down.get(id) ?? clock.now())),
    );
    return {
      old: worked(
        client,
        pairs.map((pair) => pair.old),
      ),
      new: worked(
        client,
        pairs.map((pair) => pair.new).filter((name) => there.has(name)),
      ),
      gapMs: Math.max(0, ...gaps),
      lost: mine.filter((id) => down.has(id)).length,
    };
  };
  return {
    mark: () => {
      look();
      const felt = {
        pairs: pairs.length,
        at: {
          "lan-wired": at("lan-wired"),
          "lan-wifi": at("lan-wifi"),
          "behind-router": at("behind-router"),
        },
      };
      longest.clear();
      for (const id of down.keys()) down.set(id, clock.now());
      return felt;
    },
    stop: () => {
      over.abort();
      unsubscribe();
    },
  };
}
