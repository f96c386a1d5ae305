import { describe, expect, it } from "vitest";
import { httpGet, type Scheme } from "#shared/probes/http-get.ts";
import { patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { WebSpec } from "#shared/twin/web.ts";
import { captured } from "../probes/captured.ts";
import { twinOf } from "./twin-fixture.ts";

const ingress = "ingress-nginx/ingress-nginx-controller";
const host = "ingress.services.k8s.goldentooth.net";
const long = { from: "2020-01-01T00:00:00Z", until: "2040-01-01T00:00:00Z" };

const web = async (
  served: WebSpec | undefined,
  scheme: Scheme,
  address: string,
  port: number,
  name?: string,
) => {
  const fixture = twinOf(healthy());
  if (served !== undefined) fixture.twin.web.serve(served);
  const question = { scheme, address, port, ...(name === undefined ? {} : { name }) };
  return httpGet.read(await fixture.run("ops-host", httpGet.argv(question).argv.join(" ")));
};

describe("curl against what Services serve", () => {
  it.each([
    ["a page", undefined, "http", "10.4.11.1", 80, { kind: "answered", status: 200 }],
    ["an error", { service: "httpbin/httpbin", http: 503 }, "http", "10.4.11.1", 80, { status: 503 }],
    [
      "a redirect",
      { service: "httpbin/httpbin", http: 301, redirect: "https://x/" },
      "http",
      "10.4.11.1",
      80,
      { status: 301, redirect: "https://x/" },
    ],
    ["silence", { service: "httpbin/httpbin", http: "silent" }, "http", "10.4.11.1", 80, { kind: "no-http" }],
    [
      "a hang-up",
      { service: "httpbin/httpbin", http: "closes" },
      "http",
      "10.4.11.1",
      80,
      { because: "closed" },
    ],
    [
      "a banner",
      { service: "httpbin/httpbin", http: "banner" },
      "http",
      "10.4.11.1",
      80,
      { because: "not-http" },
    ],
    ["no TLS", undefined, "https", "10.4.11.1", 80, { kind: "no-tls", because: "failed" }],
    [
      "a broken handshake",
      { service: ingress, tls: "broken" },
      "https",
      "10.4.11.4",
      443,
      { kind: "no-tls" },
    ],
    ["nobody", undefined, "http", "10.4.10.250", 80, { kind: "no-connection", because: "timed-out" }],
    ["plain HTTP at a TLS port", undefined, "http", "10.4.11.4", 443, { status: 400 }],
  ] as const)("%s", async (_what, served, scheme, address, port, expected) => {
    expect(await web(served, scheme, address, port)).toMatchObject(expected);
  });

  it.each([
    ["trusted", undefined, 0],
    ["expired", { names: [host], from: long.from, until: "2021-01-01T00:00:00Z" }, 10],
    ["self-signed", { names: [host], ...long, verifyResult: 18 }, 18],
    ["of an unknown issuer", { names: [host], ...long, verifyResult: 20 }, 20],
    ["for another name", { names: ["other.goldentooth.net"], ...long }, 0],
  ] as const)("a certificate that is %s", async (_what, tls, verifyResult) => {
    const answer = await web(
      tls === undefined ? undefined : { service: ingress, tls },
      "https",
      "10.4.11.4",
      443,
      host,
    );
    expect(answer).toMatchObject({
      kind: "answered",
      status: 200,
      tls: { verifyResult, certificate: { names: tls?.names ?? [host] } },
    });
  });

  it("tells all that is read of the real program's JSON", () => {
    const real = Object.keys(JSON.parse(captured("http", "http-ok").stdout) as object);
    const fixture = twinOf(healthy());
    return fixture
      .run("ops-host", httpGet.argv({ scheme: "http", address: "10.4.11.1", port: 80 }).argv.join(" "))
      .then(({ stdout }) => {
        expect(Object.keys(JSON.parse(stdout) as object).filter((key) => !real.includes(key))).toEqual([]);
      });
  });

  it("is refused where the Service leads to a port that no container declares", async () => {
    const site = withFaults(
      healthy(),
      patchObject("services", "httpbin", {
        spec: { ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8081 }] },
      }),
    );
    const fixture = twinOf(site);
    const question = { scheme: "http", address: "10.4.11.1", port: 80 } as const;
    expect(httpGet.read(await fixture.run("ops-host", httpGet.argv(question).argv.join(" ")))).toMatchObject({
      kind: "no-connection",
      because: "failed",
    });
  });
});
