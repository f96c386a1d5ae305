import { expect, it } from "vitest";
import { predict } from "#shared/metallb/announcer.ts";
import { parseMetalLbObjects } from "#shared/metallb/resources.ts";
import { patchObject, type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { judgedBy, registered, told } from "./gathered.ts";
import { withoutEnv } from "./metallb-faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "leader-not-ready";
const notReady = (node: string, status = "Unknown"): SiteFault =>
  patchObject("nodes", node, { status: { conditions: [{ type: "Ready", status }] } });
const memberlistOff = withoutEnv("METALLB_ML_BIND_ADDR", "METALLB_ML_LABELS");

const { objects } = parseMetalLbObjects(withFaults(healthy()).objects.map(({ object }) => object));
const leaders = predict(objects).addresses.map(({ order }) => order[0] as string);
const leader = leaders[0] as string;
const never = objects.nodes.map(({ name }) => name).find((name) => !leaders.includes(name)) as string;

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("finds a dead node that nobody notices without memberlist", async () => {
  const [finding, ...others] = await findingsOn(id, { faults: [memberlistOff, notReady(leader)] });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: id,
    severity: "error",
    subject: { kind: "node", name: leader },
    facts: { memberlist: "off" },
  });
  expect((finding?.facts.addresses as string[]).length).toBe(
    leaders.filter((name) => name === leader).length,
  );
});

it("warns where memberlist still counts it in", async () => {
  const [finding] = await findingsOn(id, { faults: [notReady(leader, "False")] });
  expect(finding).toMatchObject({ severity: "warning", facts: { memberlist: "on" } });
});

it("has nothing against a node that is elected for nothing", async () => {
  expect(await saidOn(id, { faults: [memberlistOff, notReady(never)] })).toEqual([]);
});

it("is unknown where the election is, and where a kind could not be listed", async () => {
  expect(await saidOn(id, { denied: ["endpointslices"] })).toEqual(["unknown denied"]);
  const item = (name: string, spec: unknown) => ({ metadata: { name, namespace: "metallb" }, spec });
  const lists = {
    nodes: [{ metadata: { name: "a" }, status: { conditions: [{ type: "Ready", status: "False" }] } }],
    pods: [],
    daemonsets: [],
    services: [
      {
        ...item("web", { type: "LoadBalancer" }),
        status: { loadBalancer: { ingress: [{ ip: "10.4.11.1" }] } },
      },
    ],
    endpointslices: [],
    ipaddresspools: [
      item("one", { addresses: ["10.4.11.0/24"] }),
      item("two", { addresses: ["10.4.11.0/25"] }),
    ],
    l2advertisements: [],
  };
  expect(told(judgedBy(registered(id), { lists }))).toEqual(["unknown not-modelled"]);
  const none = { ...lists, services: [] };
  expect(told(judgedBy(registered(id), { lists: none }))).toEqual(["skipped: no Service has an address"]);
});
