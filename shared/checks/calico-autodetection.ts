import { candidates, methodOf } from "../calico/autodetection.ts";
import { isFault } from "../fault.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, passed, skipped, unknown } from "./check.ts";

export const calicoAutodetection = defineCheck({
  id: "calico-autodetection",
  about: "node",
  title: "Calico's autodetection has one interface to choose from",
  codes: ["calico-autodetection"],
  page: {
    why: `calico-node looks for its address at every start and every 60 seconds after. \`first-found\`, its default,
takes the addressed interface with the highest index, up or not. \`cidr=\` cannot tell two interfaces in one network
apart, and the expressions of \`interface=\` are not anchored: \`eth\` matches veth0 and eth1. Where the method fits two
interfaces of a node, the address that works today can move tomorrow, when Wi-Fi comes up.`,
    looks: `Nothing, until a node restarts or its Wi-Fi gets an address. Then pods of that node lose contact for a while,
and calico-node logs \`Using autodetected IPv4 address on interface\` with another name than before.`,
    fix: `Choose a method that fits one interface: \`kubernetes-internal-ip\` with kubelet's \`--node-ip\` set,
\`interface=^eth0$\`, or \`skip-interface=^wl.*\`. With the operator it is \`nodeAddressAutodetectionV4\` of the Installation,
else \`IP_AUTODETECTION_METHOD\` of the DaemonSet. The roll-out moves announced addresses off each node in turn: one at a
time, apart from other changes. To go back, restore the former value.`,
  },
  needs: ["ip-addr"],
  reads: ["daemonsets"],
  judge: ({ node, "ip-addr": nics }, { raw }) => {
    const detected = methodOf(raw.daemonsets);
    if (detected === undefined) return skipped("no DaemonSet calico-node");
    if (isFault(detected)) return unknown(detected);
    const { method } = detected;
    const fitting = candidates(method, nics);
    if (fitting === undefined) return passed;
    if (isFault(fitting)) return unknown(fitting);
    const [first] = fitting;
    if (first === undefined || fitting.length === 1) return passed;
    const names = fitting.map(({ name }) => name);
    return judged([
      found({
        code: "calico-autodetection",
        severity: "warning",
        node,
        facts: { method, candidates: names, takes: first.name },
        text: text`Calico's method ${code(method)} fits ${nameList(names)}; it takes ${first.name}, the highest index`,
        remedy: text`Set a method that fits one interface: ${code("/nodes explain calico-autodetection")}`,
      }),
    ]);
  },
});
