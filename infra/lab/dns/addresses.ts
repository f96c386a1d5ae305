/** A server of the model and the loopback address at which the lab stands in for it. */
export type Stand<T> = T & Readonly<{ listens: string }>;

const next = (address: string): string => {
  const [third = 0, fourth = 0] = address.split(".").slice(2).map(Number);
  const number = (third * 256 + fourth + 1) % 65_536;
  return `127.53.${number >> 8}.${number & 255}`;
};

/**
 * A loopback address for every server: 127.53 and the last two numbers of its own, `10.4.0.1` at `127.53.0.1`; the next
 * free one where two would meet. Linux answers on all of 127.0.0.0/8.
 */
export function standIns<T extends Readonly<{ ip: string }>>(servers: readonly T[]): readonly Stand<T>[] {
  const taken = new Set<string>();
  return servers.map((server) => {
    let listens = `127.53.${server.ip.split(".").slice(2).join(".")}`;
    while (taken.has(listens)) listens = next(listens);
    taken.add(listens);
    return { ...server, listens };
  });
}
