import * as z from "zod";
import { hostKeyFinding } from "#shared/arp/host-key-finding.ts";
import { type Fault, FaultError, isFault } from "#shared/fault.ts";
import { type Finding, isFailure } from "#shared/finding.ts";
import { isOptionalKind, type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import type { Text } from "#shared/text.ts";
import { type ClusterPorts, defineVerb } from "./command.ts";

const kinds = Object.keys(resourceKinds) as ResourceKind[];

type Row = Readonly<{ what: string; answer: string; fault?: Fault }>;

async function dial(
  cluster: ClusterPorts,
  kind: "vantage" | "node",
  name: string,
  signal: AbortSignal,
): Promise<Row> {
  const what = `${kind} ${name}`;
  try {
    const output = await cluster.shell(
      { kind, name },
      { argv: ["true"], privileged: false, timeoutMs: 5_000 },
      { signal },
    );
    if (output.exitCode === 0) return { what, answer: "runs commands" };
    const detail = output.stderr.trim().split("\n")[0] || `exit code ${output.exitCode}`;
    return { what, answer: detail, fault: { kind: "unreadable", what, detail } };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { what, answer: error.fault.detail, fault: error.fault };
  }
}

/** Tries every connection the config promises and says which work. Sends no probe beyond the connections themselves. */
export const doctor = defineVerb({
  path: ["doctor"],
  usage: "",
  summary: "Whether the Kubernetes API, every vantage and every node answer, and what we may read.",
  examples: [""],
  positionals: [],
  options: [],
  input: z.object({}),
  role: "viewer",
  effect: "read",
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async ({ cluster, deps, signal }) => {
    if (!cluster) throw new Error("the doctor runs on one cluster");
    const { config } = cluster;
    const listed = await cluster.read(kinds, signal);
    const api: Row[] = kinds.map((kind) => {
      const answer = listed[kind];
      if (
        isOptionalKind(kind) &&
        isFault(answer) &&
        answer.kind === "not-configured" &&
        !isFault(listed.nodes)
      )
        return { what: `list ${kind}`, answer: "not installed here" };
      return isFault(answer)
        ? { what: `list ${kind}`, answer: answer.detail, fault: answer }
        : { what: `list ${kind}`, answer: `${answer.length} objects` };
    });
    const nodes = isFault(listed.nodes)
      ? config.nodes.map((node) => node.name)
      : listed.nodes.map((node) => node.metadata.name);
    const machines = await Promise.all([
      ...config.vantages.map((vantage) => dial(cluster, "vantage", vantage.name, signal)),
      ...nodes.map((node) => dial(cluster, "node", node, signal)),
    ]);
    const rows = [...api, ...machines];
    const broken = rows.filter((row) => row.fault);
    const rekeyed = broken.filter((row) => row.fault?.kind === "host-key-changed");
    const findings: Finding[] = broken.map((row) => {
      const [kind, name] = row.what.split(" ");
      if (row.fault?.kind === "host-key-changed" && (kind === "vantage" || kind === "node"))
        return hostKeyFinding(kind, name ?? row.what, row.fault);
      return {
        code: `fault-${row.fault?.kind}`,
        severity: "unknown",
        subject: {
          kind: row.what.startsWith("vantage") ? "vantage" : row.what.startsWith("node") ? "node" : "cluster",
          name: row.what.split(" ").at(-1) ?? row.what,
        },
        facts: { what: row.what, detail: row.answer },
        text: [`${row.what}: ${row.answer}`],
      };
    });
    if (config.vantages.length === 0) {
      findings.push({
        code: "no-vantage",
        severity: "unknown",
        subject: { kind: "cluster", name: config.name },
        facts: {},
        text: ["no vantage is configured, so nothing on the wire can be judged."],
        remedy: ["Add one under vantages: (docs/vantages.md)."],
      });
    }
    // What the bot itself warns of: snapshots not kept, scans that stopped, rules that are out.
    const warnings = deps.about.warnings();
    const answered = rows.length - broken.length;
    const line = (row: Row): Text[] => [
      [row.fault === undefined ? "ok" : rekeyed.includes(row) ? "WARN" : "UNKNOWN"],
      [row.what],
      [row.answer],
    ];
    return {
      verdict:
        findings.length === 0 && warnings.length > 0
          ? {
              word: warnings.some(isFailure) ? "WARN" : "UNKNOWN",
              outcome: warnings.some(isFailure) ? "failed" : "unknown",
              text: [
                `all ${rows.length} connections and lists answer; the bot warns of ${warnings.length} ${warnings.length === 1 ? "thing" : "things"}.`,
              ],
            }
          : findings.length === 0
            ? { word: "OK", outcome: "ok", text: [`all ${rows.length} connections and lists answer.`] }
            : {
                word: rekeyed.length > 0 ? "WARN" : "UNKNOWN",
                outcome: rekeyed.length > 0 ? "failed" : "unknown",
                text: [
                  ...(rekeyed.length > 0
                    ? [
                        `${rekeyed.length} ${rekeyed.length === 1 ? "machine shows" : "machines show"} another host key; `,
                      ]
                    : []),
                  `${findings.length} of ${rows.length} could not be looked at; ${answered} answer.`,
                ],
              },
      findings: [...findings, ...warnings],
      blocks: [
        {
          kind: "table",
          columns: [{ title: "state" }, { title: "what" }, { title: "answer" }],
          rows: [...broken, ...rows.filter((row) => !row.fault)].map(line),
        },
      ],
      actions: [{ id: "again", label: "Try again", value: "" }],
      data: {
        rows: rows.map((row) => ({ what: row.what, ok: row.fault === undefined, answer: row.answer })),
      },
    };
  },
});
