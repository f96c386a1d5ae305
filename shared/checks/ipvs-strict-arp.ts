import { lanNics } from "../arp/mac-table.ts";
import { isFault } from "../fault.ts";
import { kubeProxyConfig } from "../kubernetes/kube-proxy-config.ts";
import { inForce } from "../probes/node-arp-sysctls.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, passed, skipped, unknown } from "./check.ts";

export const ipvsStrictArp = defineCheck({
  id: "ipvs-strict-arp",
  about: "node",
  title: "With IPVS the kernel leaves ARP for announced addresses to MetalLB",
  codes: ["ipvs-strict-arp", "ipvs-strict-arp-not-applied", "ipvs-strict-arp-not-set"],
  page: {
    why: `In IPVS mode kube-proxy puts every Service address on \`kube-ipvs0\` of every node. With the kernel's default
settings each node then answers ARP for each of them, on any interface, elected or not. \`strictARP\` prevents it by
setting \`arp_ignore=1\` and \`arp_announce=2\`. What counts is what the node's kernel has: \`kube-ipvs0\` shows that IPVS
is in use, whatever the configuration says.`,
    looks: `\`/arping\` reports as many MACs as there are nodes, and a broadcast probe is answered by all of them. Traffic
lands on any node; with \`externalTrafficPolicy: Local\` most connections fail.`,
    fix: `Set \`strictARP: true\` under \`ipvs\` in \`config.conf\` of ConfigMap kube-system/kube-proxy (k3s:
\`--kube-proxy-arg=ipvs-strict-arp\`), then restart kube-proxy one node after the other. Established connections stay. It is
safe in any mode. To go back, set it to false and restart again. Setting the two sysctls by hand lasts until the next
start, unless a file in \`/etc/sysctl.d\` keeps them.`,
  },
  needs: ["ip-addr", "arp-sysctls"],
  reads: ["configmaps"],
  judge: ({ node, "ip-addr": nics, "arp-sysctls": sysctls }, { site, raw }) => {
    if (!nics.some(({ name }) => name === "kube-ipvs0"))
      return skipped("no kube-ipvs0: kube-proxy does not use IPVS here");
    const config = kubeProxyConfig(raw.configmaps);
    if (isFault(config)) return unknown(config);
    const lan = lanNics(node, nics, site).map(({ name }) => name);
    const settings = (lan.length === 0 ? ["all"] : lan).map((nic) => ({
      nic,
      arpIgnore: inForce(sysctls, nic, "arp_ignore"),
      arpAnnounce: inForce(sysctls, nic, "arp_announce"),
    }));
    const unread = settings.find(
      ({ arpIgnore, arpAnnounce }) => arpIgnore === undefined || arpAnnounce === undefined,
    );
    const facts = {
      strictArp: config?.strictArp ?? null,
      mode: config?.mode ?? null,
      interfaces: settings.map(({ nic, arpIgnore, arpAnnounce }) => ({
        nic,
        arpIgnore: arpIgnore ?? null,
        arpAnnounce: arpAnnounce ?? null,
      })),
    };
    const loose = settings.find(({ arpIgnore = 1, arpAnnounce = 2 }) => arpIgnore < 1 || arpAnnounce < 2);
    if (loose !== undefined) {
      const has = `arp_ignore=${loose.arpIgnore} and arp_announce=${loose.arpAnnounce} on ${loose.nic}`;
      const applied = config?.strictArp === true;
      return judged([
        found({
          code: applied ? "ipvs-strict-arp-not-applied" : "ipvs-strict-arp",
          severity: "error",
          node,
          facts,
          text: applied
            ? text`kube-proxy is told strictARP, but the kernel has ${has}: this node answers for every Service`
            : text`IPVS without strictARP (${has}): this node answers ARP for every Service address`,
          remedy: applied
            ? text`Restart the kube-proxy pod of ${node}; nothing else needs to change`
            : text`Set ${code("strictARP: true")} in ConfigMap kube-system/kube-proxy and restart kube-proxy node by node`,
        }),
      ]);
    }
    if (unread !== undefined)
      return unknown({
        kind: "unreadable",
        what: `ARP settings of ${node}`,
        detail: `no arp_ignore or arp_announce for ${unread.nic}`,
      });
    if (config === undefined || config.strictArp) return passed;
    return judged([
      found({
        code: "ipvs-strict-arp-not-set",
        severity: "info",
        node,
        facts,
        text: text`the kernel's ARP settings are right, but not by kube-proxy: its strictARP is false`,
        remedy: text`Set ${code("strictARP: true")} as well, so that it holds without the other source`,
      }),
    ]);
  },
});
