import type { Command } from "./command.ts";
import { approve } from "./migrate-approve.ts";
import { done, next, retry } from "./migrate-go-on.ts";
import { history } from "./migrate-history.ts";
import { plan } from "./migrate-plan.ts";
import { rehearse } from "./migrate-rehearse.ts";
import { rollback } from "./migrate-rollback.ts";
import { skip } from "./migrate-skip.ts";
import { start } from "./migrate-start.ts";
import { runStatus } from "./migrate-status.ts";
import { abort, hold } from "./migrate-stop.ts";

export const migrate: Command = {
  name: "migrate",
  summary: "Move a live cluster step by step: planned, approved by a second person, proven, and taken back.",
  verbs: [plan, rehearse, start, runStatus, next, approve, done, retry, skip, hold, rollback, abort, history],
};
