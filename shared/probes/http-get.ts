import * as z from "zod";
import { readFqdn } from "../dns/fqdn.ts";
import { FaultError } from "../fault.ts";
import { parseIp } from "../metallb/ip.ts";
import { checkedAddress } from "./checked-argument.ts";
import { commandFailure, firstLine, readJson, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import type { ShellOutput } from "./shell.ts";
import { wholeLines } from "./whole-lines.ts";

export type Scheme = "http" | "https";

export type HttpQuestion = Readonly<{
  scheme: Scheme;
  /** Where the connection goes, whatever the name resolves to. */
  address: string;
  port: number;
  /** What the client asks for, in TLS (SNI) and in `Host`; the address itself when left out. */
  name?: string;
}>;

/** The certificate that the server shows, as the handshake brought it. */
export type ServerCertificate = Readonly<{
  subject: string;
  issuer: string;
  /** Host names and addresses it is for, lower case. */
  names: readonly string[];
  /** Milliseconds since the epoch. */
  from: number;
  until: number;
}>;

export type TlsSeen = Readonly<{
  /**
   * OpenSSL's verify result against the machine's own trust: 0 trusted, 10 expired, 18 self-signed, 19 to 21 unknown
   * issuer. It says nothing about the name. Undefined when that could not be seen.
   */
  verifyResult: number | undefined;
  /** Undefined where the program does not tell (curl before 7.88, and some TLS libraries). */
  certificate: ServerCertificate | undefined;
}>;

/** How far one request got. */
export type HttpAnswer =
  | Readonly<{ kind: "no-connection"; because: "timed-out" | "failed"; said: string }>
  /** Connected, and no TLS came about. */
  | Readonly<{ kind: "no-tls"; because: "timed-out" | "failed"; said: string }>
  /** Connected, with TLS where it was asked for, and no HTTP answer. */
  | Readonly<{ kind: "no-http"; because: "timed-out" | "closed" | "not-http"; said: string; tls?: TlsSeen }>
  | Readonly<{ kind: "answered"; status: number; redirect?: string; seconds: number; tls?: TlsSeen }>;

/** Of one request, seconds: for the connection, and in all. */
export const connectSeconds = 2;
export const wholeSeconds = 3;

const report = z.object({
  http_code: z.int(),
  exitcode: z.int(),
  errormsg: z.string().nullish(),
  redirect_url: z.string().nullish(),
  ssl_verify_result: z.int(),
  remote_ip: z.string().nullish(),
  time_connect: z.number(),
  time_appconnect: z.number(),
  time_total: z.number(),
  scheme: z.string().nullish(),
  url: z.string(),
  certs: z.string().nullish(),
});

/** The leaf, out of the text that curl makes of the chain: lines `Key:Value` before each PEM. */
function leafOf(certs: string | null | undefined): ServerCertificate | undefined {
  const [leaf = ""] = (certs ?? "").split("-----BEGIN CERTIFICATE-----");
  const value = (key: string): string | undefined =>
    leaf
      .split("\n")
      .find((line) => line.startsWith(`${key}:`))
      ?.slice(key.length + 1)
      .trim();
  const from = Date.parse(value("Start date") ?? "");
  const until = Date.parse(value("Expire date") ?? "");
  if (Number.isNaN(from) || Number.isNaN(until)) return undefined;
  const names = (value("X509v3 Subject Alternative Name") ?? "")
    .split(",")
    .flatMap((each) => /^\s*(?:DNS|IP Address):(\S+)\s*$/.exec(each)?.[1]?.toLowerCase() ?? []);
  return { subject: value("Subject") ?? "", issuer: value("Issuer") ?? "", names, from, until };
}

/** Host names in URLs: what DNS allows for hosts, nothing that a URL would read otherwise. */
function checkedHost(name: string): string {
  const read = readFqdn(name);
  if (read.ok && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(read.fqdn)) return read.fqdn;
  throw new FaultError({ kind: "unreadable", what: "host name", detail: `${JSON.stringify(name)} is none` });
}

function checkedPort(port: number): string {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return String(port);
  throw new FaultError({ kind: "unreadable", what: "TCP port", detail: `${port} is none` });
}

const hostInUrl = (address: string): string => (address.includes(":") ? `[${address}]` : address);

/** Whether a name is among those of a certificate; a wildcard stands for exactly one label (RFC 6125, 6.4.3). */
export function certificateCovers({ names }: Pick<ServerCertificate, "names">, name: string): boolean {
  const wanted = name.toLowerCase();
  const address = parseIp(wanted)?.text;
  return names.some((each) => {
    if (address !== undefined) return parseIp(each)?.text === address;
    if (!each.startsWith("*.")) return each === wanted;
    const dot = wanted.indexOf(".");
    return dot > 0 && wanted.slice(dot) === each.slice(1);
  });
}

/** With a trusted chain and another name: curl before it looks (1, "unspecified"), or OpenSSL itself (62). */
const onlyTheName: readonly number[] = [0, 1, 62];

/** What a client without `-k` made of the certificate: its own words for it are an exit code and OpenSSL's result. */
function trustOf(verifying: z.output<typeof report> | undefined): number | undefined {
  if (verifying === undefined) return undefined;
  if (verifying.exitcode === 60)
    return onlyTheName.includes(verifying.ssl_verify_result) ? 0 : verifying.ssl_verify_result;
  return verifying.time_appconnect > 0 ? 0 : undefined;
}

/** One JSON document a line, one line a request. Throws FaultError. */
function reportsOf(output: ShellOutput): readonly [z.output<typeof report>, z.output<typeof report>?] {
  const fault = commandFailure(output, "curl");
  if (fault) throw new FaultError(fault);
  if (!output.stdout.startsWith("{"))
    throw unreadable("curl", firstLine(output.stderr) || firstLine(output.stdout) || "printed nothing");
  const [first, second] = wholeLines(output, "curl")
    .filter((line) => line !== "")
    .map((line) => {
      const parsed = report.safeParse(readJson({ ...output, stdout: line }, "curl"));
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      throw unreadable("curl", `${issue?.path.join(".")}: ${issue?.message}`);
    });
  if (first === undefined) throw unreadable("curl", "printed nothing");
  const last = second ?? first;
  if (last.exitcode !== output.exitCode)
    throw unreadable("curl", `exit code ${output.exitCode}, and it says ${last.exitcode}`);
  // It goes on to the second request unless the first one failed.
  if (first.url.startsWith("https:") && first.exitcode === 0 && second === undefined)
    throw new FaultError({ kind: "truncated", what: "curl", detail: "the second request is missing" });
  return [first, second];
}

/**
 * One GET that stops at what it learns about connection, TLS and status: the body is thrown away, redirects are not
 * followed, no proxy and no settings of the user take part. It lets a bad certificate pass so that the status is seen
 * too (`-k`). With that, curl loads no roots at all and its verify result means nothing, so for HTTPS a HEAD without it
 * follows in the same call: only that one tells whether the machine trusts the chain.
 */
export const httpGet: Probe<readonly [question: HttpQuestion], HttpAnswer> = {
  id: "http-get",
  tool: "curl",
  about: "one HTTP or HTTPS request to an address: connection, certificate, status",
  sample: [
    { scheme: "https", address: "10.4.11.4", port: 443, name: "ingress.services.k8s.goldentooth.net" },
  ],
  argv: ({ scheme, address, port, name }) => {
    const host = name === undefined ? undefined : checkedHost(name);
    const to = hostInUrl(checkedAddress(address));
    const request = (more: readonly string[]): readonly string[] => [
      "-sS",
      ...more,
      "--noproxy",
      "*",
      "-A",
      "arpeggio",
      "-o",
      "/dev/null",
      "--connect-timeout",
      String(connectSeconds),
      "-m",
      String(wholeSeconds),
      ...(host === undefined ? [] : ["--resolve", `${host}:${checkedPort(port)}:${to}`]),
      "-w",
      "%{json}\\n",
      `${scheme}://${host ?? to}:${checkedPort(port)}/`,
    ];
    return {
      argv:
        scheme === "http"
          ? ["curl", "-q", ...request([])]
          : ["curl", "-q", "--fail-early", ...request(["-k"]), "--next", ...request(["-I"])],
      privileged: false,
      timeoutMs: (2 * wholeSeconds + 1) * 1_000,
    };
  },
  read: (output) => {
    const [data, verifying] = reportsOf(output);
    const said = firstLine(data.errormsg ?? "") || `exit code ${data.exitcode}`;
    const secure = data.url.startsWith("https:");
    const tls: Readonly<{ tls?: TlsSeen }> =
      secure && data.time_appconnect > 0
        ? { tls: { verifyResult: trustOf(verifying), certificate: leafOf(data.certs) } }
        : {};
    if (data.http_code >= 100)
      return {
        kind: "answered",
        status: data.http_code,
        ...(data.redirect_url ? { redirect: data.redirect_url } : {}),
        seconds: data.time_total,
        ...tls,
      };
    const late = data.exitcode === 28;
    // A connection that stood still in the handshake leaves no time of its own, but an address.
    const connected = data.time_connect > 0 || Boolean(data.remote_ip);
    if ((data.exitcode === 7 || late) && !connected)
      return { kind: "no-connection", because: late ? "timed-out" : "failed", said };
    if (secure && tls.tls === undefined && [28, 35, 52, 56].includes(data.exitcode))
      return { kind: "no-tls", because: late ? "timed-out" : "failed", said };
    if (late) return { kind: "no-http", because: "timed-out", said, ...tls };
    if (data.exitcode === 52 || data.exitcode === 56)
      return { kind: "no-http", because: "closed", said, ...tls };
    if (data.exitcode === 1 || data.exitcode === 8)
      return { kind: "no-http", because: "not-http", said, ...tls };
    throw unreadable("curl", said);
  },
};
