import type { Clock } from "../clock.ts";
import type { Reach, Unreached } from "./reach.ts";

/** A TCP connection of a client to an announced address, and what has become of it. */
export type Connection = Readonly<{
  client: string;
  ip: string;
  /** Tells connections of one client to one address apart, as their source ports do; a router spreads by it. */
  flow: number;
  openedAt: number;
}> & {
  /** The node it entered the cluster through: only that one knows where its packets go (conntrack). */
  entered: string;
  /** `stalled`: packets do not arrive, the client still waits. `reset`: it entered another node, which knew nothing of it. */
  state: "open" | "stalled" | "reset";
  because?: Unreached;
  resetAt?: number;
};

export type Connections = Readonly<{
  /** Connects, or says why not. */
  open: (client: string, ip: string, flow?: number) => Connection | Exclude<Reach, { ok: true }>;
  /** Sends a packet on each connection that is not over. */
  send: () => void;
  all: () => readonly Connection[];
  /** Ends connections; all of them when not told which. */
  forget: (which?: (connection: Connection) => boolean) => void;
}>;

/** The node a way leads into, the last machine of its path. */
export const entryOf = (reach: Reach): string | undefined => (reach.ok ? reach.path.at(-1) : undefined);

/**
 * Connections that were made and live on. kube-proxy keeps their addresses translated on the node they came in through;
 * a packet that arrives at another node belongs to no connection there, and the client is reset.
 */
export function createConnections(
  options: Readonly<{ clock: Clock; reach: (client: string, ip: string, flow: number) => Reach }>,
): Connections {
  const { clock, reach } = options;
  let connections: Connection[] = [];
  return {
    open: (client, ip, flow = 0) => {
      const way = reach(client, ip, flow);
      const entered = entryOf(way);
      if (!way.ok || entered === undefined) return way as Exclude<Reach, { ok: true }>;
      const connection: Connection = { client, ip, flow, openedAt: clock.now(), entered, state: "open" };
      connections.push(connection);
      return connection;
    },
    send: () => {
      for (const connection of connections) {
        if (connection.state === "reset") continue;
        const way = reach(connection.client, connection.ip, connection.flow);
        const entered = entryOf(way);
        if (!way.ok) {
          connection.state = "stalled";
          connection.because = way.because;
        } else if (entered !== connection.entered) {
          connection.state = "reset";
          connection.resetAt = clock.now();
        } else {
          connection.state = "open";
          delete connection.because;
        }
      }
    },
    all: () => connections,
    forget: (which = () => true) => {
      connections = connections.filter((connection) => !which(connection));
    },
  };
}
