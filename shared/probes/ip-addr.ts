import * as z from "zod";
import { expectSuccess, readJson, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

export type NicAddress = Readonly<{
  family: 4 | 6;
  address: string;
  prefixLength: number;
  scope: string;
}>;

/** A network interface as the kernel describes it. */
export type Nic = Readonly<{
  name: string;
  index: number;
  /** Lower case; absent on interfaces without a hardware address. */
  mac: string | undefined;
  /** Burnt-in address where it differs, as for members of a bond. */
  permanentMac?: string;
  flags: readonly string[];
  /** Administratively up (flag UP). */
  up: boolean;
  /** Has a carrier (flag LOWER_UP). */
  carrier: boolean;
  /** The bond or bridge it is a member of: MetalLB gives such an interface no responder. */
  master?: string;
  /** The interface it sits on (VLAN, macvlan), or its peer. */
  link?: string;
  /** `ether`, `loopback`, ... */
  linkType: string;
  /** Bytes of the largest packet it sends whole. */
  mtu?: number;
  /** `bridge`, `bond`, `vlan`, `veth`, ...; absent for hardware. */
  kind?: string;
  /** How many users keep it promiscuous; undefined when the output was made without `-d`. */
  promiscuity?: number;
  /** By its name (`wl…`): a hint, as `ip` does not say what is behind an interface. */
  wireless: boolean;
  addresses: readonly NicAddress[];
}>;

const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

const addressSchema = z.object({
  family: z.string(),
  local: z.string().optional(),
  address: z.string().optional(),
  prefixlen: z.int().min(0).max(128),
  scope: z.union([z.string(), z.number()]).transform(String).default(""),
});

const linkSchema = z.object({
  ifindex: z.int(),
  ifname: z.string().min(1),
  flags: z.array(z.string()),
  link_type: z.string().default(""),
  mtu: z.int().min(0).optional(),
  address: z.string().optional(),
  permaddr: z.string().optional(),
  master: z.string().optional(),
  link: z.string().nullish(),
  promiscuity: z.int().optional(),
  linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
  addr_info: z.array(z.union([addressSchema, z.record(z.string(), z.never())])).default([]),
});

const outputSchema = z.array(z.union([linkSchema, z.record(z.string(), z.never())]));

const asMac = (text: string | undefined): string | undefined =>
  text !== undefined && macPattern.test(text) ? text.toLowerCase() : undefined;

/** Reads what `ip -j [-d] addr show` or `ip -j [-d] link` printed. Throws FaultError; no interface at all is a fault too. */
export function readNics(json: unknown, what = "ip"): readonly Nic[] {
  const parsed = outputSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw unreadable(what, `not a list of interfaces: ${issue?.path.join(".")} ${issue?.message}`);
  }
  const nics = parsed.data.flatMap((entry): Nic[] => {
    if (!("ifname" in entry) || typeof entry.ifname !== "string") return [];
    const link = entry as z.output<typeof linkSchema>;
    const permanent = asMac(link.permaddr);
    const kind = link.linkinfo?.info_kind;
    return [
      {
        name: link.ifname,
        index: link.ifindex,
        mac: link.link_type === "loopback" ? undefined : asMac(link.address),
        ...(permanent === undefined ? {} : { permanentMac: permanent }),
        flags: link.flags,
        up: link.flags.includes("UP"),
        carrier: link.flags.includes("LOWER_UP"),
        ...(link.master === undefined ? {} : { master: link.master }),
        ...(typeof link.link === "string" ? { link: link.link } : {}),
        linkType: link.link_type,
        ...(link.mtu === undefined ? {} : { mtu: link.mtu }),
        ...(kind === undefined ? {} : { kind }),
        ...(link.promiscuity === undefined ? {} : { promiscuity: link.promiscuity }),
        wireless: /^wl/.test(link.ifname),
        addresses: link.addr_info.flatMap((info): NicAddress[] => {
          const address = info as Partial<z.output<typeof addressSchema>>;
          const local = address.local ?? address.address;
          if (local === undefined || address.prefixlen === undefined) return [];
          if (address.family !== "inet" && address.family !== "inet6") return [];
          return [
            {
              family: address.family === "inet" ? 4 : 6,
              address: local,
              prefixLength: address.prefixlen,
              scope: address.scope ?? "",
            },
          ];
        }),
      },
    ];
  });
  if (nics.length === 0) throw unreadable(what, "names no interface, not even lo");
  return nics;
}

export const ipAddr: Probe<readonly [], readonly Nic[]> = {
  id: "ip-addr",
  tool: "ip",
  about: "interfaces with MAC, state, master, promiscuity and addresses",
  sample: [],
  argv: () => ({ argv: ["ip", "-j", "-d", "addr", "show"], privileged: false, timeoutMs: 5_000 }),
  read: (output) => {
    expectSuccess(output, "ip");
    return readNics(readJson(output, "ip"));
  },
};
