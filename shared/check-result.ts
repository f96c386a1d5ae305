import type { Fault } from "./fault.ts";
import type { Finding, NonEmpty, Subject } from "./finding.ts";

/** The four outcomes of a check. `unknown` is not a pass and never means "absent"; a gate on it halts. */
export type CheckResult = Readonly<{ check: string; subject: Subject }> &
  (
    | Readonly<{ outcome: "passed" }>
    | Readonly<{ outcome: "failed"; findings: NonEmpty<Finding> }>
    | Readonly<{ outcome: "skipped"; because: string }>
    | Readonly<{ outcome: "unknown"; fault: Fault }>
  );
