import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { watchLoopback } from "#infra/lab/loopback-traffic.ts";

const served = async (answer: () => Promise<void>) => {
  const server = createServer((_, response) => {
    void answer().then(() => response.end("done"));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
};

it("waits for a request and its answer", async () => {
  const traffic = watchLoopback(() => undefined);
  const { port, close } = await served(() => new Promise((done) => setTimeout(done, 20)));
  let answer = "";
  void fetch(`http://127.0.0.1:${port}/`)
    .then((response) => response.text())
    .then((body) => {
      answer = body;
    });
  await traffic.settle();
  expect(answer).toBe("done");
  traffic.stop();
  close();
});

it("does not wait for who may be waiting for the time, but for what it says then", async () => {
  let thinks: number | undefined;
  const traffic = watchLoopback(() => thinks);
  const go = Promise.withResolvers<void>();
  const { port, close } = await served(() => go.promise);
  thinks = port;
  let answer = "";
  const asked = fetch(`http://127.0.0.1:${port}/`)
    .then((response) => response.text())
    .then((body) => {
      answer = body;
    });
  await traffic.settle();
  expect(answer).toBe("");
  go.resolve();
  await traffic.settle();
  expect(answer).toBe("done");
  await asked;
  traffic.stop();
  close();
});
