import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createWorld, type World } from "./lab-world.ts";
import type { Life } from "./world.ts";

const host = "127.0.0.1";
const worlds = new Map<string, World>();

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** What people do past the product, by its name. */
async function byHand({ hands }: World, what: string, body: string): Promise<void> {
  if (what === "mode-native" || what === "mode-frr")
    await hands.setMode(what === "mode-frr" ? "frr" : "native");
  else if (what === "apply") await hands.apply(body);
  else if (what === "commit-pools" || what === "commit-names")
    await hands.commit(what === "commit-pools" ? "pools" : "names");
  else throw new Error(`nobody does ${what} by hand`);
}

async function answerTo(request: IncomingMessage): Promise<unknown> {
  const url = new URL(request.url ?? "/", "http://lab");
  if (url.pathname === "/create") {
    const life = JSON.parse(url.searchParams.get("life") ?? "") as Life;
    const world = await createWorld(life);
    worlds.set(life.name, world);
    return world.env;
  }
  const name = url.searchParams.get("world") ?? "";
  const world = worlds.get(name);
  if (world === undefined) throw new Error(`no world ${name}`);
  if (url.pathname === "/by-hand")
    return byHand(world, url.searchParams.get("what") ?? "", await bodyOf(request));
  worlds.delete(name);
  return world.end();
}

const server = createServer(async (request, response) => {
  try {
    response.end(JSON.stringify((await answerTo(request)) ?? null));
  } catch (error) {
    response.statusCode = 500;
    response.end(error instanceof Error ? error.stack : String(error));
  }
});
server.listen(0, host, () =>
  process.stdout.write(`ready http://${host}:${(server.address() as AddressInfo).port}\n`),
);
process.on("disconnect", () => process.exit(0));
