import type { Refusal } from "#shared/twin/object-store.ts";

/** Ends a request with a `Status` failure from anywhere inside the API edge; the edge's entry turns it into the response. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** `metav1.Status` as the API server sends it for a failure. */
export const failure = ({ code, reason, message, details }: Refusal): Readonly<Record<string, unknown>> => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  ...(reason === "" ? {} : { reason }),
  ...(details ? { details } : {}),
  code,
});
