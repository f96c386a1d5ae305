import { subscribe, unsubscribe } from "node:diagnostics_channel";

export type LoopbackTraffic = Readonly<{
  /** Resolves when no request of this process is on its way and nobody has anything to do at once. */
  settle: () => Promise<void>;
  stop: () => void;
}>;

type ClientMessage = Readonly<{ request: object & Readonly<{ origin?: unknown }> }>;
type ServerMessage = Readonly<{
  request: object & Readonly<{ socket: Readonly<{ localPort?: number | undefined }> }>;
}>;

/** Turns of the event loop without any request until everybody has gone on as far as possible. */
const calmTurns = 4;

/**
 * Knows when time may move on in a process that talks to itself over HTTP: not while a request or its answer is
 * travelling, but while a server in `takesItsTime` (a port) thinks about one, since it may be waiting for the time. Only
 * `fetch` to loopback counts.
 */
export function watchLoopback(takesItsTime: () => number | undefined): LoopbackTraffic {
  const travelling = new Set<object>();
  const thinking = new Set<object>();
  const on = {
    "undici:request:create": ({ request }: ClientMessage) => {
      if (/^http:\/\/127\.0\.0\.1[:/]/.test(String(request.origin))) travelling.add(request);
    },
    "undici:request:trailers": ({ request }: ClientMessage) => void travelling.delete(request),
    "undici:request:error": ({ request }: ClientMessage) => void travelling.delete(request),
    "http.server.request.start": ({ request }: ServerMessage) => {
      if (request.socket.localPort === takesItsTime()) thinking.add(request);
    },
    "http.server.response.finish": ({ request }: ServerMessage) => void thinking.delete(request),
  };
  const listeners = Object.entries(on) as readonly [string, (message: unknown) => void][];
  for (const [channel, listener] of listeners) subscribe(channel, listener);
  return {
    settle: async () => {
      for (let calm = 0; calm < calmTurns; ) {
        await new Promise((resolve) => setImmediate(resolve));
        calm = travelling.size > thinking.size ? 0 : calm + 1;
      }
    },
    stop: () => {
      for (const [channel, listener] of listeners) unsubscribe(channel, listener);
    },
  };
}
