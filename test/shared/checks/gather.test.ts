import { describe, expect, it } from "vitest";
import { checks } from "#shared/checks/all.ts";
import type { Check } from "#shared/checks/check.ts";
import type { NodeProbeId } from "#shared/checks/node-probes.ts";
import { nodeProbes } from "#shared/checks/node-probes.ts";
import { FaultError } from "#shared/fault.ts";
import { onMachine, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { onTwin } from "./on-twin.ts";

const everyProbe: Check = {
  ...(checks[0] as Check),
  about: "node",
  needs: Object.keys(nodeProbes) as NodeProbeId[],
  reads: [],
  judge: () => ({ outcome: "passed" }),
};

describe("visiting the nodes", () => {
  it("brings every probe of every node in one exec each", async () => {
    const execs: string[] = [];
    const { gather } = onTwin(healthy(), (ports) => ({
      ...ports,
      shell: (target, command, options) => {
        execs.push(`${target.name} ${command.argv[0]}`);
        return ports.shell(target, command, options);
      },
    }));
    const { nodes } = await gather({ checks: [everyProbe] });
    expect(execs.length).toBe(13);
    expect(new Set(execs).size).toBe(13);
    const faults = nodes.flatMap(({ node, probes }) =>
      Object.entries(probes).flatMap(([id, answer]) =>
        answer.ok ? [] : [`${node} ${id} ${answer.fault.detail}`],
      ),
    );
    expect(faults).toEqual([]);
    const karstark = nodes.find(({ node }) => node === "karstark");
    expect(karstark?.probes["wireless-nics"]).toEqual({ ok: true, evidence: ["wlan0"] });
    expect(karstark?.probes["memberlist-tcp"]).toMatchObject({
      evidence: [{ node: "lipps" }, { node: "velaryon" }, { node: "allyrion" }].map(({ node }) => ({
        node,
        port: { ok: true, evidence: "open" },
      })),
    });
    expect(nodes.map(({ probes }) => Object.keys(probes).length)).toEqual(
      nodes.map(() => Object.keys(nodeProbes).length),
    );
  });

  it("lets no dead, frozen or refusing node delay or spoil the others", async () => {
    const { gather, twin, ports } = onTwin(healthy(), (inner) => ({
      ...inner,
      shell: (target, command, options) =>
        target.name === "fenn"
          ? Promise.reject(
              new FaultError({ kind: "refused", what: "ssh to fenn", detail: "connection refused" }),
            )
          : inner.shell(target, command, options),
    }));
    twin.setPower("dalt", false);
    twin.hang("jast", true);
    const startedAt = ports.clock.now();
    const seen: string[] = [];
    const { nodes } = await gather({
      checks: [everyProbe],
      onProgress: (done, total) => seen.push(`${done} of ${total} at ${ports.clock.now() - startedAt}`),
    });
    const answered = nodes.filter(({ unreached, probes }) => !unreached && probes["ip-addr"]?.ok);
    expect(answered.length).toBe(10);
    const of = (name: string) => nodes.find(({ node }) => node === name);
    expect(of("fenn")?.unreached?.kind).toBe("refused");
    expect(of("dalt")?.unreached?.kind).toBe("unreachable");
    expect(of("jast")?.unreached).toMatchObject({ kind: "timed-out", detail: "no answer in 20 s" });
    // Neighbours of the two find the port silent, which takes two seconds each.
    expect(seen[11]).toMatch(/^11 of 13 at [0-6]\d{3}$/);
    expect(seen.at(-1)).toBe("13 of 13 at 20000");
  });

  it("gives what came before the node's time was over", async () => {
    const slow = withFaults(healthy(), onMachine("bettley", { droppedPorts: [7946] }));
    const { gather } = onTwin(slow);
    const { nodes } = await gather({
      checks: [everyProbe],
      only: ["allyrion"],
      limits: { nodesAtOnce: 1, perNodeMs: 1_000, wholeRunMs: 60_000 },
    });
    expect(nodes[0]?.unreached).toBeUndefined();
    expect(nodes[0]?.probes["ip-addr"]?.ok).toBe(true);
    expect(nodes[0]?.probes["memberlist-tcp"]).toMatchObject({
      ok: true,
      evidence: [
        { node: "bettley", port: { ok: false, fault: { kind: "timed-out" } } },
        { node: "cargyll", port: { ok: false, fault: { kind: "timed-out" } } },
        { node: "dalt", port: { ok: false, fault: { kind: "timed-out" } } },
      ],
    });
  });

  it("ends the whole run in its time, and says so of nodes it did not come to", async () => {
    const { gather, twin, ports } = onTwin(healthy());
    for (const { name } of healthy().nodes) twin.hang(name, true);
    const startedAt = ports.clock.now();
    const { nodes } = await gather({
      checks: [everyProbe],
      limits: { nodesAtOnce: 2, perNodeMs: 20_000, wholeRunMs: 30_000 },
    });
    expect(ports.clock.now() - startedAt).toBe(30_000);
    expect(nodes.length).toBe(13);
    expect(nodes.filter(({ unreached }) => unreached?.kind === "cancelled").length).toBe(11);
  });

  it("takes names from the config when the API is down, and knows no neighbours then", async () => {
    const fault = { kind: "unreachable", what: "list of nodes", detail: "connection refused" } as const;
    const access = { host: "h", port: 22, user: "u", identityFile: "k", knownHostsFile: "h", sudo: false };
    const { gather } = onTwin(healthy(), (ports) => ({
      ...ports,
      config: {
        ...ports.config,
        nodes: [
          { name: "karstark", access },
          { name: "dalt", access },
        ],
      },
      read: async (kinds) =>
        Object.fromEntries(kinds.map((kind) => [kind, fault])) as unknown as Awaited<
          ReturnType<typeof ports.read<(typeof kinds)[number]>>
        >,
    }));
    const { nodes } = await gather({ checks: [everyProbe] });
    expect(nodes.map(({ node }) => node)).toEqual(["dalt", "karstark"]);
    expect(nodes[0]?.probes["ip-addr"]?.ok).toBe(true);
    expect(nodes[0]?.probes["memberlist-tcp"]).toMatchObject({
      ok: false,
      fault: { kind: "not-configured" },
    });
  });

  it("says which tool is missing when no command can be bounded", async () => {
    const { gather, twin } = onTwin(healthy());
    twin.removeTool("dalt", "timeout");
    const { nodes } = await gather({ checks: [everyProbe], only: ["dalt"] });
    expect(nodes[0]?.probes["ip-addr"]).toMatchObject({
      ok: false,
      fault: { kind: "missing-tool", what: "timeout" },
    });
  });
});
