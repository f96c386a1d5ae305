import ipaddr from "ipaddr.js";
import { FaultError } from "../fault.ts";

const refuse = (what: string, value: string): never => {
  throw new FaultError({ kind: "unreadable", what, detail: `${JSON.stringify(value)} is none` });
};

/** An IP address that may stand in a command line: IPv4 in four decimal parts, or IPv6. Throws FaultError. */
export const checkedAddress = (value: string): string =>
  ipaddr.IPv4.isValidFourPartDecimal(value) || (ipaddr.IPv6.isValid(value) && !value.includes("%"))
    ? value
    : refuse("IP address", value);

/** A name that Linux allows for an interface and that no program takes for an option. Throws FaultError. */
export const checkedNic = (value: string): string =>
  /^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14}$/.test(value) ? value : refuse("name of a network interface", value);
