import { fixNodeInputs } from "../migration/fix-node.ts";
import { fixNodeChange } from "../steps/fix-node-change.ts";
import { fixNodeConfirm } from "../steps/fix-node-confirm.ts";
import { fixNodeSurvey } from "../steps/fix-node-survey.ts";
import { fixNodeVerify } from "../steps/fix-node-verify.ts";
import type { Migration } from "../steps/runbook.ts";
import { text } from "../text.ts";

/** `/nodes fix NODE CHECK --apply` by its longer name. */
export const fixNode: Migration = {
  id: "fix-node",
  title: "Commit-confirmed change of a node",
  summary: text`Cures one check on one node; the node takes the change back by itself unless a new session by cable confirms it`,
  inputs: fixNodeInputs,
  steps: [fixNodeSurvey, fixNodeChange, fixNodeConfirm, fixNodeVerify],
};
