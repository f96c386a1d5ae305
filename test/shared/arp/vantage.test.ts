import { expect, it } from "vitest";
import { arpVantages, machineOf } from "#shared/arp/vantage.ts";
import type { Vantage } from "#shared/site/site.ts";

const vantage = (name: string, place: Vantage["place"], clusterNode?: string): Vantage => ({
  name,
  place,
  access: "local",
  ...(clusterNode === undefined ? {} : { clusterNode }),
});

it("prefers wired hosts, then Wi-Fi, then nodes; never what is behind a router", () => {
  const all = [
    vantage("node", "lan-wired", "bettley"),
    vantage("guest", "behind-router"),
    vantage("laptop", "lan-wifi"),
    vantage("ops-host", "lan-wired"),
  ];
  expect(arpVantages(all).map(({ name }) => name)).toEqual(["ops-host", "laptop", "node"]);
});

it("is one machine under two names, as far as frames are counted", () => {
  const access = {
    host: "10.4.0.5",
    port: 22,
    user: "a",
    identityFile: "k",
    knownHostsFile: "h",
    sudo: false,
  };
  expect(machineOf({ ...vantage("a", "lan-wired"), access })).toBe(
    machineOf({ ...vantage("b", "lan-wired"), access: { ...access, user: "b" } }),
  );
});
