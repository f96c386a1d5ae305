import { expect, it } from "vitest";
import { addObject } from "#shared/twin/sites/faults.ts";
import { judgedBy, registered, timedOut, told, visited } from "./gathered.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "calico-ebpf";
const felix = (spec: Readonly<Record<string, unknown>>, name = "default") =>
  addObject("felixconfigurations", { name }, { spec });
const on = { bpfEnabled: true };

it("passes on a site with nothing wrong, and with the dataplane off", async () => {
  expect(await saidOn(id)).toEqual([]);
  expect(await saidOn(id, { faults: [felix({ bpfEnabled: false, bpfExternalServiceMode: "DSR" })] })).toEqual(
    [],
  );
});

it("remarks that it is on", async () => {
  const [finding] = await findingsOn(id, { faults: [felix(on)] });
  expect(finding).toMatchObject({ code: id, severity: "info" });
  expect((finding?.facts.nodes as string[]).length).toBe(13);
});

it("warns of direct replies", async () => {
  const [finding, ...others] = await findingsOn(id, {
    faults: [felix({ ...on, bpfExternalServiceMode: "DSR" })],
  });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ code: "calico-ebpf-dsr", severity: "warning" });
});

it("finds LAN interfaces without the programs", async () => {
  const [finding, ...others] = await findingsOn(id, {
    faults: [felix({ ...on, bpfDataIfacePattern: "^en.*" })],
  });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ code: "calico-ebpf-nic", severity: "error" });
  expect((finding?.facts.uncovered as unknown[]).length).toBe(13);
  expect(await saidOn(id, { faults: [felix({ ...on, bpfDataIfacePattern: "^(en|eth).*" })] })).toEqual([
    `${id} goldentooth`,
  ]);
});

it("takes a node's own settings over the default's, field by field", async () => {
  const usual = felix({ ...on, bpfDataIfacePattern: "^en.*" });
  const [finding] = await findingsOn(id, {
    faults: [
      usual,
      felix({ bpfDataIfacePattern: "^eth.*" }, "node.dalt"),
      felix({ bpfEnabled: false }, "node.fenn"),
    ],
  });
  const nodes = (finding?.facts.uncovered as { node: string }[]).map(({ node }) => node);
  expect(nodes.length).toBe(11);
  expect(nodes).not.toContain("dalt");
  expect(nodes).not.toContain("fenn");
});

it("is unknown where an expression, an object or a node could not be read", async () => {
  expect(await saidOn(id, { faults: [felix({ ...on, bpfDataIfacePattern: "^(" })] })).toEqual([
    "unknown unreadable",
  ]);
  expect(await saidOn(id, { faults: [felix({ bpfEnabled: "yes" })] })).toEqual(["unknown unreadable"]);
  expect(await saidOn(id, { strange: ["felixconfigurations"] })).toEqual([
    "skipped: the cluster does not know felixconfigurations",
  ]);
  const nodes = [visited("dalt", { "ip-addr": { fault: timedOut }, "wireless-nics": [] })];
  expect(told(judgedBy(registered(id), { nodes, lists: { felixconfigurations: [] } }))).toEqual([
    "unknown timed-out",
  ]);
});
