import { awsCode } from "./aws-fault.ts";

/** `[a, b]` taken apart at the commas between messages; those inside a message stand in brackets or in quotes. */
export function splitMessages(text: string): readonly string[] {
  const whole = text.trim();
  if (!whole.startsWith("[") || !whole.endsWith("]")) return whole === "" ? [] : [whole];
  const inner = whole.slice(1, -1);
  const starts = [
    ...inner.matchAll(/, (?=(?:Tried to|RRSet|Invalid|Duplicate|Number of|The request|A HostedZone)\b)/g),
  ];
  const out: string[] = [];
  let from = 0;
  for (const { index } of starts) {
    out.push(inner.slice(from, index));
    from = index + 2;
  }
  out.push(inner.slice(from));
  return out.map((each) => each.trim()).filter((each) => each !== "");
}

type Listed = Readonly<{ messages?: unknown; Messages?: Readonly<{ Message?: unknown }>; message?: unknown }>;

const texts = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string" && each !== "");

/** Codes after which nothing of the batch was done and trying the same again would end the same. */
const refusals = /^(InvalidInput|NoSuchHealthCheck|ValidationError|MalformedInput)$/;

/**
 * Route 53's words when it refused a batch, else `undefined`. They come in three shapes: a list of their own, one text
 * in brackets, or (an answer without the usual envelope, whose code the SDK does not find) elements of `Messages`.
 */
export function refusedBatch(error: unknown): readonly string[] | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { messages, Messages, message } = error as Listed;
  const own = [...texts(messages), ...texts(Messages?.Message)];
  const code = awsCode(error);
  if (code === "InvalidChangeBatch" || (own.length > 0 && /^(Unknown|UnknownError)?$/.test(code)))
    return own.length > 0 ? own : splitMessages(texts(message)[0] ?? "no reason given");
  return refusals.test(code) ? [`${code}: ${texts(message)[0] ?? "no reason given"}`] : undefined;
}
