import { isAddressedIn } from "../arp/mac-table.ts";
import type { Finding } from "../finding.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped } from "./check.ts";

export const mtuDiffers = defineCheck({
  id: "mtu-differs",
  about: "cluster",
  title: "LAN interfaces have the same MTU on all nodes",
  codes: ["mtu-differs"],
  page: {
    why: `An Ethernet segment has one MTU. A node that sends longer frames than its neighbours take loses them without
a word, since nobody in a segment sends "fragmentation needed". Announced addresses move from node to node, so a
connection works or stalls depending on who announces today.`,
    looks: `Small requests work, large answers stall: a TLS handshake hangs, \`curl\` of a big page stops after the
headers, pulling an image never ends. After a failover it is suddenly fine, or suddenly not.`,
    fix: `Set the MTU of the odd nodes to what the switch and all other nodes use, in the network manager so that it
stays (\`802-3-ethernet.mtu\`, \`MTUBytes=\`, \`mtu:\`), and check that the CNI's MTU still fits below it. To go
back, set the former value.`,
  },
  needs: ["ip-addr"],
  reads: [],
  judge: (nodes, { site }) => {
    const seen = nodes.flatMap(({ node, "ip-addr": nics }) =>
      nics.flatMap((nic) =>
        nic.up && nic.mtu !== undefined && isAddressedIn(nic, site.lanPrefix)
          ? [{ node, nic: nic.name, mtu: nic.mtu }]
          : [],
      ),
    );
    const counts = new Map<number, number>();
    for (const { mtu } of seen) counts.set(mtu, (counts.get(mtu) ?? 0) + 1);
    const [usual] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0]);
    if (seen.length < 2 || usual === undefined) return skipped("fewer than two LAN interfaces to compare");
    const [mtu, number] = usual;
    // With no majority nobody can say who is the odd one.
    const isTie = [...counts].filter(([, each]) => each === number).length > 1;
    return judged(
      seen
        .filter((each) => each.mtu !== mtu)
        .map(
          (each): Finding =>
            found({
              code: "mtu-differs",
              severity: "warning",
              node: each.node,
              nic: each.nic,
              facts: { mtu: each.mtu, usual: mtu, usualOn: number, tie: isTie },
              text: isTie
                ? text`MTU ${each.mtu} on ${each.nic}, ${mtu} on others: no majority says which is right`
                : text`MTU ${each.mtu} on ${each.nic}, ${mtu} on ${number} others`,
              remedy: text`Set one MTU in the segment: ${code("/nodes explain mtu-differs")}`,
            }),
        ),
    );
  },
});
