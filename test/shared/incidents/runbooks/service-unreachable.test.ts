import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import { FaultError } from "#shared/fault.ts";
import { firstBroken } from "#shared/incidents/diagnosis.ts";
import { pathLinks } from "#shared/incidents/path/reason.ts";
import type { DiagnosePorts } from "#shared/incidents/runbook.ts";
import { serviceUnreachable } from "#shared/incidents/runbooks/service-unreachable.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import {
  onMachine,
  onNic,
  patchObject,
  plugIn,
  removeObject,
  type SiteFault,
  staticRoute,
  wifiOn,
  withFaults,
} from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy, healthyPlan } from "#shared/twin/sites/healthy.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { ask, concluded, diagnosed, outcomes, type World } from "../on-twin.ts";

const ip = "10.4.11.1";
const ingress = "ingress-nginx/ingress-nginx-controller";
const host = "ingress.services.k8s.goldentooth.net";

const site =
  (...faults: readonly SiteFault[]) =>
  (): SiteSpec =>
    withFaults(healthy(), ...faults);

/** The node that announces httpbin in the healthy site. */
const leaderOf = (twin: Twin): string => twin.layer2Announcers(ip)[0]?.split("/")[0] ?? "nobody";

/** Every endpoint and pod of a Service, changed. */
const pods =
  (
    service: string,
    change: Readonly<{ endpoint?: object; conditions?: object; status?: object }>,
  ): SiteFault =>
  (spec) => ({
    ...spec,
    objects: spec.objects.map((each) => {
      const { kind, object } = each;
      if (kind === "endpointslices" && object.metadata.labels?.["kubernetes.io/service-name"] === service)
        return {
          kind,
          object: {
            ...object,
            endpoints: (object.endpoints as object[]).map((endpoint) => ({
              ...endpoint,
              conditions: change.conditions,
              ...change.endpoint,
            })),
          },
        };
      if (kind === "pods" && object.metadata.labels?.["app.kubernetes.io/name"] === service && change.status)
        return { kind, object: { ...object, status: change.status } };
      return each;
    }),
  });

const idle = { ready: false, serving: false, terminating: false };
const crashing = {
  phase: "Running",
  conditions: [{ type: "Ready", status: "False" }],
  containerStatuses: [{ name: "httpbin", state: { waiting: { reason: "CrashLoopBackOff" } } }],
};

const withoutVantages = (ports: DiagnosePorts): DiagnosePorts => ({
  ...ports,
  config: { ...ports.config, vantages: [] },
});

type Row = readonly [what: string, expected: string, word: string, world: World, first?: string];

