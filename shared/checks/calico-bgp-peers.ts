import { calicoObjects, peerAddress } from "../calico/resources.ts";
import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { isIn, rangesOf } from "../metallb/address-ranges.ts";
import { parseIp } from "../metallb/ip.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, unknown } from "./check.ts";

const lost = ["FAILED", "INCOMPLETE"];

export const calicoBgpPeers = defineCheck({
  id: "calico-bgp-peers",
  about: "cluster",
  title: "Every BGP peer of Calico is still there",
  codes: ["calico-bgp-peer-gone", "calico-bgp-peer-is-router"],
  page: {
    why: `Calico's BGPPeers stay when a router goes. Each node then tries for ever to reach an address that nobody has, or
that now belongs to a router without BGP. It costs little, but routes that the old router was told are gone: Pods without
encapsulation, and Services under \`serviceLoadBalancerIPs\`, are cut off from outside without an error in the cluster.
Calico's BGPPeers are another kind than MetalLB's, of the same name.`,
    looks: `\`calicoctl node status\` shows a peer in Connect or Active instead of Established. calico-node's readiness says
\`BIRD is not ready: BGP not established\` where the mesh between nodes is off. Neighbour tables have the address as FAILED.`,
    fix: `Ask the router, or whoever replaced it, whether it speaks BGP with the cluster. If not, save the object
(\`kubectl get bgppeers.crd.projectcalico.org -o yaml\`) and delete it; applying the file is the way back. Do not delete a
peer while another still depends on it: \`calicoctl node status\` on two nodes first.`,
  },
  needs: ["ip-neigh"],
  reads: ["nodes", "calicobgppeers"],
  judge: (nodes, { site, objects, raw }) => {
    const peers = calicoObjects("calicobgppeers", raw.calicobgppeers);
    if (isFault(peers)) return unknown(peers);
    const lan = rangesOf([site.lanPrefix]);
    const ofNodes = objects.nodes.flatMap(({ addresses }) =>
      addresses.map(({ address }) => parseIp(address)?.text),
    );
    const router = site.routerIp === undefined ? undefined : parseIp(site.routerIp)?.text;
    const findings: Finding[] = [];
    let unseen: string | undefined;
    for (const { name, spec } of peers) {
      // Without an address it is a selector of other nodes.
      const address = spec.peerIP ? parseIp(peerAddress(spec.peerIP)) : undefined;
      if (address === undefined || ofNodes.includes(address.text)) continue;
      const subject = { kind: "config", name: `calico/${name}` } as const;
      const entries = nodes.flatMap((node) =>
        node["ip-neigh"]
          .filter((entry) => parseIp(entry.address)?.text === address.text)
          .map(({ states }) => ({ node: node.node, gone: states.some((state) => lost.includes(state)) })),
      );
      const facts = {
        peer: address.text,
        lostOn: entries.filter(({ gone }) => gone).map(({ node }) => node),
        knownOn: entries.filter(({ gone }) => !gone).map(({ node }) => node),
      };
      if (!isIn(address, lan) || entries.length === 0) unseen ??= `${name} (${address.text})`;
      else if (facts.knownOn.length === 0)
        findings.push({
          code: "calico-bgp-peer-gone",
          severity: "warning",
          subject,
          facts,
          text: text`Calico's BGPPeer ${name}: nobody has ${address.text} any more, asked from ${entries.length} ${entries.length === 1 ? "node" : "nodes"}`,
          remedy: text`Save it and delete it once ${code("calicoctl node status")} agrees on two nodes`,
        });
      else if (address.text === router)
        findings.push({
          code: "calico-bgp-peer-is-router",
          severity: "info",
          subject,
          facts,
          text: text`Calico's BGPPeer ${name} is the site's router ${address.text}; whether that still speaks BGP, only it can tell`,
          remedy: text`Look at ${code("calicoctl node status")} on a node: Established means yes`,
        });
    }
    if (findings.length === 0 && unseen !== undefined)
      return unknown({
        kind: "not-modelled",
        what: `Calico's BGPPeer ${unseen}`,
        detail: "it is outside the segment or in no node's neighbour table, so nothing here tells",
      });
    return judged(findings);
  },
});
