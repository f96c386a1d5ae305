import { wantedNics } from "../arp/wanted-nics.ts";
import { cannotAnnounce, interfacesFor, noNodeObject, ownObjects } from "../metallb/own-objects.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";

export const lanNicNotAdvertised = defineCheck({
  id: "lan-nic-not-advertised",
  about: "node",
  title: "The LAN interface is among those that the advertisements name",
  codes: ["lan-nic-not-advertised"],
  page: {
    why: `\`interfaces\` of an L2Advertisement says where a speaker answers, not which node is elected. A node whose LAN
interface is not named is elected all the same and then answers on another interface or on none. ServiceL2Status, the
\`nodeAssigned\` event and the metric \`metallb_speaker_announced\` go on saying that it announces.`,
    looks: `An address falls silent exactly when this node is elected, and comes back when the node is taken away. Nodes
of another make, whose interface is called end0 or enp1s0 instead of eth0, are the usual ones.`,
    fix: `Add the interface's name to \`interfaces\` of the advertisement that selects the node, or give such nodes an
advertisement of their own with \`nodeSelectors\`. Names are exact, there are no patterns. Adding a name disturbs nothing;
removing one does. To go back, take the name out again. Until then
\`node.kubernetes.io/exclude-from-external-load-balancers\` keeps the node from being elected.`,
  },
  needs: ["ip-addr", "wireless-nics"],
  reads: ["nodes", "pods", "daemonsets", "ipaddresspools", "l2advertisements"],
  judge: ({ node, "ip-addr": nics, "wireless-nics": wireless }, { site, objects }) => {
    const object = objects.nodes.find(({ name }) => name === node);
    if (object === undefined) return unknown(noNodeObject(node));
    const own = ownObjects(objects);
    const never = cannotAnnounce(own, object);
    if (never !== undefined) return skipped(`the node announces nothing: ${never}`);
    const wanted = wantedNics(node, nics, wireless, site).map(({ name }) => name);
    if (wanted.length === 0) return skipped(`no interface of the node is in ${site.lanPrefix}`);
    const uncovered = own.pools.flatMap((pool) => {
      const interfaces = interfacesFor(own, pool, object);
      if (interfaces === undefined || interfaces === "all") return [];
      const covered = interfaces.some(
        (name) =>
          wanted.includes(name) ||
          // Named is a member of the wanted bond or bridge, which named-nic-enslaved tells better.
          nics.some((nic) => nic.name === name && nic.master !== undefined && wanted.includes(nic.master)),
      );
      return covered ? [] : [{ pool: pool.name, interfaces }];
    });
    const [first] = uncovered;
    if (first === undefined) return judged([]);
    return judged([
      found({
        code: "lan-nic-not-advertised",
        severity: "error",
        node,
        facts: { lanNic: wanted, pools: uncovered },
        text: text`the LAN interface ${nameList(wanted)} is not among ${nameList(first.interfaces)}, announced for pool ${nameList(uncovered.map(({ pool }) => pool))}`,
        remedy: text`Add ${nameList(wanted)} to ${code("interfaces")} of the L2Advertisement that selects ${node}`,
      }),
    ]);
  },
});
