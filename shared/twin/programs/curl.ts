import type { WebAnswer, WebTls } from "../web.ts";
import type { Program, ProgramContext } from "./program.ts";

/** One request of a command line, as far as `httpGet` writes them. */
type Request = Readonly<{
  url: string;
  insecure: boolean;
  head: boolean;
  connectSeconds: number;
  wholeSeconds: number;
  /** `NAME:PORT:ADDRESS`. */
  resolve: readonly string[];
}>;

const withValue = new Set(["--noproxy", "-A", "-o", "--connect-timeout", "-m", "--resolve", "-w"]);
const flags = new Set(["-q", "-k", "-I", "--fail-early"]);

/** Requests in order, or the first option that curl would not know. */
function requestsOf(args: readonly string[]): readonly Request[] | string {
  const requests: Request[] = [];
  const fresh = () => ({
    url: "",
    insecure: false,
    head: false,
    connectSeconds: 300,
    wholeSeconds: 600,
    resolve: [] as string[],
  });
  let current = fresh();
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "--next") {
      requests.push(current);
      current = fresh();
    } else if (withValue.has(word)) {
      const value = args[++i];
      if (value === undefined) return `option ${word}: requires parameter`;
      if (word === "--connect-timeout") current.connectSeconds = Number(value);
      if (word === "-m") current.wholeSeconds = Number(value);
      if (word === "--resolve") current.resolve.push(value);
    } else if (word === "-k") current.insecure = true;
    else if (word === "-I") current.head = true;
    else if (!word.startsWith("-")) current.url = word;
    else if (!flags.has(word) && !/^-[sS]+$/.test(word)) return `option ${word}: is unknown`;
  }
  return [...requests, current];
}

type Ended = Readonly<{
  exitcode: number;
  errormsg: string | null;
  connected: boolean;
  /** The handshake was done. */
  secured: boolean;
  status: number;
  redirect?: string;
  verifyResult: number;
  tls?: WebTls;
}>;

const covers = (names: readonly string[], host: string): boolean =>
  names.some((each) =>
    each.startsWith("*.") ? host.slice(host.indexOf(".")) === each.slice(1) : each === host,
  );

/** As OpenSSL words it: `Nov 23 06:44:54 2026 GMT`. */
function certificateTime(text: string): string {
  const [, day = "", month = "", year = "", time = ""] =
    /^\w+, (\d+) (\w+) (\d+) (\S+)/.exec(new Date(text).toUTCString()) ?? [];
  return `${month} ${String(Number(day)).padStart(2, " ")} ${time} ${year} GMT`;
}

const certificateText = ({ names, from, until, verifyResult }: WebTls): string => {
  const subject = `CN = ${names[0] ?? "Example"}`;
  const issuer = verifyResult === 18 ? subject : "C = US, O = Example CA, CN = E7";
  return [
    `Subject:${subject}`,
    `Issuer:${issuer}`,
    "Version:2",
    `X509v3 Subject Alternative Name:${names.map((each) => `DNS:${each}`).join(", ")}`,
    `Start date:${certificateTime(from)}`,
    `Expire date:${certificateTime(until)}`,
    "-----BEGIN CERTIFICATE-----",
    "MIIB",
    "-----END CERTIFICATE-----",
    "",
  ].join("\n");
};

const base = { connected: false, secured: false, status: 0, verifyResult: 0 };

/** What a verifying client makes of a certificate; 0 with `null` when it takes it. */
function verified(tls: WebTls, host: string, now: number): readonly [number, string | null] {
  const problem = (text: string) => `SSL certificate problem: ${text}`;
  if (Date.parse(tls.until) < now) return [10, problem("certificate has expired")];
  if (Date.parse(tls.from) > now) return [9, problem("certificate is not yet valid")];
  if (tls.verifyResult === 18) return [18, problem("self-signed certificate")];
  if (tls.verifyResult !== undefined && tls.verifyResult !== 0)
    return [tls.verifyResult, problem("unable to get local issuer certificate")];
  if (!covers(tls.names, host))
    return [1, `SSL: no alternative certificate subject name matches target host name '${host}'`];
  return [0, null];
}

