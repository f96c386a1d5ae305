import { isAddressedIn } from "../arp/mac-table.ts";
import type { Finding } from "../finding.ts";
import { disableWirelessFix } from "../node-network/disable-wireless-fix.ts";
import { code, join, text } from "../text.ts";
import { defineCheck, found, judged } from "./check.ts";

export const wiredAndWifi = defineCheck({
  id: "wired-and-wifi",
  about: "node",
  title: "Wired and wireless are not both active in the LAN segment",
  codes: ["wired-and-wifi", "wifi-may-answer"],
  page: {
    why: `A MetalLB speaker answers ARP on every interface that is up, has no master and is not excluded. An IPv4
address on it is not required. A node that is in the segment twice, by cable and by Wi-Fi, therefore answers for one
address with two MACs; clients and switches keep whichever answer came last. The kernel adds to it: with default
settings it answers for any of its addresses on any interface (ARP flux). Access points also delay or drop broadcasts,
so the wireless answer is the worse one.`,
    looks: `\`/arping\` reports two MACs of one node. Connections to addresses that this node announces hang for some
clients and work for others, and which ones changes within minutes. The router's ARP table shows the wireless MAC.`,
    fix: `Disable Wi-Fi on the node for good: \`/nodes fix NODE wired-and-wifi\` prints the change for the node's own
network manager with its way back, or says what stands in the way. On a Raspberry Pi \`dtoverlay=disable-wifi\` in
\`config.txt\` does it too. \`ip link set wlan0 down\` alone is undone by the network
manager or the next start. First make sure that the InternalIP, the CNI's address and your own SSH session do not use
the wireless interface. To go back, take the line out again and restart. Where Wi-Fi has to stay, name the wired
interface under \`interfaces\` in every L2Advertisement that selects the pool.`,
  },
  common: "have Wi-Fi on beside the cable",
  fix: disableWirelessFix("wired-and-wifi", ({ nics, wireless, site }) =>
    nics.filter(
      (nic) =>
        wireless.includes(nic.name) &&
        nic.up &&
        nic.carrier &&
        nic.master === undefined &&
        (isAddressedIn(nic, site.lanPrefix) || nic.addresses.every(({ family }) => family === 6)),
    ),
  ),
  needs: ["ip-addr", "wireless-nics"],
  reads: [],
  judge: ({ node, "ip-addr": nics, "wireless-nics": wireless }, { site }) => {
    const active = nics.filter(({ up, carrier, master }) => up && carrier && master === undefined);
    const inLan = active.filter((nic) => isAddressedIn(nic, site.lanPrefix));
    const wired = inLan.filter(({ name }) => !wireless.includes(name)).map(({ name }) => name);
    const wifi = inLan.filter(({ name }) => wireless.includes(name)).map(({ name }) => name);
    if (wired.length === 0) return judged([]);
    const findings: Finding[] = [];
    if (wifi.length > 0)
      findings.push(
        found({
          code: "wired-and-wifi",
          severity: "error",
          node,
          facts: { wired, wireless: wifi, lanPrefix: site.lanPrefix },
          text: text`${join([...wired, ...wifi], " and ")} both up in ${site.lanPrefix}`,
          remedy: text`Turn ${join(wifi, ", ")} off for good: ${code(`/nodes fix ${node} wired-and-wifi`)}`,
        }),
      );
    // In whose segment a radio without an address is, nothing here tells; the speaker answers on it all the same.
    for (const { name, addresses } of active)
      if (wireless.includes(name) && addresses.every(({ family }) => family === 6))
        findings.push(
          found({
            code: "wifi-may-answer",
            severity: "warning",
            node,
            nic: name,
            facts: { wired, wireless: name },
            text: text`${name} is up and associated without an IPv4 address; a speaker answers ARP on it too`,
            remedy: text`Turn ${name} off for good: ${code(`/nodes fix ${node} wired-and-wifi`)}`,
          }),
        );
    return judged(findings);
  },
});
