import { isAddressedIn } from "../arp/mac-table.ts";
import { nicWith, wantedNics } from "../arp/wanted-nics.ts";
import type { Finding } from "../finding.ts";
import { parseIp } from "../metallb/ip.ts";
import { noNodeObject } from "../metallb/own-objects.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";

export const internalIpNic = defineCheck({
  id: "internal-ip-nic",
  about: "node",
  title: "The InternalIP is on the LAN interface",
  codes: ["internal-ip-nic", "internal-ip-absent", "internal-ip-other-network"],
  page: {
    why: `Kubelet registers the first address that it finds unless it is told which one to take. A node that came up
while its Wi-Fi was faster than its cable registers the wireless address: API server, memberlist and the network plugin
then reach the node over Wi-Fi, and everything that counts on the InternalIP looks at the wrong interface. Turning that
interface off takes the node out of the cluster.`,
    looks: `\`kubectl get nodes -o wide\` shows an address that belongs to another interface than on the other nodes.
\`kubectl logs\` and \`exec\` are slow or time out on that node alone. MetalLB's speakers log failed memberlist probes of
it. Addresses move away from the node and back without a reason that anybody sees.`,
    fix: `Give kubelet \`--node-ip\` with the address of the LAN interface (k3s and RKE2: \`node-ip:\` in their config
file) and restart it with the node drained. Check that Node and network plugin have followed before the other interface is
touched. To go back, take the option out and restart kubelet. Where nodes have a network of their own for the cluster,
nothing needs to change: that is told as a remark only.`,
  },
  needs: ["ip-addr", "wireless-nics"],
  reads: ["nodes"],
  judge: ({ node, "ip-addr": nics, "wireless-nics": wireless }, { site, objects }) => {
    const object = objects.nodes.find(({ name }) => name === node);
    if (object === undefined) return unknown(noNodeObject(node));
    const family = site.lanPrefix.includes(":") ? 6 : 4;
    const internal = object.addresses.filter(
      ({ type, address }) => type === "InternalIP" && parseIp(address)?.family === family,
    );
    if (internal.length === 0) return skipped(`the Node has no InternalIP of family IPv${family}`);
    const wanted = wantedNics(node, nics, wireless, site);
    const names = wanted.map(({ name }) => name);
    const findings: Finding[] = [];
    for (const { address } of internal) {
      const nic = nicWith(nics, address);
      const facts = { address, nic: nic?.name ?? null, lanNic: names, lanPrefix: site.lanPrefix };
      if (nic === undefined)
        findings.push(
          found({
            code: "internal-ip-absent",
            severity: "error",
            node,
            facts,
            text: text`InternalIP ${address} is on none of the node's interfaces`,
            remedy: text`Give the address back or set kubelet's ${code("--node-ip")}: ${code("/nodes explain internal-ip-nic")}`,
          }),
        );
      else if (wanted.length === 0 || names.includes(nic.name)) continue;
      else if (isAddressedIn(nic, site.lanPrefix) || wireless.includes(nic.name))
        findings.push(
          found({
            code: "internal-ip-nic",
            severity: "error",
            node,
            nic: nic.name,
            facts,
            text: text`InternalIP ${address} is on ${nic.name}; the LAN interface is ${nameList(names)}`,
            remedy: text`Set kubelet's ${code("--node-ip")} to the address of ${nameList(names)} first; do not turn ${nic.name} off before that`,
          }),
        );
      else
        findings.push(
          found({
            code: "internal-ip-other-network",
            severity: "info",
            node,
            nic: nic.name,
            facts,
            text: text`InternalIP ${address} is on ${nic.name}, outside ${site.lanPrefix}: a cluster network of its own`,
          }),
        );
    }
    if (findings.length === 0 && wanted.length === 0)
      return skipped(`no interface of the node is in ${site.lanPrefix}`);
    return judged(findings);
  },
});
