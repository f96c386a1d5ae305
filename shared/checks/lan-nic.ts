import { isAddressedIn } from "../arp/mac-table.ts";
import type { Finding } from "../finding.ts";
import type { Nic } from "../probes/ip-addr.ts";
import type { Site } from "../site/site.ts";
import { code, type Text, text } from "../text.ts";
import { defineCheck, found, judged } from "./check.ts";

/** Hardware with a cable: what the LAN NIC is where none is addressed in the segment. */
const isWiredHardware = (nic: Nic, wireless: readonly string[]): boolean =>
  nic.linkType === "ether" &&
  nic.kind === undefined &&
  nic.master === undefined &&
  !wireless.includes(nic.name);

/** The interfaces that should carry the segment, the site's word first, and whether none of them does by its address. */
function lanCandidates(
  node: string,
  nics: readonly Nic[],
  wireless: readonly string[],
  site: Site,
): Readonly<{ named?: string; candidates: readonly Nic[] }> {
  const named = site.lanNic.find(({ nodes }) => nodes.includes(node))?.nic;
  if (named !== undefined) return { named, candidates: nics.filter(({ name }) => name === named) };
  const addressed = nics.filter((nic) => isAddressedIn(nic, site.lanPrefix));
  const wired = addressed.filter(({ name }) => !wireless.includes(name));
  return { candidates: wired.length > 0 ? wired : nics.filter((nic) => isWiredHardware(nic, wireless)) };
}

export const lanNic = defineCheck({
  id: "lan-nic",
  about: "node",
  title: "The LAN interface is there, up, plugged in, addressed, and there is a default route",
  codes: [
    "lan-nic-absent",
    "lan-nic-down",
    "lan-nic-no-carrier",
    "lan-nic-no-address",
    "lan-nic-no-default-route",
  ],
  page: {
    why: `MetalLB elects the announcer of an address by node name alone. It does not look at interfaces: a node whose LAN
interface is missing, down or unplugged is elected all the same, and nobody answers for the addresses it won. A pulled
cable keeps the speaker's responder in place, so status and events still say that all is well. Without a default route
replies to clients behind the router do not leave.`,
    looks: `\`/arping\` reports silence while \`nodeAssigned\` events and ServiceL2Status name this node. Clients in the
segment work while clients behind the router do not (no default route).`,
    fix: `Plug the cable in, or bring the interface up in the node's network manager so that it stays so after a restart.
Where the site names another interface for this node, correct \`site.lanNic\`. While you repair it, keep the node from
being elected: label it \`node.kubernetes.io/exclude-from-external-load-balancers\`, and take the label off afterwards.`,
  },
  needs: ["ip-addr", "wireless-nics", "ip-routes"],
  reads: [],
  judge: ({ node, "ip-addr": nics, "wireless-nics": wireless, "ip-routes": routes }, { site }) => {
    const { named, candidates } = lanCandidates(node, nics, wireless, site);
    const findings: Finding[] = [];
    const tell = (what: string, nic: string | undefined, said: Text): void => {
      findings.push(
        found({
          code: `lan-nic-${what}`,
          severity: "error",
          node,
          ...(nic === undefined ? {} : { nic }),
          facts: {
            lanPrefix: site.lanPrefix,
            candidates: candidates.map(({ name }) => name),
            named: named ?? null,
          },
          text: said,
          remedy: text`What to do: ${code("/nodes explain lan-nic")}`,
        }),
      );
    };
    const names = candidates.map(({ name }) => name).join(", ");
    const works = candidates.filter(({ up, carrier }) => up && carrier);
    const [first] = candidates;
    if (first === undefined)
      tell(
        "absent",
        undefined,
        named === undefined
          ? text`no wired interface at all, and none addressed in ${site.lanPrefix}`
          : text`${named}, which the site names as its LAN interface, is not there`,
      );
    else if (candidates.every(({ up }) => !up)) tell("down", first.name, text`${names} is down`);
    else if (works.length === 0)
      tell("no-carrier", first.name, text`${names} is up without a carrier: no cable, or a dead port`);
    else if (!works.some((nic) => isAddressedIn(nic, site.lanPrefix)))
      tell("no-address", first.name, text`${names} has no address in ${site.lanPrefix}`);
    const family = site.lanPrefix.includes(":") ? 6 : 4;
    if (!routes.some((route) => route.dst === "default" && route.family === family && route.table === "main"))
      tell("no-default-route", undefined, text`no default route in the main table`);
    return judged(findings);
  },
});
