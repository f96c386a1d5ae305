/** Why we could not look. A fault is never evidence of absence: it becomes `unknown` at the boundary that catches it. */
export type FaultKind =
  | "timed-out"
  | "unreachable"
  | "refused"
  | "denied"
  | "host-key-changed"
  | "missing-tool"
  | "missing-privilege"
  | "unreadable"
  | "truncated"
  | "not-configured"
  | "not-modelled"
  | "cancelled";

export type Fault = Readonly<{
  kind: FaultKind;
  /** What we tried to look at, as a noun phrase: "ssh to karstark", "list of l2advertisements". */
  what: string;
  /** What came back, in one line; never a secret, never a stack trace. */
  detail: string;
}>;

/** The one error type that ports throw for "could not look". Anything else that is thrown is a bug of ours. */
export class FaultError extends Error {
  override readonly name = "FaultError";
  readonly fault: Fault;

  constructor(fault: Fault, options?: ErrorOptions) {
    super(`${fault.what}: ${fault.detail}`, options);
    this.fault = fault;
  }
}

export const isFault = (value: unknown): value is Fault =>
  typeof value === "object" && value !== null && "kind" in value && "what" in value && "detail" in value;
