import { calicoAddressNic } from "./calico-address-nic.ts";
import { calicoAutodetection } from "./calico-autodetection.ts";
import type { Check } from "./check.ts";
import { internalIpNic } from "./internal-ip-nic.ts";
import { ipvsStrictArp } from "./ipvs-strict-arp.ts";
import { lanNic } from "./lan-nic.ts";
import { lanNicNotAdvertised } from "./lan-nic-not-advertised.ts";
import { namedNicEnslaved } from "./named-nic-enslaved.ts";
import { namedNicMissing } from "./named-nic-missing.ts";
import { networkUnavailable } from "./network-unavailable.ts";
import { poolAddressOnNic } from "./pool-address-on-nic.ts";
import { wiredAndWifi } from "./wired-and-wifi.ts";

/** Every check, in the order people read them: the likeliest cause of trouble first. */
export const checks: readonly Check[] = [
  wiredAndWifi,
  lanNic,
  internalIpNic,
  calicoAddressNic,
  calicoAutodetection,
  networkUnavailable,
  lanNicNotAdvertised,
  namedNicEnslaved,
  namedNicMissing,
  poolAddressOnNic,
  ipvsStrictArp,
];
