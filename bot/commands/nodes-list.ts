import * as z from "zod";
import { nodeSource } from "#shared/checks/gather.ts";
import type { Finding } from "#shared/finding.ts";
import { fromCluster } from "#shared/metallb/from-cluster.ts";
import type { NodeObject } from "#shared/metallb/resources.ts";
import { speakerSettings } from "#shared/metallb/speakers.ts";
import type { Text } from "#shared/text.ts";
import { code, text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

const addressOf = (node: NodeObject | undefined): string =>
  node?.addresses.find(({ type }) => type === "InternalIP")?.address ?? "";

const stateOf = (node: NodeObject | undefined): string => {
  if (node === undefined) return "";
  const ready = node.conditions.find(({ type }) => type === "Ready")?.status;
  const words = [ready === "True" ? "ready" : ready === undefined ? "unknown" : "not ready"];
  if (node.unschedulable) words.push("cordoned");
  return words.join(", ");
};

const titles = {
  name: "node",
  address: "InternalIP",
  state: "state",
  speaker: "speaker",
  ssh: "SSH host",
} as const;
const keys = Object.keys(titles) as (keyof typeof titles)[];

/** `/nodes list`: the nodes with what the API says of them, and what the config says when the API is down. */
export const list = defineVerb({
  path: ["list"],
  usage: "",
  summary: "The nodes: address, state, whether a speaker runs there.",
  examples: [""],
  positionals: [],
  options: [],
  input: z.object({}),
  role: "viewer",
  effect: "read",
  slow: false,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async ({ cluster, signal }) => {
    if (!cluster) throw new Error("nodes list needs a cluster");
    const { config } = cluster;
    const lists = await cluster.read(["nodes", "pods", "daemonsets"], signal);
    const { objects, faults } = fromCluster(lists);
    const source = nodeSource(lists.nodes, config);
    const speakers = faults.has("pods") ? undefined : speakerSettings(objects).speakerNodes;
    const gaps: Finding[] = [];
    if (source.from === "config")
      gaps.push({
        code: "nodes-from-config",
        severity: "unknown",
        subject: { kind: "cluster", name: config.name },
        facts: { fault: source.because.kind, detail: source.because.detail },
        text: text`the API could not be read (${source.because.detail}): these are the nodes of the config`,
      });
    else if (speakers === undefined)
      gaps.push({
        code: "speakers-unread",
        severity: "unknown",
        subject: { kind: "cluster", name: config.name },
        facts: { fault: faults.get("pods")?.kind ?? null },
        text: text`where speakers run cannot be told: ${faults.get("pods")?.detail ?? "no speaker pod was found"}`,
      });
    const rows = source.names.map((name) => {
      const node = objects.nodes.find((each) => each.name === name);
      const host = config.nodes.find((each) => each.name === name)?.access.host;
      return {
        name,
        address: addressOf(node),
        state: stateOf(node),
        speaker: speakers === undefined ? "" : speakers.includes(name) ? "runs" : "none",
        ssh: host ?? "",
      };
    });
    // A column that nobody can fill says nothing.
    const shown = keys.filter((key) => rows.some((row) => row[key] !== ""));
    const ready = rows.filter(({ state }) => state.startsWith("ready")).length;
    return {
      verdict:
        source.from === "config"
          ? { word: "UNKNOWN", outcome: "unknown", text: [`${rows.length} nodes, by the config alone`] }
          : { word: "Nodes", outcome: "info", text: [`${rows.length}, ${ready} ready`] },
      cluster: config.name,
      findings: gaps,
      blocks: [
        {
          kind: "table",
          columns: shown.map((key) => ({ title: titles[key] })),
          rows: rows.map((row): Text[] => shown.map((key) => [row[key]])),
        },
      ],
      next: [text`Look at them: ${code("/nodes check")}`],
      actions: [],
      data: { nodesFrom: source.from, nodes: rows },
    };
  },
});
