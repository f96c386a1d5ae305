import { isAddressedIn } from "../arp/mac-table.ts";
import type { Finding } from "../finding.ts";
import { disableWirelessFix } from "../node-network/disable-wireless-fix.ts";
import {
  blacklisted,
  type Claim,
  claimsOn,
  closedFiles,
  firmwareConfig,
  overlayLines,
} from "../node-network/managers.ts";
import { code, join, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";

const managers = (claims: readonly Claim[]) =>
  join(
    claims.map(({ manager, file }) => (file === undefined ? manager : `${manager} (${file})`)),
    " and ",
  );

export const nicManagers = defineCheck({
  id: "nic-managers",
  about: "node",
  title: "One program manages each interface, and Wi-Fi that is off stays off",
  codes: ["nic-two-managers", "wifi-off-until-restart", "wifi-off-not-read", "wifi-off-after-restart"],
  page: {
    why: `An interface that two network managers bring up gets two addresses, two default routes, or loses its address
when one of them lets go of it. And \`ip link set wlan0 down\` holds only until the manager looks again or the node
starts: whoever manages the interface brings it up, and the speaker answers on it within ten seconds.`,
    looks: `After a power cut or an upgrade a node is in the segment twice again, although somebody had turned Wi-Fi off.
With two managers addresses come and go, and \`ip route\` shows two default routes of one interface.`,
    fix: `Turn Wi-Fi off where it is managed: \`/nodes fix NODE nic-managers\` prints the change for the node's own
manager with its way back. A radio that \`rfkill\` blocks stays blocked over a restart, because systemd-rfkill restores it.
On a Raspberry Pi of Debian 12 the line \`dtoverlay=disable-wifi\` counts in \`/boot/firmware/config.txt\` only. Where two
programs manage one interface, keep the one that holds the address: mark the interface as unmanaged in the other.`,
  },
  fix: disableWirelessFix("nic-managers", (evidence) =>
    evidence.nics.filter(
      (nic) => evidence.wireless.includes(nic.name) && !nic.up && claimsOn(nic, true, evidence).length > 0,
    ),
  ),
  common: "have an interface whose state does not outlive a restart",
  needs: [
    "ip-addr",
    "wireless-nics",
    "network-units",
    "nm-devices",
    "network-settings",
    "network-files",
    "rfkill",
  ],
  reads: [],
  judge: (
    {
      node,
      "ip-addr": nics,
      "wireless-nics": wireless,
      "network-units": units,
      "nm-devices": nm,
      "network-settings": settings,
      "network-files": { files },
      rfkill,
    },
    { site },
  ) => {
    const evidence = { units, nm, settings };
    const judgedNics = nics.filter(
      (nic) =>
        nic.master === undefined && (isAddressedIn(nic, site.lanPrefix) || wireless.includes(nic.name)),
    );
    if (judgedNics.length === 0) return skipped(`no interface in ${site.lanPrefix}, and none is wireless`);
    const claims = new Map(
      judgedNics.map((nic) => [nic.name, claimsOn(nic, wireless.includes(nic.name), evidence)] as const),
    );
    const findings: Finding[] = [];
    for (const [nic, by] of claims)
      if (by.length > 1)
        findings.push(
          found({
            code: "nic-two-managers",
            severity: "warning",
            node,
            nic,
            facts: { managers: by.map(({ manager }) => manager) },
            text: text`${nic} is managed by ${managers(by)}`,
            remedy: text`Leave it to one of them: ${code("/nodes explain nic-managers")}`,
          }),
        );
    const radios = judgedNics.filter(({ name }) => wireless.includes(name));
    const { read: overlay, ignored } = overlayLines(files, settings);
    const switches = rfkill.kind === "switches" ? rfkill.switches.filter(({ type }) => type === "wlan") : [];
    const blocked =
      switches.length > 0 && switches.every(({ softBlocked, hardBlocked }) => softBlocked || hardBlocked);
    const staysOff = overlay.length > 0 || blocked || blacklisted(settings).length > 0;
    for (const nic of radios) {
      const by = claims.get(nic.name) ?? [];
      if (!nic.up && !staysOff && by.length > 0)
        findings.push(
          found({
            code: "wifi-off-until-restart",
            severity: "warning",
            node,
            nic: nic.name,
            facts: { managers: by.map(({ manager }) => manager) },
            text: text`${nic.name} is down for now only: ${managers(by)} brings it up again at the next start`,
            remedy: text`Make it last: ${code(`/nodes fix ${node} nic-managers`)}`,
          }),
        );
      if (nic.up && overlay.length > 0)
        findings.push(
          found({
            code: "wifi-off-after-restart",
            severity: "info",
            node,
            nic: nic.name,
            facts: { lines: overlay.map(({ file, text: line }) => `${file}: ${line}`) },
            text: text`${nic.name} goes with the next start (${overlay[0]?.file ?? ""}); until then it is up`,
          }),
        );
    }
    if (ignored.length > 0 && overlay.length === 0 && radios.length > 0)
      findings.push(
        found({
          code: "wifi-off-not-read",
          severity: "warning",
          node,
          facts: { file: ignored[0]?.file ?? null, read: firmwareConfig(files) ?? null },
          text: text`${code(ignored[0]?.text ?? "")} stands in ${ignored[0]?.file ?? ""}, which this firmware does not read`,
          remedy: text`Move the line to ${firmwareConfig(files) ?? "the config.txt of the firmware"} and restart`,
        }),
      );
    const closed = closedFiles(evidence);
    return findings.length === 0 && closed !== undefined ? unknown(closed) : judged(findings);
  },
});
