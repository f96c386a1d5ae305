import { expect, it } from "vitest";
import { down, judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";

const check = registered("wired-and-wifi");
const eth0 = nic("eth0", ["10.4.0.20/20"]);

const on = (wlan: ReturnType<typeof nic>, wireless = ["wlan0"]) =>
  told(
    judgedBy(check, { nodes: [visited("karstark", { "ip-addr": [eth0, wlan], "wireless-nics": wireless })] }),
  );

it.each([
  ["Wi-Fi addressed in the segment", nic("wlan0", ["10.4.1.20/20"]), ["wired-and-wifi karstark"]],
  ["Wi-Fi without an IPv4 address", nic("wlan0", ["fe80::1/64"]), ["wifi-may-answer karstark/wlan0"]],
  ["Wi-Fi in another network", nic("wlan0", ["192.168.50.7/24"]), []],
  ["Wi-Fi down", nic("wlan0", ["10.4.1.20/20"], down), []],
  ["Wi-Fi up, not associated", nic("wlan0", [], { carrier: false }), []],
] as const)("%s", (_, wlan, findings) => {
  expect(on(wlan)).toEqual(findings);
});

it("goes by the kernel's word, not by the name", () => {
  expect(on(nic("lan1", ["10.4.1.20/20"]), ["lan1"])).toEqual(["wired-and-wifi karstark"]);
  expect(on(nic("wlan0", ["10.4.1.20/20"]), [])).toEqual([]);
});

it("has nothing against a node that has Wi-Fi only", () => {
  const nodes = [
    visited("tablet", { "ip-addr": [nic("wlan0", ["10.4.1.20/20"])], "wireless-nics": ["wlan0"] }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual([]);
});

it("is unknown where either source could not be read", () => {
  const nodes = [
    visited("karstark", { "ip-addr": { fault: timedOut }, "wireless-nics": [] }),
    visited("lipps", { "ip-addr": [eth0], "wireless-nics": { fault: timedOut } }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual(["unknown timed-out", "unknown timed-out"]);
});