/** One request, up to what ends it. Waits as long as the real program would. */
async function ask(request: Request, context: ProgramContext): Promise<Ended> {
  const { protocol, hostname: host, port: named } = new URL(request.url);
  const isTls = protocol === "https:";
  const port = Number(named || (isTls ? 443 : 80));
  const address =
    request.resolve
      .find((each) => each.startsWith(`${host}:${port}:`))
      ?.slice(`${host}:${port}:`.length)
      .replace(/^\[|\]$/g, "") ?? host.replace(/^\[|\]$/g, "");
  const wait = (seconds: number) => context.clock.sleep(seconds * 1_000, context.signal);
  const opened = context.connect(address, port);
  const failed = (why: string) => `Failed to connect to ${host} port ${port} after ${why}`;
  if (opened === "silence") {
    await wait(request.connectSeconds);
    const errormsg = failed(`${request.connectSeconds * 1_000} ms: Timeout was reached`);
    return { ...base, exitcode: 28, errormsg };
  }
  if (opened !== "open")
    return { ...base, exitcode: 7, errormsg: failed("0 ms: Couldn't connect to server") };
  const connected = { ...base, connected: true };
  const answer: WebAnswer = context.web(address, port) ?? { http: "banner" };
  const late = request.wholeSeconds * 1_000;
  if (isTls && answer.tls === undefined) {
    if (answer.http === "silent") {
      await wait(request.wholeSeconds);
      return { ...connected, exitcode: 28, errormsg: "SSL connection timeout" };
    }
    return {
      ...connected,
      exitcode: 35,
      errormsg: "OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number",
    };
  }
  if (isTls && answer.tls === "broken")
    return {
      ...connected,
      exitcode: 35,
      errormsg: `OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to ${host}:${port} `,
    };
  const tls = isTls && typeof answer.tls === "object" ? answer.tls : undefined;
  const trust = tls === undefined ? undefined : verified(tls, host, context.clock.now());
  const secured = {
    ...connected,
    ...(tls === undefined
      ? {}
      : { tls, secured: true, verifyResult: request.insecure ? 20 : (trust?.[0] ?? 0) }),
  };
  if (trust !== undefined && trust[1] !== null && !request.insecure)
    return { ...secured, secured: false, exitcode: 60, errormsg: trust[1] };
  if (!isTls && answer.tls !== undefined) return { ...secured, exitcode: 0, errormsg: null, status: 400 };
  if (answer.http === "silent") {
    await wait(request.wholeSeconds);
    const errormsg = `Operation timed out after ${late} milliseconds with 0 bytes received`;
    return { ...secured, exitcode: 28, errormsg };
  }
  if (answer.http === "closes") return { ...secured, exitcode: 52, errormsg: "Empty reply from server" };
  if (answer.http === "banner")
    return { ...secured, exitcode: 1, errormsg: "Received HTTP/0.9 when not allowed" };
  return {
    ...secured,
    exitcode: 0,
    errormsg: null,
    status: answer.http,
    ...(answer.redirect === undefined ? {} : { redirect: answer.redirect }),
  };
}

/** `-w '%{json}'` of curl 7.88, the keys that anybody reads. */
const reportOf = (request: Request, ended: Ended): string =>
  JSON.stringify({
    certs: ended.tls !== undefined && ended.secured ? certificateText(ended.tls) : "",
    errormsg: ended.errormsg,
    exitcode: ended.exitcode,
    http_code: ended.status,
    method: request.head ? "HEAD" : "GET",
    redirect_url: ended.redirect ?? null,
    remote_ip: ended.connected ? "answered" : "",
    response_code: ended.status,
    scheme: ended.connected ? request.url.slice(0, request.url.indexOf(":")).toUpperCase() : null,
    ssl_verify_result: ended.verifyResult,
    time_appconnect: ended.secured ? 0.021 : 0,
    time_connect: ended.connected ? 0.002 : 0,
    time_total: ended.exitcode === 28 ? request.wholeSeconds : 0.038,
    url: request.url,
  });

/** curl 7.88 as the catalogue calls it: requests to one address, with `--resolve`, `-k` or not, told as JSON. */
export const curl: Program = async (args, context) => {
  const requests = requestsOf(args);
  if (typeof requests === "string") {
    context.err(`curl: ${requests}\ncurl: try 'curl --help' or 'curl --manual' for more information\n`);
    return 2;
  }
  let exitCode = 0;
  for (const request of requests) {
    const ended = await ask(request, context);
    if (context.signal.aborted) return 143;
    exitCode = ended.exitcode;
    context.out(`${reportOf(request, ended)}\n`);
    if (exitCode !== 0) context.err(`curl: (${exitCode}) ${ended.errormsg ?? ""}\n`);
    if (exitCode !== 0 && args.includes("--fail-early")) break;
  }
  return exitCode;
};
