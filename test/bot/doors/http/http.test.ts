import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { DeliveryResult } from "#bot/doors/http/alerts.ts";
import { type HttpDoor, httpHandler } from "#bot/doors/http.ts";
import { secret } from "#bot/environment.ts";
import { type HttpLimits, type HttpServer, serveHttp } from "#shared/adapters/http-server.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Delivery } from "#shared/alerts/alert.ts";
import { FaultError } from "#shared/fault.ts";

const token = "a-token-of-this-test-only";
const captured = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../fixtures/alertmanager/first-notification.json"), "utf8"),
) as { headers: Record<string, string>; body: object };
const payload = JSON.stringify(captured.body);

const open: HttpServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function door(
  options: Readonly<{
    take?: (delivery: Delivery) => Promise<unknown>;
    limits?: Partial<HttpLimits>;
    without?: "alerts";
    ready?: boolean;
    waitMs?: number;
    metrics?: HttpDoor["metrics"];
  }> = {},
) {
  const taken: Delivery[] = [];
  const log: Readonly<Record<string, unknown>>[] = [];
  const ends: DeliveryResult[] = [];
  const server = await serveHttp({
    host: "127.0.0.1",
    port: 0,
    limits: options.limits ?? {},
    log: (entry) => log.push(entry),
    handle: httpHandler({
      version: "1.2.3",
      readiness: async () =>
        options.ready === false
          ? {
              ok: false,
              text: "not ready: slack (Slack cannot be reached), ledger (no answer within 3 s)",
              parts: [
                { what: "slack", ok: false, text: "Slack cannot be reached" },
                { what: "ledger", ok: false, text: "no answer within 3 s" },
              ],
            }
          : { ok: true, text: "ready", parts: [{ what: "slack", ok: true, text: "connected" }] },
      metrics: options.metrics ?? (async () => ({ type: "text/plain; version=0.0.4", text: "up 1\n" })),
      ...(options.without === "alerts"
        ? {}
        : {
            alerts: {
              token: secret(token),
              clock: systemClock,
              take: options.take ?? (async (delivery) => taken.push(delivery)),
              ...(options.waitMs === undefined ? {} : { waitMs: options.waitMs }),
              counted: (result) => ends.push(result),
              log: (entry) => log.push(entry),
            },
          }),
    }),
  });
  open.push(server);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${server.url}${path}`, init);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as Record<string, unknown>,
    };
  };
  const post = (body: string, headers: Record<string, string> = {}) =>
    ask("/alerts", {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    });
  return { server, ask, post, taken, log, ends };
}

/** What a server says to bytes that are no request of a well-behaved client. */
const raw = (url: string, bytes: string | Uint8Array, end = false): Promise<string> =>
  new Promise((done, failed) => {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname, () => (end ? socket.end(bytes) : socket.write(bytes)));
    let said = "";
    socket.on("data", (chunk) => {
      said += chunk.toString();
    });
    socket.on("close", () => done(said));
    socket.on("error", failed);
  });

describe("health, readiness, metrics", () => {
  it("says that the process lives, whatever else is wrong", async () => {
    const { ask } = await door({ ready: false });
    const answer = await ask("/healthz");
    expect([answer.status, answer.json()]).toEqual([200, { ok: true, text: "alive", version: "1.2.3" }]);
  });

  it("is ready with 200, or says in JSON and in one line of text what is not", async () => {
    const { ask } = await door({ ready: false });
    const answer = await ask("/readyz?verbose");
    expect(answer.status).toBe(503);
    expect(answer.json()).toEqual({
      ok: false,
      text: "not ready: slack (Slack cannot be reached), ledger (no answer within 3 s)",
      parts: [
        { what: "slack", ok: false, text: "Slack cannot be reached" },
        { what: "ledger", ok: false, text: "no answer within 3 s" },
      ],
    });
    const line = await ask("/readyz", { headers: { accept: "text/plain" } });
    expect([line.status, line.text]).toEqual([
      503,
      "not ready: slack (Slack cannot be reached), ledger (no answer within 3 s)\n",
    ]);
    expect((await (await door()).ask("/readyz")).status).toBe(200);
  });

  it("gives metrics in the type that Prometheus reads", async () => {
    const answer = await (await door()).ask("/metrics");
    expect([answer.status, answer.headers.get("content-type"), answer.text]).toEqual([
      200,
      "text/plain; version=0.0.4",
      "up 1\n",
    ]);
  });

  it.each([
    ["POST", "/healthz", 405],
    ["DELETE", "/metrics", 405],
    ["GET", "/alerts", 405],
    ["PUT", "/alerts", 405],
    ["GET", "/", 404],
    ["GET", "/../../etc/passwd", 404],
  ])("%s %s is %i", async (method, path, status) => {
    const { ask } = await door();
    const answer = await ask(path, { method });
    expect(answer.status).toBe(status);
    expect(answer.json().ok).toBe(false);
    if (status === 405)
      expect(answer.headers.get("allow")).toMatch(path === "/alerts" ? /^POST$/ : /GET, HEAD/);
  });
});

describe("a delivery of Alertmanager's", () => {
  it("is answered 200 when it was taken, and not before", async () => {
    const kept = Promise.withResolvers<void>();
    const { post, ends } = await door({ take: () => kept.promise });
    let answered = false;
    const answer = post(payload).then((said) => {
      answered = true;
      return said;
    });
    await new Promise((done) => setTimeout(done, 50));
    expect(answered).toBe(false);
    kept.resolve();
    expect((await answer).status).toBe(200);
    expect((await answer).json()).toEqual({
      ok: true,
      text: "2 alerts are in the ledger.",
      alerts: 2,
      malformed: 0,
      truncated: 0,
    });
    expect(ends).toEqual(["taken"]);
  });

  it("is answered 503 when the ledger refuses, or does not answer in time", async () => {
    const refusing = await door({
      take: async () => {
        throw new FaultError({ kind: "unreadable", what: "ledger", detail: "disk full" });
      },
    });
    const refused = await refusing.post(payload);
    expect([refused.status, refused.headers.get("retry-after"), refusing.ends]).toEqual([
      503,
      "5",
      ["not-kept"],
    ]);
    expect(refused.json().text).toContain("disk full");
    const silent = await door({ take: () => new Promise(() => {}), waitMs: 30 });
    expect((await silent.post(payload)).status).toBe(503);
  });

  it("that meets an error of ours is answered 500, without its inside", async () => {
    const { post, log } = await door({
      take: async () => {
        throw new TypeError(`cannot read ${token}`);
      },
    });
    const answer = await post(payload);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("cannot read");
    expect(log.some(({ msg }) => msg === "unexpected fault in the HTTP door")).toBe(true);
  });

  it("keeps malformed alerts and says how many", async () => {
    const { post, taken } = await door();
    const answer = await post(
      JSON.stringify({ ...captured.body, alerts: [{ odd: true }], truncatedAlerts: 4 }),
    );
    expect(answer.json()).toMatchObject({ ok: true, alerts: 1, malformed: 1, truncated: 4 });
    expect(taken[0]?.alerts[0]?.malformed).toBeDefined();
  });

  it.each([
    ["no token", {}, payload, 401],
    ["another token", { authorization: "Bearer b-token-of-this-test-only" }, payload, 401],
    ["a prefix of the token", { authorization: `Bearer ${token.slice(0, -1)}` }, payload, 401],
    ["a longer token", { authorization: `Bearer ${token}x` }, payload, 401],
    ["another scheme", { authorization: `Basic ${token}` }, payload, 401],
    ["an empty token", { authorization: "Bearer " }, payload, 401],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }, payload, 415],
    ["something zipped", { "content-encoding": "gzip" }, payload, 415],
    ["no JSON", {}, "{", 400],
    ["an empty body", {}, "", 400],
    ["another version", {}, payload.replace('"4"', '"3"'), 400],
    ["no alerts", {}, '{"version":"4","groupKey":"g"}', 400],
  ])("with %s is refused and not taken", async (what, headers, body, status) => {
    const { ask, taken, ends } = await door();
    const right = what === "no token" ? {} : { authorization: `Bearer ${token}` };
    const answer = await ask("/alerts", {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...right, ...(headers as Record<string, string>) },
    });
    expect(answer.status).toBe(status);
    expect(answer.json().ok).toBe(false);
    expect(taken).toEqual([]);
    expect(ends).toHaveLength(1);
    if (status === 401) expect(answer.headers.get("www-authenticate")).toContain("Bearer");
  });

  it("that is too long is refused, whether it says so or not", async () => {
    const { post, server, taken } = await door({ limits: { bodyBytes: 2_000 } });
    expect((await post("x".repeat(5_000))).status).toBe(413);
    const head = `POST /alerts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
    const said = await raw(
      server.url,
      `${head}${`3e8\r\n${"y".repeat(1_000)}\r\n`.repeat(4)}0\r\n\r\n`,
      true,
    );
    expect(said).toMatch(/^HTTP\/1\.1 413 /);
    expect(taken).toEqual([]);
  });

  it("of somebody without the token is answered before its body is there", async () => {
    const { server } = await door();
    const said = await raw(
      server.url,
      "POST /alerts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{",
      true,
    );
    expect(said).toMatch(/^HTTP\/1\.1 401 /);
  });

  it("has nowhere to go where no alerts are configured", async () => {
    const { post } = await door({ without: "alerts" });
    expect((await post(payload)).status).toBe(404);
  });
});

