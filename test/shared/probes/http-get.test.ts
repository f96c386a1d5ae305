import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { certificateCovers, httpGet } from "#shared/probes/http-get.ts";
import { capturedOutput, shellOutput } from "./captured.ts";

const read = (fixture: string) => httpGet.read(capturedOutput("http", fixture));

const from2026 = Date.UTC(2026, 0, 1);
const until2036 = Date.UTC(2036, 11, 31, 23, 59, 59);
const root = "CN = Example Root";

describe("what one request learns, as curl 7.88 says it", () => {
  it.each([
    ["http-ok", { kind: "answered", status: 200 }],
    ["http-500", { kind: "answered", status: 500 }],
    ["http-redirect", { kind: "answered", status: 302, redirect: "https://web.example.net/login" }],
    ["refused", { kind: "no-connection", because: "failed" }],
    ["connect-timed-out", { kind: "no-connection", because: "timed-out" }],
    ["not-tls", { kind: "no-tls", because: "failed" }],
    ["handshake-failure", { kind: "no-tls", because: "failed" }],
    ["silent-tls", { kind: "no-tls", because: "timed-out" }],
    ["silent", { kind: "no-http", because: "timed-out" }],
    ["empty-reply", { kind: "no-http", because: "closed" }],
    ["not-http", { kind: "no-http", because: "not-http" }],
  ] as const)("%s", (fixture, expected) => {
    const answer = read(fixture);
    expect(answer).toMatchObject(expected);
    expect(answer).not.toHaveProperty("tls");
  });

  it.each([
    ["https-valid", 0, ["web.example.net", "*.apps.example.net"], root, from2026, until2036],
    ["https-unknown-issuer", 20, ["web.example.net", "*.apps.example.net"], root, from2026, until2036],
    ["https-wrong-name", 0, ["other.example.net"], root, from2026, until2036],
    ["https-expired", 10, ["web.example.net"], root, Date.UTC(2025, 0, 1), Date.UTC(2026, 5, 1)],
  ] as const)("%s", (fixture, verifyResult, names, issuer, from, until) => {
    expect(read(fixture)).toMatchObject({
      kind: "answered",
      status: 200,
      tls: { verifyResult, certificate: { names, issuer, from, until } },
    });
  });

  it("reads a self-signed certificate", () => {
    const answer = read("https-self-signed");
    const certificate = answer.kind === "answered" ? answer.tls?.certificate : undefined;
    expect(certificate).toMatchObject({
      subject: "CN = TRAEFIK DEFAULT CERT",
      issuer: "CN = TRAEFIK DEFAULT CERT",
    });
    expect(answer).toMatchObject({ tls: { verifyResult: 18 } });
  });

  it("tells no certificate where the program does not", () => {
    const whole = capturedOutput("http", "https-valid");
    const lines = whole.stdout.trim().split("\n");
    const without = lines.map((line) => {
      const { certs: _, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return `${JSON.stringify(rest)}\n`;
    });
    expect(httpGet.read(shellOutput({ stdout: without.join("") }))).toMatchObject({
      kind: "answered",
      tls: { verifyResult: 0, certificate: undefined },
    });
  });

  it("takes the missing second request for a cut, and one that failed in between for no word on trust", () => {
    const [first = "", second = ""] = capturedOutput("http", "https-valid").stdout.trim().split("\n");
    expect(() => httpGet.read(shellOutput({ stdout: `${first}\n` }))).toThrow(/missing/);
    const late = { ...(JSON.parse(second) as object), exitcode: 28, time_appconnect: 0 };
    const answer = httpGet.read(shellOutput({ stdout: `${first}\n${JSON.stringify(late)}\n`, exitCode: 28 }));
    expect(answer).toMatchObject({ kind: "answered", tls: { verifyResult: undefined } });
  });

  it("makes no answer of a program that knows no JSON, or of two exit codes that differ", () => {
    const stderr = "curl: unknown --write-out variable: 'json'\n";
    expect(() => httpGet.read(shellOutput({ stdout: "\n", stderr }))).toThrow(FaultError);
    const refused = capturedOutput("http", "refused");
    expect(() => httpGet.read({ ...refused, exitCode: 0 })).toThrow(FaultError);
    const usage = { stderr: "curl: option --noproxy: requires parameter\n", exitCode: 2 };
    expect(() => httpGet.read(shellOutput(usage))).toThrow(FaultError);
  });
});

describe("its command", () => {
  it("asks for the name at the address, past proxies and settings", () => {
    const { argv, privileged } = httpGet.argv({
      scheme: "https",
      address: "10.4.11.4",
      port: 443,
      name: "Web.Example.net",
    });
    expect(argv.slice(0, 2)).toEqual(["curl", "-q"]);
    expect(argv).toContain("web.example.net:443:10.4.11.4");
    expect(argv.at(-1)).toBe("https://web.example.net:443/");
    expect(privileged).toBe(false);
  });

  it("brackets an IPv6 address, and names none where there is none", () => {
    const { argv } = httpGet.argv({ scheme: "http", address: "2001:db8::1", port: 80 });
    expect(argv.at(-1)).toBe("http://[2001:db8::1]:80/");
    expect(argv).not.toContain("--resolve");
  });

  it("takes nothing that a URL or an option parser would read otherwise", () => {
    const base = { scheme: "http", address: "10.4.11.1", port: 80 } as const;
    for (const name of ["a/b", "a:b", "user@a", "-o", "a b", "", "a_b", "*.example.net", "a?x=1", "a#b"])
      expect(() => httpGet.argv({ ...base, name }), name).toThrow(FaultError);
    expect(() => httpGet.argv({ ...base, port: 0 })).toThrow(FaultError);
    expect(() => httpGet.argv({ ...base, address: "example.net" })).toThrow(FaultError);
    fc.assert(
      fc.property(fc.string(), (name) => {
        try {
          const { argv } = httpGet.argv({ ...base, name });
          expect(argv.at(-1)).toMatch(/^http:\/\/[a-z0-9.-]+:80\/$/);
        } catch (error) {
          expect(error).toBeInstanceOf(FaultError);
        }
      }),
    );
  });
});

describe("which names a certificate covers", () => {
  const names = ["web.example.net", "*.apps.example.net", "10.4.11.4"];
  it.each([
    ["web.example.net", true],
    ["WEB.example.net", true],
    ["x.apps.example.net", true],
    ["x.y.apps.example.net", false],
    ["apps.example.net", false],
    ["other.example.net", false],
    ["10.4.11.4", true],
    ["10.4.11.5", false],
  ])("%s: %s", (name, covered) => {
    expect(certificateCovers({ names }, name)).toBe(covered);
  });
});
