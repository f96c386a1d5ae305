import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";
import { createLedgerTable } from "#infra/lab/aws/create-ledger-table.ts";
import { openDynamoLedger } from "#shared/adapters/ledger-dynamodb.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";

export const credentials = { accessKeyId: "lab", secretAccessKey: "lab" };
export const region = "eu-central-1";

export type Dynalite = Readonly<{
  url: string;
  /** A ledger on a table of its own, or on one that is there. */
  open: (now: () => number, table?: string) => Promise<Readonly<{ ledger: Ledger; table: string }>>;
  /** Takes requests first; true when it answered, false to let DynamoDB answer. Returns the way to stop. */
  before: (look: (target: string, body: string) => "cut" | "cut after" | undefined) => () => void;
  close: () => Promise<void>;
}>;

export async function startDynalite(): Promise<Dynalite> {
  const inner: Server = dynalite({ createTableMs: 0 });
  const { createServer } = await import("node:http");
  let look: ((target: string, body: string) => "cut" | "cut after" | undefined) | undefined;
  await new Promise<void>((resolve) => inner.listen(0, "127.0.0.1", resolve));
  const innerUrl = `http://127.0.0.1:${(inner.address() as AddressInfo).port}`;
  const front = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const act = look?.(String(request.headers["x-amz-target"]), body.toString());
      if (act === "cut") {
        request.socket.destroy();
        return;
      }
      const { host: _, connection: __, "content-length": ___, ...headers } = request.headers;
      void fetch(innerUrl, { method: "POST", headers: headers as Record<string, string>, body }).then(
        async (answer) => {
          const bytes = Buffer.from(await answer.arrayBuffer());
          if (act === "cut after") request.socket.destroy();
          else {
            const crc = answer.headers.get("x-amz-crc32");
            response.writeHead(answer.status, {
              "content-type": "application/x-amz-json-1.0",
              ...(crc ? { "x-amz-crc32": crc } : {}),
            });
            response.end(bytes);
          }
        },
      );
    });
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  let tables = 0;
  return {
    url,
    open: async (now, existing) => {
      const table = existing ?? `ledger-${++tables}`;
      if (existing === undefined) await createLedgerTable({ endpoint: url, region, table });
      return { table, ledger: openDynamoLedger({ table, region, endpoint: url, credentials, now }) };
    },
    before: (wanted) => {
      look = wanted;
      return () => {
        look = undefined;
      };
    },
    close: async () => {
      front.closeAllConnections();
      await new Promise<void>((resolve) => front.close(() => resolve()));
      inner.closeAllConnections();
      await new Promise<void>((resolve) => inner.close(() => resolve()));
    },
  };
}
