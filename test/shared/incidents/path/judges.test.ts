import { beforeAll, describe, expect, it } from "vitest";
import type { Link } from "#shared/incidents/link.ts";
import type { ClientView, PathEvidence } from "#shared/incidents/path/evidence.ts";
import { judgeAddress } from "#shared/incidents/path/judge-address.ts";
import { judgePods } from "#shared/incidents/path/judge-pods.ts";
import { judgeRoute, judgeTcp } from "#shared/incidents/path/judge-reach.ts";
import { judgeWeb } from "#shared/incidents/path/judge-web.ts";
import type { Judged } from "#shared/incidents/path/reason.ts";
import type { Answer } from "#shared/probes/answer.ts";
import type { HttpAnswer, TlsSeen } from "#shared/probes/http-get.ts";
import type { PortState } from "#shared/probes/node-memberlist.ts";
import { plain } from "#shared/text.ts";
import { evidenceAbout } from "./evidence-on-twin.ts";

let plainHttp: PathEvidence;
let secure: PathEvidence;

beforeAll(async () => {
  plainHttp = await evidenceAbout("httpbin");
  secure = await evidenceAbout("ingress-nginx-controller");
});

const linkOf = (judged: readonly Judged[], id: string): Link => {
  const found = judged.find(({ link }) => link.id === id)?.link;
  if (found === undefined) throw new Error(`no link ${id}`);
  return found;
};

const codesOf = (link: Link): readonly string[] =>
  link.outcome === "failed" || link.outcome === "passed" ? link.findings.map(({ code }) => code) : [];

const short = (judged: readonly Judged[], id: string): string => {
  const link = linkOf(judged, id);
  return [link.outcome, ...codesOf(link)].join(" ");
};

const ok = <T>(evidence: T): Answer<T> => ({ ok: true, evidence });
const late = { ok: false, fault: { kind: "timed-out", what: "curl", detail: "not back after 8 s" } } as const;

const day = 86_400_000;

const withHttp = (evidence: PathEvidence, answer: Answer<HttpAnswer>): PathEvidence => ({
  ...evidence,
  clients: evidence.clients.map((client) => ({ ...client, http: client.http && { ...client.http, answer } })),
});

const tls = (
  more: Partial<NonNullable<TlsSeen["certificate"]>> = {},
  verifyResult: number | undefined = 0,
): TlsSeen => ({
  verifyResult,
  certificate: {
    subject: "CN = ingress",
    issuer: "CN = Example",
    names: ["ingress.services.k8s.goldentooth.net"],
    from: secure.now - 30 * day,
    until: secure.now + 60 * day,
    ...more,
  },
});

const answered = (status: number, seen?: TlsSeen): Answer<HttpAnswer> =>
  ok({ kind: "answered", status, seconds: 0.04, ...(seen === undefined ? {} : { tls: seen }) });

describe("TLS", () => {
  it.each<readonly [string, () => Answer<HttpAnswer>, string]>([
    ["valid", () => answered(200, tls()), "passed"],
    [
      "ends in ten days",
      () => answered(200, tls({ until: secure.now + 10 * day })),
      "passed certificate-ends-soon",
    ],
    ["ended", () => answered(200, tls({ until: secure.now - day }, 10)), "failed certificate-expired"],
    ["not yet", () => answered(200, tls({ from: secure.now + day })), "failed certificate-not-yet-valid"],
    ["another name", () => answered(200, tls({ names: ["other.net"] })), "failed certificate-wrong-name"],
    [
      "ended, and for another name",
      () => answered(200, tls({ names: [], until: secure.now - day })),
      "failed certificate-expired certificate-wrong-name",
    ],
    ["self-signed is a remark", () => answered(200, tls({}, 18)), "passed certificate-untrusted"],
    ["trust that nobody saw is no remark", () => answered(200, tls({}, undefined)), "passed"],
    [
      "a program that tells no certificate",
      () => answered(200, { verifyResult: 0, certificate: undefined }),
      "unknown",
    ],
    [
      "no TLS there",
      () => ok({ kind: "no-tls", because: "failed", said: "SSL routines::wrong version number" }),
      "failed not-tls",
    ],
    [
      "a failed handshake",
      () => ok({ kind: "no-tls", because: "failed", said: "SYSCALL" }),
      "failed tls-handshake-failed",
    ],
    ["silence", () => ok({ kind: "no-tls", because: "timed-out", said: "timeout" }), "failed tls-silent"],
    ["no connection", () => ok({ kind: "no-connection", because: "timed-out", said: "timeout" }), "skipped"],
    ["nobody could ask", () => late, "unknown"],
  ])("%s", (_what, answer, expected) => {
    expect(short(judgeWeb(withHttp(secure, answer())), "tls")).toBe(expected);
  });

  it("does not arise where the port speaks plain HTTP", () => {
    expect(short(judgeWeb(plainHttp), "tls")).toBe("skipped");
  });
});

