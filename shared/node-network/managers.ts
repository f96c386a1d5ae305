import type { Fault } from "../fault.ts";
import type { Nic } from "../probes/ip-addr.ts";
import type { NetworkSettings, SettingLine } from "../probes/node-network-settings.ts";
import type { UnitStates } from "../probes/node-network-units.ts";
import type { NmDevices } from "../probes/node-nmcli.ts";

export type Manager = "NetworkManager" | "systemd-networkd" | "ifupdown" | "dhcpcd" | "connman" | "iwd";

/** A program that brings an interface up at every start. */
export type Claim = Readonly<{
  manager: Manager;
  /** The file that says so, where one does. */
  file?: string;
  /** NetworkManager's profile. */
  profile?: string;
}>;

export type ManagerEvidence = Readonly<{
  units: UnitStates;
  nm: NmDevices;
  settings: NetworkSettings;
}>;

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Shell patterns as networkd and dhcpcd take them, several separated by spaces or commas. */
export function matchesName(patterns: string, name: string): boolean {
  return patterns
    .split(/[\s,]+/)
    .filter((pattern) => pattern !== "")
    .some((pattern) => {
      const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
      return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`).test(name);
    });
}

const isYes = (value: string): boolean => /^(1|yes|true|on)$/i.test(value);

type NetworkFile = Readonly<{ file: string; settings: ReadonlyMap<string, readonly string[]> }>;

/**
 * `.network` files in the order networkd takes them: by name, whatever their folder; of two with one name `/etc` wins
 * (systemd.network(5)).
 */
function networkFiles(lines: readonly SettingLine[]): readonly NetworkFile[] {
  const byFile = new Map<string, Map<string, string[]>>();
  for (const { file, text } of lines) {
    if (!/^\/(etc|run)\/systemd\/network\/[^/]+\.network$/.test(file)) continue;
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(text) ?? [];
    if (key === undefined || value === undefined) continue;
    const settings = byFile.get(file) ?? new Map<string, string[]>();
    settings.set(key, [...(settings.get(key) ?? []), value.trim()]);
    byFile.set(file, settings);
  }
  const shadowed = (file: string) =>
    file.startsWith("/run/") && byFile.has(file.replace(/^\/run\//, "/etc/"));
  return [...byFile]
    .filter(([file]) => !shadowed(file))
    .map(([file, settings]) => ({ file, settings }))
    .sort((a, b) => (baseName(a.file) < baseName(b.file) ? -1 : 1));
}

/** The file by which networkd decides about an interface, the first that matches. */
function networkFileOf(nic: Nic, wireless: boolean, lines: readonly SettingLine[]): NetworkFile | undefined {
  return networkFiles(lines).find(({ settings }) => {
    const names = settings.get("Name");
    const types = settings.get("Type");
    const macs = settings.get("MACAddress") ?? settings.get("PermanentMACAddress");
    if (names === undefined && types === undefined && macs === undefined) return false;
    const type = wireless ? "wlan" : nic.linkType;
    return (
      (names?.some((patterns) => matchesName(patterns, nic.name)) ?? true) &&
      (types?.some((patterns) => matchesName(patterns, type)) ?? true) &&
      (macs?.some((list) =>
        list
          .toLowerCase()
          .split(/\s+/)
          .includes(nic.mac ?? ""),
      ) ??
        true)
    );
  });
}

function claimOfNetworkd(nic: Nic, wireless: boolean, lines: readonly SettingLine[]): readonly Claim[] {
  const found = networkFileOf(nic, wireless, lines);
  if (found === undefined) return [];
  const { file, settings } = found;
  if (settings.get("Unmanaged")?.some(isYes)) return [];
  const policy = settings.get("ActivationPolicy")?.at(-1);
  return policy === "down" || policy === "always-down" || policy === "manual"
    ? []
    : [{ manager: "systemd-networkd", file }];
}

function claimOfIfupdown(nic: Nic, lines: readonly SettingLine[]): readonly Claim[] {
  const line = lines.find(({ file, text }) => {
    const names = /^(?:auto|allow-hotplug)\s+(.+)$/.exec(text)?.[1];
    return file.startsWith("/etc/network/interfaces") && names !== undefined && matchesName(names, nic.name);
  });
  return line === undefined ? [] : [{ manager: "ifupdown", file: line.file }];
}

/** dhcpcd takes every interface that it is not told to leave alone (dhcpcd.conf(5)). */
function claimOfDhcpcd(nic: Nic, lines: readonly SettingLine[]): readonly Claim[] {
  const told = (word: string) =>
    lines.flatMap(({ file, text }) =>
      file === "/etc/dhcpcd.conf" && text.startsWith(`${word} `) ? [text.slice(word.length + 1)] : [],
    );
  const denied = told("denyinterfaces").some((patterns) => matchesName(patterns, nic.name));
  const allowed = told("allowinterfaces");
  if (denied || (allowed.length > 0 && !allowed.some((patterns) => matchesName(patterns, nic.name))))
    return [];
  return [{ manager: "dhcpcd", file: "/etc/dhcpcd.conf" }];
}

function claimOfNetworkManager(nic: Nic, nm: NmDevices): readonly Claim[] {
  if (nm.kind !== "devices") return [];
  const device = nm.devices.find((each) => each.nic === nic.name);
  if (device === undefined || device.state === "unmanaged" || device.state.includes("(externally)"))
    return [];
  return [
    {
      manager: "NetworkManager",
      ...(device.connection === undefined ? {} : { profile: device.connection }),
    },
  ];
}

/**
 * Who brings an interface up at every start, by what runs and by what their files say. iwd works for NetworkManager and
 * networkd as well as alone, so it counts only where nobody else claims the interface.
 */
export function claimsOn(
  nic: Nic,
  wireless: boolean,
  { units, nm, settings: { lines } }: ManagerEvidence,
): readonly Claim[] {
  const runs = (unit: keyof UnitStates) => units[unit] === "active" || units[unit] === "activating";
  const claims = [
    ...(runs("NetworkManager") ? claimOfNetworkManager(nic, nm) : []),
    ...(runs("systemd-networkd") ? claimOfNetworkd(nic, wireless, lines) : []),
    ...(runs("networking") ? claimOfIfupdown(nic, lines) : []),
    ...(runs("dhcpcd") ? claimOfDhcpcd(nic, lines) : []),
    ...(runs("connman") ? [{ manager: "connman" } as const] : []),
  ];
  return claims.length === 0 && wireless && runs("iwd") ? [{ manager: "iwd" }] : claims;
}

/** Files that decide about interfaces and that could not be read: then an absent claim proves nothing. */
export function closedFiles({ units, settings: { closed } }: ManagerEvidence): Fault | undefined {
  const matters: readonly (readonly [keyof UnitStates, string])[] = [
    ["systemd-networkd", "/etc/systemd/network"],
    ["systemd-networkd", "/run/systemd/network"],
    ["networking", "/etc/network/interfaces"],
    ["dhcpcd", "/etc/dhcpcd.conf"],
  ];
  const shut = closed.filter((path) =>
    matters.some(([unit, place]) => units[unit] === "active" && path.startsWith(place)),
  );
  if (shut.length === 0) return undefined;
  const detail = `only root may read ${shut.join(", ")}`;
  return { kind: "missing-privilege", what: "files of the network manager", detail };
}

/** The `config.txt` that a Raspberry Pi's firmware reads: since Debian 12 the one under `/boot/firmware`. */
export const firmwareConfig = (files: readonly string[]): string | undefined =>
  ["/boot/firmware/config.txt", "/boot/config.txt"].find((path) => files.includes(path));

const isOverlay = ({ text }: SettingLine): boolean => /^dtoverlay=disable-wifi(-pi5)?\b/.test(text);

/** Lines of `config.txt` that take the built-in radio away at the next start, and those in a file that nothing reads. */
export function overlayLines(
  files: readonly string[],
  { lines }: NetworkSettings,
): Readonly<{ read: readonly SettingLine[]; ignored: readonly SettingLine[] }> {
  const config = firmwareConfig(files);
  const overlays = lines.filter(isOverlay);
  return {
    read: overlays.filter(({ file }) => file === config),
    ignored: overlays.filter(({ file }) => file !== config),
  };
}

/** Drivers without which no built-in radio of a Raspberry Pi, or no radio at all, has an interface. */
const radioDrivers = /^(?:blacklist|install)\s+(brcmfmac|brcmutil|cfg80211|mac80211)\b/;

export const blacklisted = ({ lines }: NetworkSettings): readonly SettingLine[] =>
  lines.filter(({ file, text }) => file.startsWith("/etc/modprobe.d/") && radioDrivers.test(text));
