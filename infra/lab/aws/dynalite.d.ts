declare module "dynalite" {
  import type { Server } from "node:http";

  /** An HTTP server that speaks DynamoDB; it keeps tables in memory unless `path` is given. */
  export default function dynalite(
    options?: Readonly<{
      path?: string;
      createTableMs?: number;
      deleteTableMs?: number;
      updateTableMs?: number;
    }>,
  ): Server;
}