describe("HTTP", () => {
  it.each<readonly [string, Answer<HttpAnswer>, string]>([
    ["a page", answered(200), "passed"],
    ["not found is an answer", answered(404), "passed"],
    [
      "a redirect is an answer",
      ok({ kind: "answered", status: 302, redirect: "https://x/", seconds: 0.1 }),
      "passed",
    ],
    ["an error of the server", answered(502), "failed http-server-error"],
    ["a hang-up", ok({ kind: "no-http", because: "closed", said: "" }), "failed http-closed"],
    ["silence", ok({ kind: "no-http", because: "timed-out", said: "" }), "failed http-silent"],
    ["another protocol", ok({ kind: "no-http", because: "not-http", said: "" }), "skipped"],
    ["no connection", ok({ kind: "no-connection", because: "failed", said: "" }), "skipped"],
    ["nobody could ask", late, "unknown"],
  ])("%s", (_what, answer, expected) => {
    expect(short(judgeWeb(withHttp(plainHttp, answer)), "http")).toBe(expected);
  });

  it("goes by the client whose request got furthest", () => {
    const [first, ...rest] = plainHttp.clients;
    const blocked = first && {
      ...first,
      http: first.http && {
        ...first.http,
        answer: ok<HttpAnswer>({ kind: "no-connection", because: "timed-out", said: "" }),
      },
    };
    const evidence = { ...plainHttp, clients: [...(blocked === undefined ? [] : [blocked]), ...rest] };
    expect(short(judgeWeb(evidence), "http")).toBe("passed");
  });

  it("is unknown without anybody outside to ask, never skipped", () => {
    expect(short(judgeWeb({ ...plainHttp, clients: [] }), "http")).toBe("unknown");
  });
});

const withTcp = (
  evidence: PathEvidence,
  states: Readonly<Record<string, PortState | "late">>,
): PathEvidence => ({
  ...evidence,
  clients: evidence.clients.map((client): ClientView => {
    const state = states[client.vantage.name] ?? "open";
    return { ...client, tcp: [{ port: 80, answer: state === "late" ? late : ok(state) }] };
  }),
});

describe("new connections", () => {
  it.each<readonly [string, Readonly<Record<string, PortState | "late">>, string]>([
    ["open from everywhere", {}, "passed"],
    ["one vantage could not try", { laptop: "late" }, "passed"],
    ["nobody could try", { "ops-host": "late", laptop: "late", "guest-client": "late" }, "unknown"],
    [
      "refused everywhere",
      { "ops-host": "refused", laptop: "refused", "guest-client": "refused" },
      "failed pod-refuses policy-rejects",
    ],
    [
      "silent everywhere",
      { "ops-host": "filtered", laptop: "filtered", "guest-client": "filtered" },
      "failed not-forwarded traffic-dropped",
    ],
    ["silent to one", { laptop: "filtered" }, "failed client-way-back not-forwarded traffic-dropped"],
  ])("%s", (_what, states, expected) => {
    const judged = judgeTcp(withTcp(plainHttp, states));
    expect(short([judged], "tcp")).toBe(expected);
    // What a closed port means is never certain by itself.
    expect(judged.reasons.filter(({ certain }) => certain)).toEqual([]);
  });

  it("a Service of UDP ports cannot be tried, and that is said", () => {
    const service = plainHttp.service && {
      ...plainHttp.service,
      ports: plainHttp.service.ports.map((port) => ({ ...port, protocol: "UDP" })),
    };
    const { link } = judgeTcp({ ...plainHttp, service });
    expect(link.outcome).toBe("skipped");
    expect(plain(link.because)).toMatch(/UDP/);
  });
});

