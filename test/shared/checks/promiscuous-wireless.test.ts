import { expect, it } from "vitest";
import { down, judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";

const check = registered("promiscuous-wireless");

const on = (wlan: ReturnType<typeof nic>, wireless = ["wlan0"]) =>
  told(
    judgedBy(check, {
      nodes: [
        visited("karstark", {
          "ip-addr": [nic("eth0", ["10.4.0.20/20"], { promiscuity: 1 }), wlan],
          "wireless-nics": wireless,
        }),
      ],
    }),
  );

it.each([
  ["by a capture", { promiscuity: 1 }, ["promiscuous-wireless karstark/wlan0"]],
  ["by a bridge", { promiscuity: 1, master: "br0" }, ["promiscuous-wireless karstark/wlan0"]],
  [
    "by hand, told by the flag alone",
    { flags: ["UP", "LOWER_UP", "PROMISC"] },
    ["promiscuous-wireless karstark/wlan0"],
  ],
  ["by nobody", { promiscuity: 0 }, []],
  ["not told", {}, ["unknown unreadable"]],
  ["down", { ...down, promiscuity: 1 }, ["skipped: no wireless interface is up"]],
] as const)("promiscuous %s", (_, more, findings) => {
  expect(on(nic("wlan0", ["10.4.1.20/20"], more))).toEqual(findings);
});

it("has nothing against a cable, whatever its name is", () => {
  expect(on(nic("wlan0", ["10.4.1.20/20"], { promiscuity: 1 }), [])).toEqual([
    "skipped: no wireless interface is up",
  ]);
});

it("is unknown where a source could not be read", () => {
  const nodes = [visited("karstark", { "ip-addr": { fault: timedOut }, "wireless-nics": ["wlan0"] })];
  expect(told(judgedBy(check, { nodes }))).toEqual(["unknown timed-out"]);
});
