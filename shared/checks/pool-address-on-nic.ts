import type { Finding } from "../finding.ts";
import { isIn, rangesOf } from "../metallb/address-ranges.ts";
import { parseIp } from "../metallb/ip.ts";
import { text } from "../text.ts";
import { defineCheck, found, judged } from "./check.ts";

export const poolAddressOnNic = defineCheck({
  id: "pool-address-on-nic",
  about: "node",
  title: "No interface of a node has an address of a pool",
  codes: ["pool-address-on-nic"],
  page: {
    why: `MetalLB answers ARP from user space; an announced address is on no interface. Where somebody adds it to one, or
a DHCP server hands it out, the kernel of that node answers for it as well, whoever is elected, and its own programs
answer on it. IPVS keeps addresses on \`kube-ipvs0\` on purpose, and \`lo\` answers nobody: both are left out here.`,
    looks: `\`/arping\` reports two nodes, one of them not the elected one. Connections reach the node's own sshd or are
refused. It stays so after MetalLB has been restarted or removed.`,
    fix: `Find out who put it there: a keepalived or kube-vip of former days, a DHCP lease, a line in the network manager's
configuration. If a Service uses the address, take it off the interface with \`ip addr del\` and out of the configuration;
if the node needs it, give the node another or shrink the pool first. Make sure that your SSH session does not use it. To
go back, add it again.`,
  },
  needs: ["ip-addr"],
  reads: ["nodes", "ipaddresspools"],
  judge: ({ node, "ip-addr": nics }, { objects }) => {
    const pools = objects.ipAddressPools.map(({ name, addresses }) => ({
      name,
      ranges: rangesOf(addresses),
    }));
    // That the pool holds the node's own address is told by pool-overlaps.
    const own = objects.nodes
      .filter(({ name }) => name === node)
      .flatMap(({ addresses }) => addresses.map(({ address }) => parseIp(address)?.text));
    const findings: Finding[] = [];
    for (const { name, linkType, addresses } of nics) {
      if (name === "kube-ipvs0" || linkType === "loopback") continue;
      for (const { address, prefixLength } of addresses) {
        const ip = parseIp(address);
        if (ip === undefined || own.includes(ip.text)) continue;
        const pool = pools.find(({ ranges }) => isIn(ip, ranges));
        if (pool === undefined) continue;
        findings.push(
          found({
            code: "pool-address-on-nic",
            severity: "error",
            node,
            nic: name,
            facts: { address: ip.text, prefixLength, pool: pool.name },
            text: text`${name} has ${ip.text}, an address of pool ${pool.name}: the kernel answers for it too`,
            remedy: text`Find out what put it there, then take it off the interface or out of the pool`,
          }),
        );
      }
    }
    return judged(findings);
  },
});