const rows: readonly Row[] = [
  ["a healthy Service", "healthy", "httpbin", {}],
  ["the same by address", "healthy", ip, {}],
  ["the same by name", "healthy", "httpbin.services.k8s.goldentooth.net", {}],
  ["one with TLS and policy Local", "healthy", ingress, {}],
  [
    "no L2Advertisement",
    "cause: no-l2-advertisement",
    "httpbin",
    { site: site(removeObject("l2advertisements", "primary")) },
    "advertisement",
  ],
  [
    "no pod is ready",
    "cause: no-ready-endpoint",
    "httpbin",
    { site: site(pods("httpbin", { conditions: idle, status: crashing })) },
  ],
  [
    "a selector that means no pod",
    "cause: no-pods",
    "httpbin",
    {
      site: site(
        pods("httpbin", { conditions: idle }),
        patchObject("services", "httpbin", { spec: { selector: { "app.kubernetes.io/name": "htpbin" } } }),
      ),
    },
  ],
  [
    "a wrong targetPort",
    "cause: target-port",
    "httpbin",
    {
      site: site(
        patchObject("services", "httpbin", {
          spec: { ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8081 }] },
        }),
      ),
    },
    "tcp",
  ],
  [
    "an application that fails",
    "cause: http-server-error",
    "httpbin",
    { afterwards: (twin) => twin.web.serve({ service: "httpbin/httpbin", http: 503 }) },
    "http",
  ],
  [
    "an application that hangs",
    "cause: http-silent",
    "httpbin",
    { afterwards: (twin) => twin.web.serve({ service: "httpbin/httpbin", http: "silent" }) },
    "http",
  ],
  [
    "an expired certificate",
    "cause: certificate-expired",
    ingress,
    {
      afterwards: (twin) =>
        twin.web.serve({
          service: ingress,
          tls: { names: [host], from: "2025-01-01T00:00:00Z", until: "2026-02-01T00:00:00Z" },
        }),
    },
    "tls",
  ],
  [
    "a certificate for another name",
    "cause: certificate-wrong-name",
    ingress,
    {
      afterwards: (twin) =>
        twin.web.serve({
          service: ingress,
          tls: { names: ["*.goldentooth.net"], from: "2025-01-01T00:00:00Z", until: "2027-01-01T00:00:00Z" },
        }),
    },
    "tls",
  ],
  [
    "a handshake that fails",
    "cause: tls-handshake-failed",
    ingress,
    { afterwards: (twin) => twin.web.serve({ service: ingress, tls: "broken" }) },
    "tls",
  ],
  [
    "plain HTTP where TLS is meant",
    "cause: not-tls",
    ingress,
    { afterwards: (twin) => twin.web.serve({ service: ingress, tls: null }) },
    "tls",
  ],
  [
    "a pulled cable",
    "cause: leader-no-usable-nic",
    "httpbin",
    { afterwards: (twin) => twin.setLink(leaderOf(twin), "eth0", { carrier: false }), waitSeconds: 2 },
    "nic",
  ],
  [
    "an announcer that has just died",
    "cause: announcer-lost",
    "httpbin",
    { afterwards: (twin) => twin.setPower(leaderOf(twin), false), waitSeconds: 1 },
    "announcer",
  ],
  [
    "one that died a minute ago",
    "healthy",
    "httpbin",
    { afterwards: (twin) => twin.setPower(leaderOf(twin), false) },
  ],
  [
    "speakers that do not see each other",
    "cause: two-nodes",
    "httpbin",
    { afterwards: (twin) => twin.partition([[leaderOf(twin)]]) },
    "arp",
  ],
  [
    "proxy ARP",
    "cause: proxy-arp",
    "httpbin",
    { afterwards: (twin) => twin.setProxyArp(true, "02:00:00:00:00:66") },
    "arp",
  ],
  [
    "a switch that drops the announcer's ARP",
    "candidates: speaker-does-not-answer | arp-filtered",
    "httpbin",
    { afterwards: (twin) => twin.bindAddress(ip, "02:00:00:00:00:01") },
    "arp",
  ],
  [
    "Wi-Fi on the announcer, answering too",
    "cause: two-nics",
    "httpbin",
    {
      site: site(
        wifiOn("cargyll", "10.4.1.22/20"),
        patchObject("l2advertisements", "primary", { spec: { interfaces: null } }),
      ),
    },
    "nic",
  ],
  [
    "a static route by way of another node",
    "cause: via-a-node",
    "httpbin",
    { site: site(staticRoute("10.4.11.0/24", "10.4.0.13")) },
    "route",
  ],
  [
    "a resolver that filters private addresses",
    "cause: dns-private-address-filter",
    "httpbin",
    { site: goldentoothL2 },
    "resolver",
  ],
  [
    "two faults that know nothing of each other: the resolver, and BGP alone",
    "cause: dns-split-horizon + only-bgp",
    "httpbin",
    { site: goldentooth },
    "resolver",
  ],
  [
    "two faults: a filtering resolver and no ready pod",
    "cause: dns-private-address-filter + no-ready-endpoint",
    "httpbin",
    { site: () => withFaults(goldentoothL2(), pods("httpbin", { conditions: idle, status: crashing })) },
    "resolver",
  ],
  ["an address that nobody has", "cause: address-of-no-service", "10.4.12.7", {}, "address"],
  ["a name that nobody asks for", "cause: name-not-wanted", "nope.goldentooth.net", {}, "name"],
  [
    "a record with another address",
    "cause: record-wrong-target",
    "httpbin",
    {
      afterwards: (twin) =>
        twin.zones.edit("Z0736727S7ZH91VKK44A", [
          {
            action: "UPSERT",
            set: {
              name: fqdn("httpbin.services.k8s.goldentooth.net"),
              type: "A",
              routing: { policy: "simple" },
              answer: { kind: "values", ttl: 60, values: ["10.4.11.99"] },
            },
          },
        ]),
      waitSeconds: 1,
    },
  ],
  ["nobody to look from outside", "unknown", "httpbin", { around: withoutVantages }],
  [
    "an API that is denied",
    "unknown",
    "httpbin",
    {
      around: (ports) => ({
        ...ports,
        read: (kinds) =>
          Promise.resolve(
            Object.fromEntries(
              kinds.map((kind) => [kind, { kind: "denied", what: `list of ${kind}`, detail: "403" }]),
            ),
          ) as never,
      }),
    },
  ],
  [
    "ready pods on a dead node",
    "cause: endpoints-on-lost-node",
    "httpbin",
    { afterwards: (twin) => twin.setPower("harlton", false), waitSeconds: 20 },
  ],
  [
    "policy Local, excluded where the pods are",
    "cause: announcer-no-local-endpoint",
    ingress,
    {
      site: site(
        ...["gardener", "jast"].map((node) =>
          patchObject("nodes", node, {
            metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } },
          }),
        ),
      ),
    },
    "announcer-predicted",
  ],
  [
    "an advertisement that names an interface nobody has",
    "cause: leader-no-usable-nic",
    "httpbin",
    { site: site(patchObject("l2advertisements", "primary", { spec: { interfaces: ["enp1s0"] } })) },
    "nic",
  ],
  [
    "a pool that no longer holds the address",
    "cause: address-in-no-pool",
    "httpbin",
    {
      site: site(patchObject("ipaddresspools", "primary", { spec: { addresses: ["10.4.12.0-10.4.12.99"] } })),
    },
    "pool",
  ],
  [
    "a router that is off, which is the resolver too",
    "cause: router-silent",
    "httpbin",
    { afterwards: (twin) => twin.setPower("router", false) },
    "resolver",
  ],
  [
    "a router whose LAN prefix does not hold the pool",
    "candidates: router-stale-arp | router-no-way | router-filters",
    "httpbin",
    { afterwards: (twin) => twin.setRouterLan("10.4.0.1/24") },
    "route",
  ],
  [
    "the same, when the configuration says so",
    "cause: router-way",
    "httpbin",
    {
      afterwards: (twin) => twin.setRouterLan("10.4.0.1/24"),
      around: (ports) => ({
        ...ports,
        config: { ...ports.config, site: { ...ports.config.site, routerPrefix: 24 } },
      }),
    },
    "route",
  ],
  ["the router's own address", "unknown", "10.4.0.1", {}],
  ["a node's own address", "unknown", "10.4.0.12", {}],
  [
    "another machine that has the address too",
    "cause: foreign-mac",
    "httpbin",
    {
      site: site(plugIn("laptop", { name: "eth9", mac: "02:00:00:00:00:77", addresses: [`${ip}/32`] })),
    },
    "arp",
  ],
  [
    "every node excluded by label",
    "cause: announcer-exclude-label",
    "httpbin",
    {
      site: site(
        ...healthy().nodes.map(({ name }) =>
          patchObject("nodes", name, {
            metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } },
          }),
        ),
      ),
    },
    "announcer-predicted",
  ],
  [
    "no speaker anywhere",
    "cause: announcer-not-a-speaker",
    "httpbin",
    {
      afterwards: (twin) => {
        for (const { name } of healthy().nodes) twin.stopSpeaker(name);
      },
    },
    "announcer-predicted",
  ],
  [
    "two faults: the announcer and every pod died at once",
    "cause: announcer-lost + endpoints-on-lost-node",
    ingress,
    {
      afterwards: (twin) => {
        twin.setPower("gardener", false);
        twin.setPower("jast", false);
      },
      waitSeconds: 20,
    },
  ],
  [
    "a Service that was deleted, by its name",
    "cause: address-of-no-service",
    "httpbin.services.k8s.goldentooth.net",
    { afterwards: (twin) => void twin.store.remove("services", "httpbin", "httpbin") },
    "address",
  ],
  [
    "a Service that never got an address",
    "candidates: controller-silent | no-pool-gives-one",
    "httpbin",
    {
      site: site(
        patchObject("ipaddresspools", "primary", { spec: { autoAssign: false } }),
        patchObject("services", "httpbin", { status: { loadBalancer: { ingress: null } } }),
      ),
    },
    "address",
  ],
  [
    "a client that is sent by way of a node",
    "cause: vantage-route-via-node",
    "httpbin",
    {
      site: site(
        onMachine("ops-host", {
          routes: [
            { dst: "default", gateway: "10.4.0.1", dev: "eth0" },
            { dst: "10.4.11.0/24", gateway: "10.4.0.13", dev: "eth0" },
          ],
        }),
      ),
    },
    "route",
  ],
];

