import { addressEndsIn0Or255 } from "./address-ends-in-0-or-255.ts";
import { advertisementSelectors } from "./advertisement-selectors.ts";
import { announcedBeforeReady } from "./announced-before-ready.ts";
import { arpFlux } from "./arp-flux.ts";
import { bgpLeftovers } from "./bgp-leftovers.ts";
import { calicoAddressNic } from "./calico-address-nic.ts";
import { calicoAutodetection } from "./calico-autodetection.ts";
import { calicoBgpPeers } from "./calico-bgp-peers.ts";
import { calicoEbpf } from "./calico-ebpf.ts";
import { calicoPoolOverlap } from "./calico-pool-overlap.ts";
import { calicoServiceIps } from "./calico-service-ips.ts";
import type { Check } from "./check.ts";
import { controlPlaneAway } from "./control-plane-away.ts";
import { defaultRouteNic } from "./default-route-nic.ts";
import { duplicateMac } from "./duplicate-mac.ts";
import { excludeLabelCheck } from "./exclude-label.ts";
import { hostKeyChanged } from "./host-key-changed.ts";
import { internalIpNic } from "./internal-ip-nic.ts";
import { ipvsStrictArp } from "./ipvs-strict-arp.ts";
import { k3sServicelb } from "./k3s-servicelb.ts";
import { lanNic } from "./lan-nic.ts";
import { lanNicNotAdvertised } from "./lan-nic-not-advertised.ts";
import { leaderNotReady } from "./leader-not-ready.ts";
import { memberlistOff } from "./memberlist-off.ts";
import { memberlistPortCheck } from "./memberlist-port.ts";
import { memberlistUdp } from "./memberlist-udp.ts";
import { mtuDiffers } from "./mtu-differs.ts";
import { namedNicEnslaved } from "./named-nic-enslaved.ts";
import { namedNicMissing } from "./named-nic-missing.ts";
import { networkUnavailable } from "./network-unavailable.ts";
import { nicManagers } from "./nic-managers.ts";
import { poolAddressOnNic } from "./pool-address-on-nic.ts";
import { poolNotAdvertised } from "./pool-not-advertised.ts";
import { poolOnLan } from "./pool-on-lan.ts";
import { poolOverlaps } from "./pool-overlaps.ts";
import { promiscuousWireless } from "./promiscuous-wireless.ts";
import { restrictionCancelled } from "./restriction-cancelled.ts";
import { routeViaGateway } from "./route-via-gateway.ts";
import { rpFilter } from "./rp-filter.ts";
import { speakerVersions } from "./speaker-versions.ts";
import { sshOverWifi } from "./ssh-over-wifi.ts";
import { toolsMissing } from "./tools-missing.ts";
import { vantageRoute } from "./vantage-route.ts";
import { webhook } from "./webhook.ts";
import { wiredAndWifi } from "./wired-and-wifi.ts";

/** Every check, in the order people read them: the likeliest cause of trouble first. */
export const checks: readonly Check[] = [
  hostKeyChanged,
  wiredAndWifi,
  lanNic,
  defaultRouteNic,
  sshOverWifi,
  nicManagers,
  promiscuousWireless,
  duplicateMac,
  mtuDiffers,
  internalIpNic,
  calicoAddressNic,
  calicoAutodetection,
  networkUnavailable,
  lanNicNotAdvertised,
  namedNicEnslaved,
  namedNicMissing,
  poolAddressOnNic,
  ipvsStrictArp,
  arpFlux,
  rpFilter,
  routeViaGateway,
  vantageRoute,
  memberlistPortCheck,
  memberlistUdp,
  toolsMissing,
  excludeLabelCheck,
  restrictionCancelled,
  advertisementSelectors,
  poolOverlaps,
  addressEndsIn0Or255,
  poolOnLan,
  poolNotAdvertised,
  memberlistOff,
  leaderNotReady,
  announcedBeforeReady,
  bgpLeftovers,
  speakerVersions,
  webhook,
  controlPlaneAway,
  k3sServicelb,
  calicoServiceIps,
  calicoPoolOverlap,
  calicoBgpPeers,
  calicoEbpf,
];
