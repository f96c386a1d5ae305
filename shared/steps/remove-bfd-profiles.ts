import { noPeersLeft, removalStep } from "../migration/removal.ts";
import { text } from "../text.ts";

export const removeBfdProfiles = removalStep({
  id: "remove-bfd-profiles",
  title: "Remove the BFD profiles",
  kind: "bfdprofiles",
  word: "BFDProfile",
  reversibleWhile: text`FRR is on: native mode rejects the whole configuration because of a BFDProfile`,
  first: noPeersLeft,
  prediction: text`nothing uses them any more; with one left, speakers without FRR would reject the whole configuration`,
});