describe("service-unreachable on a model site", () => {
  for (const [what, expected, word, world, first] of rows)
    it(`${what}: ${expected}`, async () => {
      const diagnosis = await diagnosed(serviceUnreachable, word, world);
      expect(concluded(diagnosis)).toBe(expected);
      if (first !== undefined) expect(firstBroken(diagnosis)?.id).toBe(first);
      expect(diagnosis.links.map(({ id }) => id)).toEqual([...pathLinks]);
      expect(diagnosis.tookMs).toBeLessThan(10_000);
      const causes =
        diagnosis.conclusion.kind === "cause"
          ? [diagnosis.conclusion.cause, ...diagnosis.conclusion.also]
          : diagnosis.conclusion.kind === "candidates"
            ? diagnosis.conclusion.causes
            : [];
      for (const { code, next } of causes) {
        expect(serviceUnreachable.codes).toContain(code);
        expect(plain(next[0])).not.toBe("");
      }
    });
});

/** Every program of a target fails as given. */
const failing =
  (target: string, kind: "timed-out" | "denied", tool?: string) =>
  (ports: DiagnosePorts): DiagnosePorts => ({
    ...ports,
    shell: (to, command, options) =>
      to.name === target && (tool === undefined || command.argv[0] === tool)
        ? Promise.reject(new FaultError({ kind, what: `ssh to ${target}`, detail: "as the test says" }))
        : ports.shell(to, command, options),
  });