describe("whatever comes in", () => {
  it.each([
    ["no HTTP", "hello\r\n\r\n", "400"],
    ["a header that never ends", `GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, "431"],
    ["a request that stops in the middle", "GET /healthz HTTP/1.1\r\nhost", "408"],
  ])("%s gets one answer in JSON", async (_, bytes, status) => {
    const { server } = await door({ limits: { headersMs: 100, requestMs: 200 } });
    const said = await raw(server.url, bytes);
    expect(said.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(said).toContain(`HTTP/1.1 ${status}`);
    expect(JSON.parse(said.slice(said.indexOf("{")))).toMatchObject({ ok: false });
  });

  it("gets exactly one answer, never a secret, never a stack", async () => {
    const { ask, log } = await door();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("/alerts", "/healthz", "/readyz", "/metrics", "/x"),
        fc.constantFrom("GET", "POST", "PUT", "DELETE"),
        fc.constantFrom(`Bearer ${token}`, "Bearer x", "", `bearer  ${token} `),
        fc.constantFrom("application/json", "application/json; charset=utf-8", "text/plain"),
        fc.oneof(fc.json(), fc.string(), fc.constant(payload)),
        async (path, method, authorization, type, body) => {
          const answer = await ask(path, {
            method,
            headers: { authorization, "content-type": type },
            ...(method === "GET" ? {} : { body }),
          });
          expect(answer.status).toBeGreaterThanOrEqual(200);
          expect(answer.status).not.toBe(500);
          if (path !== "/metrics" || answer.status !== 200) expect(typeof answer.json().ok).toBe("boolean");
          expect(answer.text).not.toContain(token);
          expect(answer.text).not.toMatch(/\bat .*\.ts:/);
        },
      ),
      { numRuns: 60 },
    );
    expect(JSON.stringify(log)).not.toContain(token);
  });
});
