import { drillInputs } from "../migration/drill.ts";
import { drillExclude } from "../steps/drill-exclude.ts";
import { drillInclude } from "../steps/drill-include.ts";
import { drillLeaderBack } from "../steps/drill-leader-back.ts";
import { drillSurvey } from "../steps/drill-survey.ts";
import type { Migration } from "../steps/runbook.ts";
import { text } from "../text.ts";

/** `/arping drill SERVICE` by its longer name. */
export const drill: Migration = {
  id: "drill",
  title: "Planned hand-over of an address",
  summary: text`Has the announcing node give its addresses away for half a minute, measures what new connections feel, and gives them back`,
  inputs: drillInputs,
  steps: [drillSurvey, drillExclude, drillInclude, drillLeaderBack],
};
