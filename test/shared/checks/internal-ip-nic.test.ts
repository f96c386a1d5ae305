import { expect, it } from "vitest";
import { patchObject, wifiOn } from "#shared/twin/sites/faults.ts";
import { judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";
import { saidOn } from "./on-site.ts";

const internalIp = (node: string, address: string) =>
  patchObject("nodes", node, { status: { addresses: [{ type: "InternalIP", address }] } });
const nodeObject = (name: string, address: string) => ({
  metadata: { name },
  status: { addresses: [{ type: "InternalIP", address }] },
});
const on = (nics: ReturnType<typeof nic>[], address: string, wireless: readonly string[] = []) =>
  told(
    judgedBy(registered("internal-ip-nic"), {
      nodes: [visited("dalt", { "ip-addr": nics, "wireless-nics": wireless })],
      lists: { nodes: [nodeObject("dalt", address)] },
    }),
  );

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn("internal-ip-nic")).toEqual([]);
});

it("finds a node that registered by its Wi-Fi", async () => {
  const faults = [wifiOn("dalt", "10.4.1.13/20"), internalIp("dalt", "10.4.1.13")];
  expect(await saidOn("internal-ip-nic", { faults })).toEqual(["internal-ip-nic dalt/wlan0"]);
});

it.each([
  ["on none of them", [nic("eth0", ["10.4.0.20/20"])], "10.4.0.99", [], ["internal-ip-absent dalt"]],
  [
    "in a cluster network of its own",
    [nic("eth0", ["10.4.0.20/20"]), nic("eth1", ["10.99.0.20/24"])],
    "10.99.0.20",
    [],
    ["internal-ip-other-network dalt/eth1"],
  ],
  ["Wi-Fi is all there is", [nic("wlan0", ["10.4.0.20/20"])], "10.4.0.20", ["wlan0"], []],
  [
    "two wired interfaces in the segment",
    [nic("eth0", ["10.4.0.20/20"]), nic("eth1", ["10.4.0.21/20"])],
    "10.4.0.21",
    [],
    [],
  ],
  [
    "no interface in the segment",
    [nic("eth1", ["10.99.0.20/24"])],
    "10.99.0.20",
    [],
    ["skipped: no interface of the node is in 10.4.0.0/20"],
  ],
  [
    "another family",
    [nic("eth0", ["10.4.0.20/20"])],
    "fd00::20",
    [],
    ["skipped: the Node has no InternalIP of family IPv4"],
  ],
] as const)("%s", (_, nics, address, wireless, said) => {
  expect(on([...nics], address, wireless)).toEqual(said);
});

it("is unknown without the interfaces, and for a node that the API does not list", async () => {
  const check = registered("internal-ip-nic");
  const lists = { nodes: [nodeObject("dalt", "10.4.0.20")] };
  const unread = [visited("dalt", { "ip-addr": { fault: timedOut }, "wireless-nics": [] })];
  expect(told(judgedBy(check, { nodes: unread, lists }))).toEqual(["unknown timed-out"]);
  const stranger = [visited("fenn", { "ip-addr": [nic("eth0")], "wireless-nics": [] })];
  expect(told(judgedBy(check, { nodes: stranger, lists }))).toEqual(["unknown not-configured"]);
});
