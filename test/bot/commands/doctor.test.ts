import { expect, it } from "vitest";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { doctor } from "#bot/commands/doctor.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import { exitCode } from "#shared/reply.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { twinCluster } from "./twin-cluster.ts";

/** What the bot itself warns of. */
const warning: Finding = {
  code: "dns-snapshot-failing",
  severity: "warning",
  subject: { kind: "cluster", name: "goldentooth" },
  facts: {},
  text: ["snapshots are not kept"],
};

const examined = (
  world: ReturnType<typeof twinCluster>,
  cluster: ClusterPorts,
  warnings: readonly Finding[],
) => {
  const context = world.context({});
  const about = { version: "0", startedAt: 0, warnings: () => warnings };
  return world.clock.runUntil(doctor.handle({ ...context, deps: { ...context.deps, about }, cluster }));
};

const faulty = (kind: "host-key-changed" | "timed-out") => {
  const world = twinCluster(healthy());
  const cluster: ClusterPorts = {
    ...world.cluster,
    shell: async (target, command, options) => {
      if (target.kind === "node" && target.name === "jast")
        throw new FaultError({ kind, what: "ssh to jast", detail: "pinned SHA256:a, shown SHA256:b" });
      return world.cluster.shell(target, command, options);
    },
  };
  return examined(world, cluster, []);
};

it("a changed host key is a warning, not merely something that could not be looked at", async () => {
  const reply = await faulty("host-key-changed");
  expect(reply.findings).toContainEqual(
    expect.objectContaining({
      code: "host-key-changed",
      severity: "warning",
      subject: { kind: "node", name: "jast" },
    }),
  );
  expect(reply.verdict).toMatchObject({ word: "WARN", outcome: "failed" });
  expect(exitCode(reply)).toBe(1);
});

it("no answer stays unknown", async () => {
  const reply = await faulty("timed-out");
  expect(reply.findings).toContainEqual(
    expect.objectContaining({ code: "fault-timed-out", severity: "unknown" }),
  );
  expect(exitCode(reply)).toBe(3);
});

it("tells what the bot itself warns of, though everything answers", async () => {
  const world = twinCluster(healthy());
  const reply = await examined(world, world.cluster, [warning]);
  expect(reply.findings).toContainEqual(warning);
  expect(reply.verdict).toMatchObject({ word: "WARN", outcome: "failed" });
  expect(exitCode(reply)).toBe(1);
});

const lacking = (kinds: readonly string[]) => {
  const world = twinCluster(healthy());
  const read = (async (asked: never, signal: AbortSignal) => {
    const listed = await world.cluster.read(asked, signal);
    const absent = (kind: string) => ({ kind: "not-configured", what: `list of ${kind}`, detail: "404" });
    return { ...listed, ...Object.fromEntries(kinds.map((kind) => [kind, absent(kind)])) };
  }) as never;
  return examined(world, { ...world.cluster, read }, []);
};

it("a plain cluster lacks add-ons and is whole; without MetalLB's own kinds it is not", async () => {
  const plain = await lacking([
    "certificates",
    "clusterissuers",
    "httproutes",
    "ippools",
    "configurationstates",
  ]);
  expect(plain.verdict).toMatchObject({ word: "OK" });
  expect(JSON.stringify(plain.blocks)).toContain("not installed here");
  for (const kind of ["ipaddresspools", "services", "endpointslices", "ingresses"]) {
    const reply = await lacking([kind]);
    expect(reply.verdict, kind).toMatchObject({ outcome: "unknown" });
  }
});
