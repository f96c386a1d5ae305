import { arpingHabets, arpingHabetsFast, arpingIputils } from "./arping.ts";
import { arpingIdentify } from "./arping-identify.ts";
import { ipAddr } from "./ip-addr.ts";
import { ipRoute } from "./ip-route.ts";
import type { AnyProbe } from "./probe.ts";
import { listed } from "./probe.ts";
import { tcpdumpArp } from "./tcpdump-arp.ts";

/** Every command that may run on a node or a vantage; privileges files and the tests go by this list. */
export const probes: readonly AnyProbe[] = [
  listed(ipAddr),
  listed(ipRoute),
  listed(arpingIdentify),
  listed(arpingIputils),
  listed(arpingHabets),
  listed(arpingHabetsFast),
  listed(tcpdumpArp),
];
