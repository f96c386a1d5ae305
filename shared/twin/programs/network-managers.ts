import type { Nic } from "../machine.ts";
import type { Program, ProgramContext } from "./program.ts";

const usualUnits: Readonly<Record<string, string>> = { NetworkManager: "active", wpa_supplicant: "active" };

const stateOf = (context: ProgramContext, unit: string): string =>
  (context.machine.spec.units ?? usualUnits)[unit.replace(/\.service$/, "")] ?? "inactive";

/** `systemctl is-active UNIT...`: 0 when all are active, 3 otherwise (systemctl(1)). */
export const systemctl: Program = (args, context) => {
  const [verb, ...units] = args;
  if (verb !== "is-active" || units.length === 0) {
    context.err(verb === "is-active" ? "Too few arguments.\n" : `Unknown command verb ${verb ?? ""}.\n`);
    return 1;
  }
  const states = units.map((unit) => stateOf(context, unit));
  context.out(states.map((state) => `${state}\n`).join(""));
  return states.every((state) => state === "active") ? 0 : 3;
};

function device(nic: Nic): string {
  const wireless = nic.spec.wireless === true;
  const type = nic.spec.kind ?? (wireless ? "wifi" : "ethernet");
  if (!nic.up || !nic.carrier) return `${nic.name}:${type}:unavailable:`;
  if (nic.spec.kind !== undefined) return `${nic.name}:${type}:connected (externally):${nic.name}`;
  if (nic.spec.addresses.length === 0) return `${nic.name}:${type}:disconnected:`;
  return `${nic.name}:${type}:connected:${wireless ? "preconfigured" : "Wired connection 1"}`;
}

/** `nmcli -t -f DEVICE,TYPE,STATE,CONNECTION device [status]`, as NetworkManager 1.42 prints it. */
export const nmcli: Program = (args, context) => {
  if (stateOf(context, "NetworkManager") !== "active") {
    context.err("Error: NetworkManager is not running.\n");
    return 8;
  }
  const words = args.join(" ");
  if (words === "general reload conf") return 0;
  const [, name, yes] = /^device set (\S+) managed (yes|no)$/.exec(words) ?? [];
  if (name !== undefined && context.machine.nics.some((nic) => nic.name === name)) {
    // An interface that NetworkManager is given back comes up again.
    if (yes === "yes") context.setLink(name, { up: true });
    return 0;
  }
  if (!/^-t -f DEVICE,TYPE,STATE,CONNECTION device( status)?$/.test(words)) {
    context.err(`Error: the lab's nmcli knows no '${words}'.\n`);
    return 2;
  }
  context.out(context.machine.nics.map((nic) => `${device(nic)}\n`).join(""));
  context.out("lo:loopback:unmanaged:\n");
  return 0;
};

/** util-linux 2.38: one switch for each radio. Taking an interface down leaves its switch alone; one that was never up has it off. */
export const rfkill: Program = (args, context) => {
  if (args.join(" ") !== "--json") {
    context.err("rfkill: the lab's rfkill knows --json only\n");
    return 1;
  }
  const radios = context.machine.nics.filter((nic) => nic.spec.wireless === true);
  const switches = radios.map((nic, i) => ({
    id: i,
    type: "wlan",
    "type-desc": "Wireless LAN",
    device: `phy${i}`,
    soft: nic.up || nic.spec.up !== false ? "unblocked" : "blocked",
    hard: "unblocked",
  }));
  if (switches.length === 0) {
    context.err("rfkill: cannot open /dev/rfkill: No such file or directory\n");
    context.out('{\n   "rfkilldevices": [\n\n   ]\n}\n');
    return 1;
  }
  context.out(`${JSON.stringify({ rfkilldevices: switches }, null, 3)}\n`);
  return 0;
};
