import { expect, it } from "vitest";
import { nicWith, wantedNics } from "#shared/arp/wanted-nics.ts";
import { labSite, nic } from "#test/shared/checks/gathered.ts";

const eth0 = nic("eth0", ["10.4.0.20/20", "fd00::20/64"]);
const eth1 = nic("eth1", ["10.4.0.21/20"]);
const wlan0 = nic("wlan0", ["10.4.1.20/20"]);
const names = (nics: readonly ReturnType<typeof nic>[], wireless: readonly string[], site = labSite) =>
  wantedNics("dalt", nics, wireless, site).map(({ name }) => name);

it("prefers cables, by the kernel's word", () => {
  expect(names([eth0, wlan0], ["wlan0"])).toEqual(["eth0"]);
  expect(names([eth0, wlan0], ["eth0"])).toEqual(["wlan0"]);
  expect(names([eth0, eth1, wlan0], ["wlan0"])).toEqual(["eth0", "eth1"]);
});

it("takes Wi-Fi where there is nothing else, and what the site names before all", () => {
  expect(names([wlan0], ["wlan0"])).toEqual(["wlan0"]);
  const site = { ...labSite, lanNic: [{ nic: "wlan0", nodes: ["dalt"] }] };
  expect(names([eth0, wlan0], ["wlan0"], site)).toEqual(["wlan0"]);
  expect(names([nic("eth9", ["192.168.1.1/24"])], [])).toEqual([]);
});

it("finds an interface by any spelling of its address", () => {
  expect(nicWith([eth0, eth1], "10.4.0.21")?.name).toBe("eth1");
  expect(nicWith([eth0, eth1], "FD00:0::20")?.name).toBe("eth0");
  expect(nicWith([eth0, eth1], "10.4.0.22")).toBeUndefined();
  expect(nicWith([eth0], "dalt")).toBeUndefined();
});
