import { expect, it } from "vitest";
import type { ArpSysctls } from "#shared/probes/node-arp-sysctls.ts";
import { judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";
import { saidOn } from "./on-site.ts";

const id = "ipvs-strict-arp";
const eth0 = nic("eth0", ["10.4.0.20/20"]);
const ipvs = nic("kube-ipvs0", ["10.4.11.1/32"], { kind: "dummy", flags: ["BROADCAST", "NOARP"] });

const sysctls = (
  all: readonly [ignore: number, announce: number],
  own: readonly [ignore: number, announce: number] = [0, 0],
): ArpSysctls => ({
  byNic: new Map(
    Object.entries({ all, eth0: own }).map(([name, [ignore, announce]]) => [
      name,
      { arp_ignore: ignore, arp_announce: announce },
    ]),
  ),
});
const kubeProxy = (text: string) => ({
  metadata: { name: "kube-proxy", namespace: "kube-system" },
  data: { "config.conf": text },
});
const strict = kubeProxy('mode: "ipvs"\nipvs:\n  strictARP: true\n');
const loose = kubeProxy('mode: "ipvs"\nipvs:\n  strictARP: false\n');
const on = (
  settings: ArpSysctls | { fault: typeof timedOut },
  configmaps: readonly ReturnType<typeof kubeProxy>[],
  nics = [eth0, ipvs],
) =>
  told(
    judgedBy(registered(id), {
      nodes: [visited("dalt", { "ip-addr": nics, "arp-sysctls": settings })],
      lists: { configmaps },
    }),
  );

it("has no question where kube-proxy does not use IPVS, whatever its configuration says", async () => {
  const skipped = ["skipped: no kube-ipvs0: kube-proxy does not use IPVS here"];
  expect(await saidOn(id)).toEqual(skipped);
  expect(on(sysctls([0, 0]), [loose], [eth0])).toEqual(skipped);
});

it.each([
  ["the kernel's defaults", sysctls([0, 0]), [loose], ["ipvs-strict-arp dalt"]],
  ["k3s, without a ConfigMap", sysctls([0, 0]), [], ["ipvs-strict-arp dalt"]],
  ["half of it", sysctls([1, 0]), [loose], ["ipvs-strict-arp dalt"]],
  ["told, not applied", sysctls([0, 0]), [strict], ["ipvs-strict-arp-not-applied dalt"]],
  ["told and applied", sysctls([1, 2]), [strict], []],
  ["applied on k3s", sysctls([1, 2]), [], []],
  ["set on the interface alone", sysctls([0, 0], [1, 2]), [loose], ["ipvs-strict-arp-not-set dalt"]],
  ["a configuration that is none", sysctls([1, 2]), [kubeProxy("mode: [")], ["unknown unreadable"]],
  ["a configuration of another shape", sysctls([1, 2]), [kubeProxy("ipvs: 7")], ["unknown unreadable"]],
] as const)("%s", (_, settings, maps, said) => {
  expect(on(settings, [...maps])).toEqual(said);
});

it("is unknown where settings or ConfigMap could not be read", async () => {
  expect(on({ fault: timedOut }, [strict])).toEqual(["unknown timed-out"]);
  const bare: ArpSysctls = { byNic: new Map([["all", { arp_ignore: 1, arp_announce: 2 }]]) };
  expect(on(bare, [strict])).toEqual(["unknown unreadable"]);
  expect(await saidOn(id, { denied: ["configmaps"] })).toEqual(["unknown denied"]);
});
