import { expect, it } from "vitest";
import type { NeighbourPort } from "#shared/checks/node-probes.ts";
import { onMachine, patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { registered, told } from "./gathered.ts";
import { onTwin } from "./on-twin.ts";

const check = registered("memberlist-port");

it("passes where every speaker answers three neighbours", async () => {
  expect(told(await onTwin(healthy()).run([check]))).toEqual([]);
});

it("tells a node whose firewall drops the port, from the three that try it", async () => {
  const dropping = withFaults(healthy(), onMachine("dalt", { droppedPorts: [7946] }));
  expect(told(await onTwin(dropping).run([check]))).toEqual([
    "memberlist-filtered allyrion",
    "memberlist-filtered bettley",
    "memberlist-filtered cargyll",
  ]);
});

it("expects nobody to listen where no speaker runs", async () => {
  const { twin, run } = onTwin(healthy());
  twin.stopSpeaker("dalt");
  expect(told(await run([check]))).toEqual(["skipped: no speaker runs here"]);
});

it("is unknown without the tool, not a closed port", async () => {
  const { twin, run } = onTwin(healthy());
  twin.removeTool("allyrion", "nc");
  expect(told(await run([check]))).toEqual(["unknown missing-tool"]);
});

const neighbour = (node: string, port: NeighbourPort["port"]): NeighbourPort => ({
  node,
  address: "10.4.0.11",
  port,
});

it("has findings stand beside a neighbour that could not be tried", async () => {
  const { gather } = onTwin(healthy());
  const gathered = await gather({ checks: [check], only: ["allyrion"] });
  const { judgeAll } = await import("#shared/checks/run.ts");
  const fault = { kind: "timed-out", what: "nc", detail: "not done" } as const;
  const ports = [
    neighbour("bettley", { ok: false, fault }),
    neighbour("cargyll", { ok: true, evidence: "unreachable" }),
  ];
  const nodes = [{ node: "allyrion", probes: { "memberlist-tcp": { ok: true as const, evidence: ports } } }];
  expect(told(judgeAll([check], { ...gathered, nodes }))).toEqual(["memberlist-unreachable allyrion"]);
  const refused = [neighbour("cargyll", { ok: true, evidence: "refused" as const })];
  const dead = [{ node: "allyrion", probes: { "memberlist-tcp": { ok: true as const, evidence: refused } } }];
  expect(told(judgeAll([check], { ...gathered, nodes: dead }))).toEqual(["memberlist-refused allyrion"]);
  const open = [ports[0] as NeighbourPort, neighbour("cargyll", { ok: true, evidence: "open" })];
  const half = [{ node: "allyrion", probes: { "memberlist-tcp": { ok: true as const, evidence: open } } }];
  expect(told(judgeAll([check], { ...gathered, nodes: half }))).toEqual(["unknown timed-out"]);
});

it("does not arise with memberlist off", async () => {
  const spec = healthy();
  const off = { ...spec, metallb: { ...spec.metallb, memberlist: false } };
  const speaker = spec.objects.find(({ kind }) => kind === "daemonsets")?.object.metadata.name ?? "";
  const withoutEnv = withFaults(
    off,
    patchObject("daemonsets", speaker, {
      spec: {
        template: {
          spec: {
            containers: [
              { name: "speaker", image: "speaker:v0.16.1", env: [{ name: "METALLB_NODE_NAME", value: "x" }] },
            ],
          },
        },
      },
    }),
  );
  expect(new Set(told(await onTwin(withoutEnv).run([check])))).toEqual(
    new Set(["skipped: memberlist is off: speakers do not listen on the port"]),
  );
});
