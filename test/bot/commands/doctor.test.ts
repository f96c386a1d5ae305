import { expect, it } from "vitest";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { doctor } from "#bot/commands/doctor.ts";
import { FaultError } from "#shared/fault.ts";
import { exitCode } from "#shared/reply.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { twinCluster } from "./twin-cluster.ts";

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
  return world.clock.runUntil(doctor.handle({ ...world.context({}), cluster }));
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