const withoutTool =
  (tool: string) =>
  (ports: DiagnosePorts): DiagnosePorts => ({
    ...ports,
    shell: (to, command, options) =>
      command.argv[0] === tool && to.kind === "vantage"
        ? Promise.reject(new FaultError({ kind: "missing-tool", what: tool, detail: "as the test says" }))
        : ports.shell(to, command, options),
  });

describe("what could not be seen", () => {
  it.each([
    ["nobody can send ARP", "arping", "arp"],
    ["nobody can connect", "nc", "tcp"],
    ["nobody has curl", "curl", "http"],
  ])("is never a pass: %s", async (_what, tool, link) => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", { around: withoutTool(tool) });
    expect(diagnosis.conclusion.kind).toBe("unknown");
    expect(outcomes(diagnosis)[link]).toBe("unknown");
  });

  it("leaves the rest standing: one vantage that is away costs its own view alone", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", {
      around: failing("ops-host", "timed-out"),
    });
    expect(outcomes(diagnosis)).toMatchObject({ arp: "passed", tcp: "passed", http: "passed" });
    const words = diagnosis.seen.map(({ vantage, text }) => `${vantage}: ${plain(text)}`);
    expect(words).toContainEqual(expect.stringMatching(/^ops-host: .*as the test says/));
    expect(words).toContainEqual(expect.stringMatching(/^laptop: ARP: /));
  });

  it("is told of nodes, too, and never made a stranger's MAC", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", {
      around: failing("cargyll", "denied"),
    });
    expect(diagnosis.conclusion.kind).toBe("unknown");
    expect(outcomes(diagnosis).arp).toBe("unknown");
    expect(diagnosis.findings.map(({ code }) => code)).toContain("nodes-not-read");
  });

  it("makes no absence of a denied list", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, ip, {
      around: (ports) => ({
        ...ports,
        read: async (kinds, signal) => ({
          ...(await ports.read(kinds, signal)),
          ...(Object.fromEntries(
            kinds
              .filter((kind) => kind === "l2advertisements" || kind === "endpointslices")
              .map((kind) => [kind, { kind: "denied", what: `list of ${kind}`, detail: "403" }]),
          ) as object),
        }),
      }),
    });
    expect(outcomes(diagnosis)).toMatchObject({
      advertisement: "unknown",
      "announcer-predicted": "unknown",
      endpoints: "unknown",
    });
    expect(diagnosis.conclusion.kind).toBe("unknown");
  });

  it("without changes says why there are none", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", {
      around: (ports) => ({
        ...ports,
        read: (kinds) =>
          Promise.resolve(
            Object.fromEntries(
              kinds.map((kind) => [kind, { kind: "denied", what: `list of ${kind}`, detail: "403" }]),
            ),
          ) as never,
      }),
    });
    expect(diagnosis.changes).toBeUndefined();
    expect(plain(diagnosis.changesGap ?? [])).toMatch(/could not be read/);
  });
});

