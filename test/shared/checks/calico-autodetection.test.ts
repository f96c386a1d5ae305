import { expect, it } from "vitest";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "calico-autodetection";
const eth0 = nic("eth0", ["10.4.0.20/20"], { index: 2 });
const wlan0 = nic("wlan0", ["10.4.1.20/20"], { index: 3 });
const risky = ["calico-autodetection karstark"];

type Env = readonly Readonly<{ name: string; value?: string; valueFrom?: unknown }>[];

const calicoNode = (env: Env | undefined, name = "calico-node") => ({
  metadata: { name: "calico-node", namespace: "calico-system" },
  spec: { template: { spec: { containers: [{ name, ...(env === undefined ? {} : { env }) }] } } },
});
const on = (
  env: Env | undefined,
  nics: readonly ReturnType<typeof nic>[] = [eth0, wlan0],
  container = "calico-node",
) =>
  told(
    judgedBy(registered(id), {
      nodes: [visited("karstark", { "ip-addr": nics })],
      lists: { daemonsets: [calicoNode(env, container)] },
    }),
  );
const method = (value: string): Env => [{ name: "IP_AUTODETECTION_METHOD", value }];

it("passes on a site with nothing wrong, although its method is first-found", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("names what the method takes: the highest index", async () => {
  const findings = await findingsOn(id, { spec: goldentooth() });
  expect(findings.map(({ subject }) => subject.name)).toEqual(["karstark", "lipps"]);
  expect(findings[0]).toMatchObject({
    severity: "warning",
    facts: { method: "first-found", candidates: ["wlan0", "eth0"], takes: "wlan0" },
  });
});

it.each([
  ["first-found by default", undefined, risky],
  ["first-found", method("first-found"), risky],
  ["an expression without anchors", method("interface=e.*,w"), risky],
  ["an expression that fits one", method("interface=eth0"), []],
  ["an anchored expression", method("interface=^eth0$"), []],
  ["a prefix that holds both", method("cidr=10.4.0.0/20"), risky],
  ["a prefix that holds one", method("cidr=10.4.1.0/24, 192.168.0.0/16"), []],
  ["Wi-Fi left out", method("skip-interface=^wl.*"), []],
  ["something else left out", method("skip-interface=^usb"), risky],
  ["kubelet's address", method("kubernetes-internal-ip"), []],
  ["the way to a host", method("can-reach=10.4.0.1"), []],
  ["a given address", [{ name: "IP", value: "10.4.0.20" }], []],
  ["an expression that is none", method("interface=eth("), ["unknown unreadable"]],
  [
    "a value from elsewhere",
    [{ name: "IP_AUTODETECTION_METHOD", valueFrom: { configMapKeyRef: { name: "x", key: "y" } } }],
    ["unknown not-modelled"],
  ],
] as const)("%s", (_, env, said) => {
  expect(on(env)).toEqual(said);
});

it("leaves out what Calico leaves out, except by interface=", () => {
  const docker = nic("docker0", ["172.17.0.1/16"], { index: 9 });
  const tunnel = nic("vxlan.calico", ["172.16.0.1/32"], { index: 10 });
  expect(on(undefined, [eth0, docker, tunnel])).toEqual([]);
  expect(on(method("interface=0"), [eth0, docker])).toEqual(risky);
});

it("takes a link-local address for none", () => {
  const local = { family: 4 as const, address: "169.254.1.1", prefixLength: 16, scope: "link" };
  expect(on(undefined, [eth0, nic("usb0", [], { addresses: [local] })])).toEqual([]);
});

it("is unknown where it could not look, and no question without Calico", () => {
  const lists = { daemonsets: [calicoNode(undefined)] };
  const nodes = [visited("karstark", { "ip-addr": { fault: timedOut } })];
  expect(told(judgedBy(registered(id), { nodes, lists }))).toEqual(["unknown timed-out"]);
  expect(on(undefined, [eth0], "another")).toEqual(["unknown unreadable"]);
  const seen = [visited("karstark", { "ip-addr": [eth0] })];
  expect(told(judgedBy(registered(id), { nodes: seen, lists: { daemonsets: [] } }))).toEqual([
    "skipped: no DaemonSet calico-node",
  ]);
});
