import "../bot/require-node.ts";

/** Every benchmark, by the name it is run under: `npm run bench -- commands`. */
const benches: Readonly<Record<string, () => Promise<{ run: (args: readonly string[]) => Promise<void> }>>> =
  {
    alerts: () => import("./alerts.ts"),
    commands: () => import("./commands.ts"),
    dns: () => import("./dns.ts"),
    nodes: () => import("./nodes.ts"),
  };

const [name = "", ...args] = process.argv.slice(2);
const load = benches[name];
if (load) await (await load()).run(args);
else {
  process.stderr.write(`Which benchmark? npm run bench -- ${Object.keys(benches).join("|")}\n`);
  process.exitCode = 2;
}
