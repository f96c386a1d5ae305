import { arpFlux } from "../checks/arp-flux.ts";
import { calicoAddressNic } from "../checks/calico-address-nic.ts";
import { calicoAutodetection } from "../checks/calico-autodetection.ts";
import type { Check } from "../checks/check.ts";
import { duplicateMac } from "../checks/duplicate-mac.ts";
import { excludeLabelCheck } from "../checks/exclude-label.ts";
import { internalIpNic } from "../checks/internal-ip-nic.ts";
import { ipvsStrictArp } from "../checks/ipvs-strict-arp.ts";
import { lanNic } from "../checks/lan-nic.ts";
import { memberlistOff } from "../checks/memberlist-off.ts";
import { memberlistPortCheck } from "../checks/memberlist-port.ts";
import { namedNicEnslaved } from "../checks/named-nic-enslaved.ts";
import { namedNicMissing } from "../checks/named-nic-missing.ts";
import { networkUnavailable } from "../checks/network-unavailable.ts";
import { nicManagers } from "../checks/nic-managers.ts";
import { poolAddressOnNic } from "../checks/pool-address-on-nic.ts";
import { promiscuousWireless } from "../checks/promiscuous-wireless.ts";
import { rpFilter } from "../checks/rp-filter.ts";
import { wiredAndWifi } from "../checks/wired-and-wifi.ts";
import { defineStep, verified } from "../migration/define-step.ts";
import { runChecks } from "../migration/run-checks.ts";
import { text } from "../text.ts";
import { noDeeds } from "./step.ts";

/** What decides whether a node that is elected will answer on the right interface, and once. */
export const interfaceChecks: readonly Check[] = [
  wiredAndWifi,
  lanNic,
  nicManagers,
  promiscuousWireless,
  duplicateMac,
  internalIpNic,
  calicoAddressNic,
  calicoAutodetection,
  networkUnavailable,
  namedNicEnslaved,
  namedNicMissing,
  poolAddressOnNic,
  ipvsStrictArp,
  arpFlux,
  rpFilter,
  memberlistPortCheck,
  memberlistOff,
  excludeLabelCheck,
];

export const nodeInterfaces = defineStep({
  id: "node-interfaces",
  kind: "check",
  title: "Node interfaces",
  proof: text`that a node which is elected answers on its LAN interface, and on no other`,
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async () => ({
    ...noDeeds,
    prediction: [text`every node answers into the segment by one interface, the wired one`],
    predicted: null,
  }),
  verify: async (context) => {
    const checked = await runChecks(context, interfaceChecks);
    const failed = checked.findings.filter(({ severity }) => severity !== "unknown");
    if (failed.length > 0)
      return verified(
        "failed",
        text`${checked.failing.length === 1 ? "one node or object needs" : `${checked.failing.length} nodes or objects need`} you before layer 2 can be trusted: ${checked.failing.slice(0, 5).join(", ")}`,
        checked,
      );
    if (checked.findings.length > 0)
      return verified(
        "unknown",
        text`${checked.findings.length} of ${checked.results.length} checks could not be judged`,
        checked,
      );
    return verified("passed", text`${checked.passed} checks passed on ${checked.nodes} nodes`, checked);
  },
});
