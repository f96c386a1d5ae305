import { FaultError, type FaultKind } from "../fault.ts";

type Sent = Readonly<{
  name?: unknown;
  code?: unknown;
  message?: unknown;
  cause?: unknown;
  $metadata?: Readonly<{ httpStatusCode?: number }>;
  /** Only on errors that the service told itself. */
  $fault?: unknown;
}>;

const sentOf = (error: unknown): Sent => (typeof error === "object" && error !== null ? (error as Sent) : {});

/** The error's code as AWS sends it (`Throttling`, `NoSuchHostedZone`), or of the transport (`ECONNREFUSED`). */
export const awsCode = (error: unknown): string => {
  const { name, code } = sentOf(error);
  if (typeof code === "string") return code;
  return typeof name === "string" ? name : "";
};

/** The service's own word, in one line. */
const words = (error: unknown): string => {
  const { message } = sentOf(error);
  return typeof message === "string" ? message.replace(/\s+/g, " ").trim().slice(0, 300) : String(error);
};

/** Answered, and the answer says that nothing was done for lack of quota. Route 53 sends both of the first two with 400. */
const throttled =
  /^(Throttling|PriorRequestNotComplete|Throttled|TooManyRequests|RequestLimitExceeded|SlowDown)/;

export const isThrottled = (error: unknown): boolean => throttled.test(awsCode(error));

/** Answered, but not by the service or not whole: what came could not be read. */
const isUnreadable = (error: unknown): boolean => {
  const { $fault, $metadata, code } = sentOf(error);
  const responded = $metadata?.httpStatusCode !== undefined || "$response" in Object(error);
  return $fault === undefined && code === undefined && responded;
};

/** No answer, or an answer that says nothing about what was done. */
export function isUncertain(error: unknown): boolean {
  const { $metadata, code, name } = sentOf(error);
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return typeof code === "string" || name === "TimeoutError" || isUnreadable(error);
  return status >= 500 || isUnreadable(error);
}

const kinds: readonly (readonly [RegExp, FaultKind])[] = [
  [throttled, "timed-out"],
  [
    /AccessDenied|NotAuthorized|UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch|ExpiredToken|InvalidSignature|^InvalidAccessKeyId/,
    "denied",
  ],
  [/CredentialsProviderError|^Region is missing/, "not-configured"],
  [/NoSuchHostedZone|ResourceNotFound|NoSuchBucket|FunctionNotFound/, "not-configured"],
  [/^AbortError$|RequestAborted/, "cancelled"],
  [/Timeout|ETIMEDOUT/, "timed-out"],
  [/ECONNREFUSED/, "refused"],
  [/ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONNRESET|EPIPE/, "unreachable"],
];

/** What a failed call of the AWS SDK means; `what` is what we tried, as a noun phrase. */
export function awsFault(error: unknown, what: string): FaultError {
  if (error instanceof FaultError) return error;
  const code = awsCode(error);
  const known = kinds.find(([pattern]) => pattern.test(code))?.[1];
  const kind = known ?? (isUnreadable(error) ? "unreadable" : "refused");
  const detail = words(error);
  return new FaultError(
    { kind, what, detail: code === "" || detail.startsWith(code) ? detail : `${code}: ${detail}` },
    { cause: error },
  );
}
