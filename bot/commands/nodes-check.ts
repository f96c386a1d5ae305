import * as z from "zod";
import type { Check } from "#shared/checks/check.ts";
import { checkReply, concerning } from "#shared/checks/check-reply.ts";
import { type GatherPorts, nodeSource, readLists, visitNodes } from "#shared/checks/gather.ts";
import { judgeAll } from "#shared/checks/run.ts";
import { nearest } from "#shared/nearest.ts";
import type { Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

const usage = (cluster: string, said: Text, next: Text, data: Reply["data"]): Reply => ({
  verdict: { word: "Usage", outcome: "usage", text: said },
  cluster,
  findings: [],
  blocks: [],
  next: [next],
  actions: [],
  ...(data === undefined ? {} : { data }),
});

const unsure = (cluster: string, said: Text, next: Text): Reply => ({
  verdict: { word: "UNKNOWN", outcome: "unknown", text: said },
  cluster,
  findings: [],
  blocks: [],
  next: [next],
  actions: [],
});

const most = 20;
const listed = (names: readonly string[]): string =>
  names.length <= most
    ? names.join(", ")
    : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;

const noSuch = (what: string, word: string, known: readonly string[]): Text => {
  const near = nearest(word, known);
  return text`No ${what} ${code(word)}.${near === undefined ? "" : text` Nearest: ${code(near)}.`}`;
};

/** `/nodes check [NODE...] [--only CHECK]`: visits the nodes, judges what they brought, says who needs somebody. */
export const check = defineVerb({
  path: ["check"],
  usage: "[NODE...] [--only CHECK]",
  summary: "What makes nodes shaky for MetalLB: interfaces, addresses, routes, kernel settings.",
  examples: ["karstark", "", "--only wired-and-wifi"],
  positionals: ["nodes..."],
  options: [{ name: "only", value: "CHECK", about: "one check instead of all; /nodes explain lists them" }],
  input: z.object({ nodes: z.array(z.string()).default([]), only: z.string().optional() }),
  role: "viewer",
  effect: "read",
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async ({ input, cluster, deps, show, signal }) => {
    if (!cluster) throw new Error("nodes check needs a cluster");
    // Loaded when asked for: the list brings every check along, and help needs none.
    const { checks } = await import("#shared/checks/all.ts");
    const { name } = cluster.config;
    const ids = checks.map(({ id }) => id);
    if (input.only !== undefined && !ids.includes(input.only))
      return usage(name, noSuch("check", input.only, ids), text`Checks: ${ids.join(", ")}`, { checks: ids });
    const asked = input.only === undefined ? checks : checks.filter(({ id }) => id === input.only);
    const ports: GatherPorts = {
      config: cluster.config,
      read: cluster.read,
      shell: cluster.shell,
      logs: cluster.logs,
      clock: deps.clock,
      newNonce: () => [deps.newId(), deps.newId(), deps.newId(), deps.newId()].join("-"),
      signal,
    };
    const lists = await readLists(ports, asked);
    const source = nodeSource(lists.nodes, cluster.config);
    if (source.names.length === 0 && source.from === "config")
      return unsure(
        name,
        text`no node is known: ${source.because.what}: ${source.because.detail}, and the config lists none`,
        text`Add them under ${code("nodes.list")} (docs/config.md), or see ${code("/arpeggio doctor")}`,
      );
    const stranger = input.nodes.find((node) => !source.names.includes(node));
    if (stranger !== undefined && source.from === "config")
      return unsure(
        name,
        text`whether there is a node ${code(stranger)} cannot be told: ${source.because.detail}, and the config does not list it`,
        text`Nodes of the config: ${listed(source.names)}`,
      );
    if (stranger !== undefined)
      return usage(name, noSuch("node", stranger, source.names), text`Nodes: ${listed(source.names)}`, {
        known: source.names,
      });
    const some = [...new Set(input.nodes)].sort();
    const isPart = some.length > 0 && some.length < source.names.length;
    // To compare nodes takes all of them; asked for by name it gets them.
    const compares = ({ about, needs }: Check): boolean => about === "cluster" && needs.length > 0;
    const leftOut = isPart && input.only === undefined ? asked.filter(compares) : [];
    const running = asked.filter((each) => !leftOut.includes(each));
    const visitAll = running.some(compares);
    const gathered = await visitNodes(ports, lists, source, {
      checks: running,
      ...(isPart && !visitAll ? { only: some } : {}),
      onProgress: (done, total) =>
        show({
          verdict: {
            word: "CHECKING",
            outcome: "running",
            text: text`${done} of ${total} ${total === 1 ? "node" : "nodes"}`,
          },
          cluster: name,
          findings: [],
          blocks: [],
          actions: [],
        }),
    });
    const results = judgeAll(running, gathered);
    const told = isPart && input.only === undefined ? concerning(results, some) : results;
    return checkReply({
      cluster: name,
      source,
      nodes: gathered.nodes.map(({ node }) => node),
      checks: running.filter(({ id }) => told.some((result) => result.check === id)),
      results: told,
      unreached: new Map(
        gathered.nodes.flatMap(({ node, unreached }) => (unreached ? [[node, unreached] as const] : [])),
      ),
      leftOut,
    });
  },
});