describe("words that mean nothing here", () => {
  it.each([
    ["htpbin", /Nearest: httpbin/],
    ["example.org", /no Service, address or name/],
  ])("%s", async (word, said) => {
    const { answer } = await ask(serviceUnreachable, word);
    expect("noSuch" in answer && plain(answer.noSuch)).toMatch(said);
  });

  it("asks which of two Services of one name is meant", async () => {
    const twice: SiteFault = (spec) => ({
      ...spec,
      objects: spec.objects.flatMap((each) =>
        each.kind === "services" && each.object.metadata.name === "httpbin"
          ? [
              each,
              {
                ...each,
                object: { ...each.object, metadata: { ...each.object.metadata, namespace: "default" } },
              },
            ]
          : [each],
      ),
    });
    const { answer } = await ask(serviceUnreachable, "httpbin", { site: site(twice) });
    expect("noSuch" in answer && answer.next.map(plain)).toEqual([
      "/runbook run service-unreachable default/httpbin",
      "/runbook run service-unreachable httpbin/httpbin",
    ]);
  });

  it("finds the Service behind a name that only the zone knows", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "alias.goldentooth.net", {
      afterwards: (twin) =>
        twin.zones.edit("Z0736727S7ZH91VKK44A", [
          {
            action: "CREATE",
            set: {
              name: fqdn("alias.goldentooth.net"),
              type: "A",
              routing: { policy: "simple" },
              answer: { kind: "values", ttl: 60, values: [ip] },
            },
          },
        ]),
      waitSeconds: 120,
    });
    expect(diagnosis.subject).toEqual({ kind: "service", name: "httpbin/httpbin" });
    expect(outcomes(diagnosis)).toMatchObject({ name: "skipped", resolver: "passed", tcp: "passed" });
  });
});