describe("the way", () => {
  const withRoute = (place: string, route: ClientView["route"]): PathEvidence => ({
    ...plainHttp,
    clients: plainHttp.clients.map((client) =>
      client.vantage.place === place ? { ...client, route } : client,
    ),
  });
  it.each<readonly [string, PathEvidence | (() => PathEvidence), string]>([
    ["on-link", () => plainHttp, "passed"],
    [
      "through a node",
      () => withRoute("lan-wired", ok({ kind: "via", nic: "eth0", gateway: "10.4.0.13" })),
      "failed vantage-route-via-node",
    ],
    [
      "through something else",
      () => withRoute("lan-wired", ok({ kind: "via", nic: "eth0", gateway: "10.4.0.1" })),
      "failed vantage-route-via-gateway",
    ],
    [
      "no route",
      () => withRoute("lan-wifi", ok({ kind: "unreachable", because: "Network is unreachable" })),
      "failed vantage-no-route",
    ],
    [
      "a gateway is right behind the router",
      () => withRoute("behind-router", ok({ kind: "via", nic: "eth0", gateway: "192.168.50.1" })),
      "passed",
    ],
  ])("%s", (_what, evidence, expected) => {
    const given = typeof evidence === "function" ? evidence() : evidence;
    expect(short([judgeRoute(given)], "route")).toBe(expected);
  });

  it("a gateway is right where the address is outside the segment", () => {
    const evidence = withRoute("lan-wired", ok({ kind: "via", nic: "eth0", gateway: "10.4.0.1" }));
    const elsewhere = {
      ...evidence,
      config: { ...evidence.config, site: { ...evidence.config.site, lanPrefix: "10.99.0.0/24" } },
    };
    expect(short([judgeRoute(elsewhere)], "route")).toBe("passed");
  });
});

describe("what is behind", () => {
  it("an endpoint that is not ready is a remark while another serves", () => {
    const lists = {
      ...secure.lists,
      endpointslices: (secure.lists.endpointslices as readonly { endpoints?: readonly object[] }[]).map(
        (slice) => ({
          ...slice,
          endpoints: slice.endpoints?.map((each, i) =>
            i === 0 ? each : { ...each, conditions: { ready: false } },
          ),
        }),
      ) as never,
    };
    expect(short(judgePods({ ...secure, lists }), "endpoints")).toBe("passed some-endpoints-not-ready");
  });

  it("policy Local: an announcer without a pod drops everything", () => {
    const wire = plainHttp.wire;
    const service = plainHttp.service && { ...plainHttp.service, policy: "Local" as const };
    const judged = judgePods({ ...plainHttp, wire, service });
    expect(short(judged, "pods-nodes")).toBe("failed no-local-endpoint");
  });

  it("a target that containers do not declare is no failure while connections open", () => {
    const service = plainHttp.service && {
      ...plainHttp.service,
      ports: plainHttp.service.ports.map((port) => ({ ...port, target: 9_999 })),
    };
    expect(short(judgePods({ ...plainHttp, service }), "endpoints")).toBe("passed");
    const refused = withTcp({ ...plainHttp, service }, { "ops-host": "refused" });
    expect(short(judgePods(refused), "endpoints")).toBe("failed target-port");
  });
});

describe("the address", () => {
  it("that was refused says why, in the controller's words", () => {
    const event = {
      name: "e",
      namespace: "httpbin",
      kind: "Service",
      object: "httpbin/httpbin",
      reason: "AllocationFailed",
      message: 'Failed to allocate IP for "httpbin/httpbin": no available IPs',
      type: "Warning",
      component: "metallb-controller",
      time: "2026-03-01T14:01:00Z",
    };
    const { surroundings } = plainHttp;
    const objects = {
      ...surroundings.objects,
      services: surroundings.objects.services.map((each) =>
        each.name === "httpbin" ? { ...each, ingress: [] } : each,
      ),
      events: [...surroundings.objects.events, event],
    };
    const evidence = {
      ...plainHttp,
      subject: { ...plainHttp.subject, ip: undefined },
      surroundings: { ...surroundings, objects: objects as typeof surroundings.objects },
    };
    const judged = judgeAddress(evidence);
    expect(short(judged, "address")).toBe("failed address-not-allocated");
    expect(plain(linkOf(judged, "address").because)).toMatch(/no available IPs/);
  });

  it("of another load balancer is unknown, not missing", () => {
    const { surroundings } = plainHttp;
    const objects = {
      ...surroundings.objects,
      services: surroundings.objects.services.map((each) =>
        each.name === "httpbin" ? { ...each, ingress: [], loadBalancerClass: "example.com/other" } : each,
      ),
    };
    const evidence = {
      ...plainHttp,
      subject: { ...plainHttp.subject, ip: undefined },
      surroundings: { ...surroundings, objects },
    };
    expect(short(judgeAddress(evidence), "address")).toBe("unknown");
  });
});
