import { isAddressedIn } from "../arp/mac-table.ts";
import type { Finding } from "../finding.ts";
import { code, join, text } from "../text.ts";
import { defineCheck, found, judged, skipped } from "./check.ts";

export const duplicateMac = defineCheck({
  id: "duplicate-mac",
  about: "cluster",
  title: "No two nodes share a MAC in the LAN",
  codes: ["duplicate-mac"],
  page: {
    why: `A switch delivers frames for a MAC to the port it saw it on last. Two nodes with one MAC, which cloned
virtual machines and copied network profiles bring about, take turns in receiving each other's traffic. An ARP answer
with that MAC proves nothing about which of them announces.`,
    looks: `Connections to both nodes break every few seconds; the switch logs "MAC flapping" between two ports;
\`/arping\` names several nodes as owner of one MAC.`,
    fix: `Give one of them another MAC: regenerate it in the hypervisor, or remove \`cloned-mac-address\`,
\`MACAddress=\` or \`hwaddress\` from the copied profile, and restart the interface. Do it from the console, since
SSH to either of them is unsure. To go back, restore the line.`,
  },
  needs: ["ip-addr"],
  reads: [],
  judge: (nodes, { site }) => {
    // Software bridges, tunnels and pod interfaces reuse MACs freely (Calico gives every veth ee:ee:ee:ee:ee:ee, older
    // Docker made docker0's from its address), and two routers of one VRRP group share theirs on purpose (RFC 9568).
    const hardware = nodes.flatMap(({ node, "ip-addr": nics }) =>
      nics.flatMap((nic) => {
        const inLan = isAddressedIn(nic, site.lanPrefix);
        const isHardware = nic.linkType === "ether" && nic.kind === undefined;
        if (nic.mac === undefined || !(isHardware || inLan) || nic.mac.startsWith("00:00:5e:00:01:"))
          return [];
        return [{ node, nic: nic.name, mac: nic.mac, inLan }];
      }),
    );
    if (nodes.length < 2) return skipped("fewer than two nodes to compare");
    const byMac = Map.groupBy(hardware, ({ mac }) => mac);
    return judged(
      [...byMac].flatMap(([mac, users]): Finding[] => {
        const owners = [...new Set(users.map(({ node }) => node))];
        // Gadgets and unused ports of one make can share a MAC without ever meeting on a wire.
        if (owners.length < 2 || !users.some(({ inLan }) => inLan)) return [];
        return owners.map((node) => {
          const nic = users.find((each) => each.node === node)?.nic ?? "";
          const others = owners.filter((each) => each !== node);
          return found({
            code: "duplicate-mac",
            severity: "error",
            node,
            nic,
            facts: { mac, nodes: owners },
            text: text`${nic} has the MAC ${mac} of ${join(others, ", ")}`,
            remedy: text`Give one of them another MAC: ${code("/nodes explain duplicate-mac")}`,
          });
        });
      }),
    );
  },
});