describe("forty nodes", () => {
  const many = () =>
    buildSite({
      ...healthyPlan,
      nodes: [
        ...healthyPlan.nodes,
        ...Array.from({ length: 27 }, (_, i) => ({
          name: `worker-${String(i + 1).padStart(2, "0")}`,
          ip: `10.4.0.${100 + i}`,
          mac: `dc:a6:32:0b:00:${(0x10 + i).toString(16)}`,
        })),
      ],
    });

  it("are looked at in less than ten seconds", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", { site: many });
    expect(concluded(diagnosis)).toBe("healthy");
    expect(diagnosis.tookMs).toBeLessThan(4_000);
  });

  it("also when ten of them are off, three hang and a vantage is gone", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", {
      site: many,
      afterwards: (twin) => {
        for (let i = 1; i <= 10; i++) twin.setPower(`worker-${String(i).padStart(2, "0")}`, false);
        for (let i = 11; i <= 13; i++) twin.hang(`worker-${String(i).padStart(2, "0")}`, true);
        twin.setPower("laptop", false);
      },
      waitSeconds: 90,
    });
    expect(diagnosis.tookMs).toBeLessThan(10_000);
    expect(outcomes(diagnosis)).toMatchObject({ tcp: "passed", address: "passed" });
    expect(diagnosis.findings.find(({ code }) => code === "nodes-not-read")?.facts.nodes).toHaveLength(13);
  });

  it("and when nothing at all comes back but the API", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", {
      site: many,
      around: (ports) => ({
        ...ports,
        shell: (_target, _command, options) =>
          new Promise((_resolve, reject) => {
            options?.signal?.addEventListener("abort", () =>
              reject(new FaultError({ kind: "cancelled", what: "ssh", detail: "stopped" })),
            );
          }),
      }),
    });
    expect(diagnosis.tookMs).toBeLessThan(10_000);
    expect(diagnosis.conclusion.kind).toBe("unknown");
    expect(outcomes(diagnosis)).toMatchObject({
      "announcer-predicted": "passed",
      arp: "unknown",
      tcp: "unknown",
    });
  });

  it("and when the API does not answer", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, ip, {
      around: (ports) => ({ ...ports, read: () => new Promise(() => {}) }),
    });
    expect(diagnosis.tookMs).toBeLessThan(10_000);
    expect(diagnosis.conclusion.kind).toBe("unknown");
    expect(plain(diagnosis.links.find(({ id }) => id === "address")?.because ?? [])).toMatch(
      /not back after 4 s/,
    );
  });
});

describe("what changed", () => {
  it("keeps nobody waiting when the ledger does not answer", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", {
      around: (ports) => ({
        ...ports,
        ledger: ports.ledger && { ...ports.ledger, list: () => new Promise<never>(() => {}) },
      }),
    });
    expect(diagnosis.tookMs).toBeLessThan(10_000);
    expect(concluded(diagnosis)).toBe("healthy");
    expect(plain(diagnosis.changesGap ?? [])).toMatch(/not back after/);
  });

  it("is told beside it, and what bears on the broken link by name, as no cause", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", {
      afterwards: (twin) => {
        twin.store.remove("l2advertisements", "metallb", "primary");
        twin.store.mergePatch("ipaddresspools", "metallb", "primary", { spec: { avoidBuggyIPs: true } });
      },
    });
    expect(concluded(diagnosis)).toBe("cause: no-l2-advertisement");
    const told = diagnosis.findings
      .filter(({ code }) => code === "changed-before")
      .map(({ text }) => plain(text));
    expect(told.join("\n")).toMatch(/bears on this; that it is the cause is not shown/);
    expect(diagnosis.changes?.length).toBeGreaterThan(0);
  });

  it("a move of the announcer does not bear on an application that fails", async () => {
    const diagnosis = await diagnosed(serviceUnreachable, "httpbin", {
      afterwards: (twin) => twin.web.serve({ service: "httpbin/httpbin", http: 500 }),
    });
    expect(diagnosis.findings.filter(({ code }) => code === "changed-before")).toEqual([]);
  });
});

it("says which vantage saw what", async () => {
  const diagnosis = await diagnosed(serviceUnreachable, "httpbin", {
    site: site(onNic("guest-client", "eth0", { up: false })),
  });
  const words = Object.fromEntries(
    diagnosis.seen
      .filter(({ text }) => !plain(text).startsWith("ARP"))
      .map(({ vantage, text }) => [vantage, plain(text)]),
  );
  expect(words["ops-host"]).toBe("on-link, port 80 opens, HTTP 200");
  expect(words["guest-client"]).toMatch(/^unreachable|route unknown/);
});
