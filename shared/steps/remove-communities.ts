import { noAdvertisementsLeft, removalStep } from "../migration/removal.ts";
import { text } from "../text.ts";

export const removeCommunities = removalStep({
  id: "remove-communities",
  title: "Remove the communities",
  kind: "communities",
  word: "Community",
  reversibleWhile: text`always: they do nothing by themselves`,
  first: noAdvertisementsLeft,
  prediction: text`no BGPAdvertisement names them any more`,
});
