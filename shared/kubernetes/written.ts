import type { KubeWritten } from "./write.ts";

export type Refused = Extract<KubeWritten, { ok: false }>;

/**
 * `admission webhook "x" denied the request: …`, and `configmaps "x" is forbidden: ValidatingAdmissionPolicy 'p' with binding
 * 'b' denied request: …`, which comes as 422 Invalid (both as kube-apiserver 1.34 says them).
 */
const admission =
  /^admission webhook "|(^|: )ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request: /;
/** A webhook with failurePolicy Fail that could not be asked: an internal error, and nothing was stored. */
const unaskedWebhook = /failed calling webhook "/;

/** How a patch is refused whose uid is another's: not as a conflict, as a change of what cannot change. */
const otherUid = /\bmetadata\.uid: Invalid value: .*: field is immutable/;

const byCode: Readonly<Record<number, Refused["because"]>> = {
  400: "invalid",
  401: "denied",
  403: "denied",
  404: "not-found",
  405: "invalid",
  409: "conflict",
  413: "invalid",
  415: "invalid",
  422: "invalid",
};

/**
 * What a `Status` failure means for a write. Undefined when it does not say whether the write was made: internal errors,
 * time-outs and throttling.
 */
export function refusedWrite(
  status: Readonly<{ code: number; reason: string; message: string }>,
): Refused | undefined {
  const { code, reason, message } = status;
  if (admission.test(message) || unaskedWebhook.test(message))
    return { ok: false, because: "webhook", message };
  if (code === 409 && reason === "AlreadyExists") return { ok: false, because: "exists", message };
  if (code === 422 && otherUid.test(message)) return { ok: false, because: "conflict", message };
  const because = byCode[code];
  return because === undefined ? undefined : { ok: false, because, message };
}
