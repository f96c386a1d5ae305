import { FaultError, type FaultKind } from "../fault.ts";
import type { ReadLogs } from "../kubernetes/logs.ts";
import { podLogOf } from "./pod-log.ts";
import type { Twin } from "./twin.ts";

const kinds: Readonly<Record<number, FaultKind>> = {
  400: "unreadable",
  404: "not-configured",
  501: "not-modelled",
};

/** Container logs of a twin's pods, without the API between. */
export const logsOn =
  (twin: Twin): ReadLogs =>
  async (request, signal) => {
    const what = `log of pod ${request.namespace}/${request.pod}`;
    if (signal?.aborted) throw new FaultError({ kind: "cancelled", what, detail: "it was cancelled" });
    const log = podLogOf(twin, request);
    if ("lines" in log) return log.lines;
    const { code, message } = log.refusal;
    throw new FaultError({ kind: kinds[code] ?? "refused", what, detail: message });
  };
