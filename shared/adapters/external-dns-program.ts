import { execFile } from "node:child_process";
import { isAbsolute, resolve } from "node:path";
import type { ProgramOutput, RunProgram } from "../dns/external-dns-program.ts";
import { FaultError } from "../fault.ts";
import type { ClusterChoice } from "./kubeconfig.ts";
import { openReadOnlyApi } from "./read-only-api.ts";

/** How it finds the cluster and AWS; nothing else of our environment, least of all our own tokens. */
const passed =
  /^(PATH|HOME|KUBECONFIG|SSL_CERT_(FILE|DIR)|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|AWS_(REGION|DEFAULT_REGION|PROFILE|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|CONFIG_FILE|SHARED_CREDENTIALS_FILE|ENDPOINT_URL(_[A-Z0-9_]+)?|ROLE_ARN|ROLE_SESSION_NAME|WEB_IDENTITY_TOKEN_FILE|EC2_METADATA_DISABLED))$/;

const limitBytes = 64 * 1024 * 1024;

type Surroundings = Readonly<{
  variables: Readonly<Record<string, string | undefined>>;
  /** Which cluster is meant by a name. ExternalDNS knows neither `KUBECONFIG` nor contexts (pkg/client/config.go). */
  clusterOf: (name: string) => ClusterChoice;
  timeoutMs?: number;
}>;

/**
 * Runs an ExternalDNS of this machine, without a shell. It gets five minutes: its own back-off takes its time. The cluster
 * it sees through a door that only reads: in a dry run too it writes the status of DNSEndpoints (source/crd.go).
 */
export const runExternalDns =
  ({ variables, clusterOf, timeoutMs = 300_000 }: Surroundings): RunProgram =>
  async (path, args, { cluster, signal } = {}) => {
    if (cluster === undefined) return run(path, args, { variables, timeoutMs, signal });
    const door = await openReadOnlyApi(clusterOf(cluster));
    try {
      return await run(path, [`--kubeconfig=${door.kubeconfig}`, ...args], { variables, timeoutMs, signal });
    } finally {
      await door.close();
    }
  };

function run(
  path: string,
  args: readonly string[],
  {
    variables,
    timeoutMs,
    signal,
  }: Readonly<Required<Pick<Surroundings, "variables" | "timeoutMs">> & { signal: AbortSignal | undefined }>,
): Promise<ProgramOutput> {
  const what = `program ${path}`;
  // With AWS_CA_BUNDLE it does not start: its HTTP client is its own, and the SDK cannot put roots into that.
  const roots = variables.AWS_CA_BUNDLE ?? variables.SSL_CERT_FILE;
  const env = Object.fromEntries(
    Object.entries({ ...variables, SSL_CERT_FILE: roots }).filter(
      ([name, value]) => passed.test(name) && value !== undefined,
    ),
  );
  return new Promise((done, reject) => {
    const child = execFile(
      isAbsolute(path) ? path : resolve(path),
      [...args],
      { env, timeout: timeoutMs, maxBuffer: limitBytes, ...(signal && { signal }) },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === "number") return done({ exitCode: code, stdout, stderr });
        const fail = (
          kind: "missing-tool" | "denied" | "timed-out" | "truncated" | "cancelled" | "refused",
          detail: string,
        ) => reject(new FaultError({ kind, what, detail }));
        if (code === "ENOENT") return fail("missing-tool", "there is no such file");
        if (code === "EACCES") return fail("denied", "it may not be run by this account");
        if (code === "ABORT_ERR") return fail("cancelled", "cancelled");
        if (String(code) === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
          return fail("truncated", `more than ${limitBytes / 1024 / 1024} MiB of output`);
        if (error?.killed) return fail("timed-out", `it did not end in ${timeoutMs / 1_000} s`);
        return fail("refused", error?.message.split("\n")[0] ?? "it did not run");
      },
    );
    child.stdin?.end();
  });
}
