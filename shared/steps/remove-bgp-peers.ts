import { noAdvertisementsLeft, removalStep } from "../migration/removal.ts";
import { text } from "../text.ts";

export const removeBgpPeers = removalStep({
  id: "remove-bgp-peers",
  title: "Remove the BGP peers",
  kind: "bgppeers",
  word: "BGPPeer",
  reversibleWhile: text`the router still speaks BGP, and FRR is on`,
  first: noAdvertisementsLeft,
  prediction: text`the speakers end their sessions and try no more; nothing was advertised over them`,
});
