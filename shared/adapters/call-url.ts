import { FaultError } from "../fault.ts";

const timeoutMs = 10_000;

/**
 * Calls a URL whose path is a secret, and throws FaultError unless it answers 2xx; neither the fault nor anything else
 * says the URL. Redirects are no answer.
 */
export async function callUrl(url: string, method: "GET" | "POST", signal: AbortSignal): Promise<void> {
  const what = "the URL of the dead man's switch";
  let status: number;
  try {
    const response = await fetch(url, {
      method,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    status = response.status;
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: unknown } };
    const code = typeof cause?.code === "string" ? cause.code : name;
    throw new FaultError({
      kind: code === "TimeoutError" ? "timed-out" : "unreachable",
      what,
      detail: code === "TimeoutError" ? `no answer within ${timeoutMs / 1_000} s` : code,
    });
  }
  if (status < 200 || status > 299)
    throw new FaultError({ kind: "refused", what, detail: `it answered ${status}` });
}
