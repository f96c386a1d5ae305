import { arpingHabets, arpingHabetsFast, arpingIputils } from "./arping.ts";
import { arpingIdentify } from "./arping-identify.ts";
import { dig } from "./dig.ts";
import { httpGet } from "./http-get.ts";
import { ipAddr } from "./ip-addr.ts";
import { ipRoute } from "./ip-route.ts";
import { nodeArpSysctls } from "./node-arp-sysctls.ts";
import { nodeChangeState } from "./node-change-state.ts";
import { nodeMemberlist } from "./node-memberlist.ts";
import { nodeNeighbours } from "./node-neighbours.ts";
import { nodeNetworkFiles } from "./node-network-files.ts";
import { nodeNetworkSettings } from "./node-network-settings.ts";
import { nodeNetworkUnits } from "./node-network-units.ts";
import { nodeNmcli } from "./node-nmcli.ts";
import { nodeRfkill } from "./node-rfkill.ts";
import { nodeRoutes } from "./node-routes.ts";
import { nodeSshConnection } from "./node-ssh-connection.ts";
import { nodeTimer } from "./node-timer.ts";
import { nodeToolsProbe } from "./node-tools.ts";
import { nodeWireless } from "./node-wireless.ts";
import { pingHop } from "./ping-hop.ts";
import type { AnyProbe } from "./probe.ts";
import { listed } from "./probe.ts";
import { tcpConnect } from "./tcp-connect.ts";
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
  listed(nodeRoutes),
  listed(nodeNeighbours),
  listed(nodeArpSysctls),
  listed(nodeWireless),
  listed(nodeSshConnection),
  listed(nodeNetworkUnits),
  listed(nodeNmcli),
  listed(nodeRfkill),
  listed(nodeNetworkFiles),
  listed(nodeNetworkSettings),
  listed(nodeToolsProbe),
  listed(nodeMemberlist),
  listed(nodeTimer),
  listed(nodeChangeState),
  listed(dig),
  listed(tcpConnect),
  listed(pingHop),
  listed(httpGet),
];
