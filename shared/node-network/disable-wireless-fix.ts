import { defineFix, type Fix, type FixAnswer, type FixPlan, type Obstacle } from "../checks/fix.ts";
import { isFault } from "../fault.ts";
import type { Nic } from "../probes/ip-addr.ts";
import type { Site } from "../site/site.ts";
import { text } from "../text.ts";
import { disableObstacles } from "./disable-guard.ts";
import { disablePlan, isPlainName } from "./disable-nic.ts";
import { homesIn } from "./dual-homed.ts";
import { claimsOn, closedFiles, type ManagerEvidence } from "./managers.ts";

export type WirelessEvidence = ManagerEvidence &
  Readonly<{ nics: readonly Nic[]; wireless: readonly string[]; site: Site }>;

/** Turns wireless interfaces off for good, those that `choose` names. Refused where that would cut something off. */
export const disableWirelessFix = (
  check: string,
  choose: (evidence: WirelessEvidence) => readonly Nic[],
): Fix =>
  defineFix({
    needs: [
      "ip-addr",
      "wireless-nics",
      "ip-routes",
      "ssh-connection",
      "network-units",
      "nm-devices",
      "network-settings",
      "network-files",
    ],
    reads: ["nodes", "pods", "endpointslices"],
    plan: (evidence, { site, raw }): FixAnswer => {
      const { node, "ip-addr": nics, "wireless-nics": wireless } = evidence;
      const managers: WirelessEvidence = {
        units: evidence["network-units"],
        nm: evidence["nm-devices"],
        settings: evidence["network-settings"],
        nics,
        wireless,
        site,
      };
      const chosen = choose(managers);
      if (chosen.length === 0)
        return { kind: "nothing-to-do", because: `no wireless interface of ${node} has to be turned off` };
      const odd = chosen.find(({ name }) => !isPlainName(name));
      if (odd !== undefined)
        return { kind: "by-hand", because: text`${odd.name} is a name that no command is printed for` };
      const obstacles: Obstacle[] = [];
      for (const nic of chosen) {
        const found = disableObstacles(nic, {
          node,
          nics,
          wireless,
          routes: evidence["ip-routes"],
          ssh: evidence["ssh-connection"],
          site,
          nodes: raw.nodes,
          pods: raw.pods,
          endpointSlices: raw.endpointslices,
        });
        if (isFault(found)) return { kind: "unknown", fault: found };
        obstacles.push(...found);
      }
      if (obstacles.length > 0) return { kind: "refused", obstacles };
      const closed = closedFiles(managers);
      if (closed !== undefined) return { kind: "unknown", fault: closed };
      const cable = homesIn(nics, site).find(({ name }) => !wireless.includes(name));
      const wiredAddress = cable?.addresses.find(({ scope }) => scope === "global")?.address ?? node;
      return {
        kind: "plan",
        plans: chosen.map(
          (nic): FixPlan =>
            disablePlan({
              node,
              nic: nic.name,
              claims: claimsOn(nic, true, managers),
              files: evidence["network-files"].files,
              wiredAddress,
              check,
            }),
        ),
      };
    },
  });
