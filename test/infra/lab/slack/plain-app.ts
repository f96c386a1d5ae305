import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export type Received = Readonly<{ headers: IncomingHttpHeaders; body: string }>;
export type Answered = Readonly<{ status?: number; type?: string; body?: string; afterMs?: number }>;

/** An app of twenty lines that keeps what it received and answers as told. */
export async function startPlainApp(answer: (received: Received, count: number) => Answered = () => ({})) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const one: Received = { headers: request.headers, body: Buffer.concat(chunks).toString("utf8") };
      received.push(one);
      const told = answer(one, received.length);
      setTimeout(() => {
        if (response.destroyed) return;
        response.writeHead(told.status ?? 200, told.type === undefined ? {} : { "content-type": told.type });
        response.end(told.body ?? "");
      }, told.afterMs ?? 0);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`,
    received,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
