import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import * as z from "zod";
import type { Json } from "#shared/json.ts";
import type { Delivery, Payload } from "./delivery.ts";
import type { JsonObject } from "./message.ts";
import { addViolation, changed, type State } from "./state.ts";

/** Slack allows an app this many connections at once. */
const MOST_CONNECTIONS = 10;
/** Seconds a connection is said to live. */
const CONNECTION_TIME = 18_060;
/** WebSocket close code of a server that stops, and how long the other side may take to agree. */
const GOING_AWAY = 1_001;
const CLOSE_WITHIN_MS = 250;

export type DisconnectReason = "warning" | "refresh_requested" | "link_disabled" | "too_many_websockets";

type Acked = Readonly<{ ack: Json | undefined }>;
type Waiting = Readonly<{ socket: WebSocket; settle: (result: Acked | "gone") => void }>;

export type SocketMode = Readonly<{
  /** Answer of `apps.connections.open`: a URL that one connection may use once. */
  open: () => JsonObject;
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  connections: () => number;
  /** Hands a payload to one of the connections, in turn; they are not sticky. */
  send: (payload: Payload, retryNum?: number) => Promise<Delivery>;
  /** Tells every connection to go away, as Slack does when it recycles them. */
  disconnect: (reason: DisconnectReason) => void;
  /** Ends every connection without a word, as a broken network does. */
  cut: () => void;
  close: () => Promise<void>;
}>;

const ackFrame = z.object({ envelope_id: z.string().min(1), payload: z.json().optional() });

/** Only these are asked for a body; Slack drops what comes with the acknowledgement of anything else. */
const acceptsPayload = (payload: Payload): boolean =>
  payload.kind === "slash_commands" ||
  (payload.kind === "interactive" &&
    ["view_submission", "block_suggestion"].includes(String(payload.body.type)));

export const isEmptyAck = (ack: Json | undefined): boolean =>
  ack === undefined ||
  ack === null ||
  ack === "" ||
  (typeof ack === "object" && Object.keys(ack).length === 0);

export function socketMode(state: State, base: () => string): SocketMode {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Set<string>();
  const open: WebSocket[] = [];
  const waiting = new Map<string, Waiting>();
  let turn = 0;

  const violation = (error: string, reasons: readonly string[]) =>
    addViolation(state, { where: "socket", error, reasons });

  const tell = (socket: WebSocket, frame: JsonObject) => socket.send(JSON.stringify(frame));

  const onFrame = (data: string): void => {
    let parsed: z.ZodSafeParseResult<z.output<typeof ackFrame>>;
    try {
      parsed = ackFrame.safeParse(JSON.parse(data));
    } catch {
      violation("invalid_frame", [`not JSON: ${data.slice(0, 80)}`]);
      return;
    }
    if (!parsed.success) {
      violation("invalid_frame", [`no envelope_id: ${data.slice(0, 80)}`]);
      return;
    }
    const known = waiting.get(parsed.data.envelope_id);
    if (known === undefined)
      violation("late_or_unknown_ack", [`nobody waits for envelope ${parsed.data.envelope_id}`]);
    else known.settle({ ack: parsed.data.payload });
  };

  const connect = (socket: WebSocket): void => {
    if (open.length >= MOST_CONNECTIONS) {
      tell(socket, { type: "disconnect", reason: "too_many_websockets", debug_info: { host: "lab" } });
      socket.close();
      return;
    }
    open.push(socket);
    const pings = setInterval(() => socket.ping("Ping from lab"), state.spec.pingEveryMs);
    socket.on("message", (data) => onFrame(String(data)));
    socket.on("error", () => socket.terminate());
    socket.on("close", () => {
      clearInterval(pings);
      const index = open.indexOf(socket);
      if (index >= 0) open.splice(index, 1);
      for (const entry of [...waiting.values()]) if (entry.socket === socket) entry.settle("gone");
      changed(state);
    });
    tell(socket, {
      type: "hello",
      num_connections: open.length,
      debug_info: { host: "lab", build_number: 1, approximate_connection_time: CONNECTION_TIME },
      connection_info: { app_id: state.spec.app.id },
    });
    changed(state);
  };

  return {
    open: () => {
      const ticket = state.newId("ticket");
      tickets.add(ticket);
      return { url: `${base().replace(/^http/, "ws")}/link/?ticket=${ticket}&app_id=${state.spec.app.id}` };
    },
    upgrade: (request, socket, head) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      const ticket = url.searchParams.get("ticket") ?? "";
      if (url.pathname !== "/link/" || !tickets.delete(ticket)) {
        socket.end("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n");
        return;
      }
      server.handleUpgrade(request, socket, head, connect);
    },
    connections: () => open.length,
    send: (payload, retryNum) => {
      const started = performance.now();
      const answer = (outcome: Delivery["outcome"], ack?: Json): Delivery => ({
        via: "socket",
        outcome,
        status: outcome === "acked" ? 200 : 0,
        ack,
        ms: performance.now() - started,
        ...(retryNum === undefined ? {} : { retryNum }),
      });
      turn += 1;
      const socket = open[turn % Math.max(1, open.length)];
      if (socket === undefined) return Promise.resolve(answer("unreachable"));
      const envelopeId = state.newId("envelope");
      return new Promise((resolve) => {
        const settle = (delivery: Delivery) => {
          clearTimeout(timer);
          waiting.delete(envelopeId);
          resolve(delivery);
        };
        const timer = setTimeout(() => settle(answer("timed-out")), state.spec.ackWithinMs);
        waiting.set(envelopeId, {
          socket,
          settle: (result) => settle(result === "gone" ? answer("unreachable") : answer("acked", result.ack)),
        });
        tell(socket, {
          envelope_id: envelopeId,
          type: payload.kind,
          accepts_response_payload: acceptsPayload(payload),
          payload: payload.body,
          ...(payload.kind === "events_api"
            ? { retry_attempt: retryNum ?? 0, retry_reason: retryNum === undefined ? "" : "timeout" }
            : {}),
        });
      });
    },
    disconnect: (reason) => {
      for (const socket of [...open]) {
        tell(socket, { type: "disconnect", reason, debug_info: { host: "lab" } });
        if (reason === "link_disabled" || reason === "too_many_websockets") socket.close();
      }
    },
    cut: () => {
      for (const socket of [...open]) socket.terminate();
    },
    close: async () => {
      const left = [...open];
      const gone = left.map(
        (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
      );
      for (const socket of left) socket.close(GOING_AWAY);
      const late = setTimeout(() => {
        for (const socket of left) socket.terminate();
      }, CLOSE_WITHIN_MS);
      await Promise.all(gone);
      clearTimeout(late);
      server.close();
    },
  };
}
