import type { Command } from "./command.ts";
import { checkFile } from "./runbook-check.ts";
import { exportTimeline } from "./runbook-export.ts";
import { list, show } from "./runbook-list.ts";
import { close, handover, link, note, reopen, take } from "./runbook-people.ts";
import { run } from "./runbook-run.ts";
import { incidentStatus } from "./runbook-status.ts";
import { incidentDiagnose, incidentDone, incidentNext, incidentSkip } from "./runbook-steps.ts";

export const runbook: Command = {
  name: "runbook",
  summary: "On call: diagnose what is broken, in a thread that keeps who did what.",
  verbs: [
    list,
    show,
    run,
    incidentStatus,
    incidentDiagnose,
    incidentNext,
    incidentDone,
    incidentSkip,
    note,
    take,
    handover,
    close,
    reopen,
    link,
    exportTimeline,
    checkFile,
  ],
};
