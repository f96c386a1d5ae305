import { describe, expect, it } from "vitest";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { impact } from "#bot/commands/nodes-impact.ts";
import type { Fault } from "#shared/fault.ts";
import { type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import type { KubeObject, Listed } from "#shared/kubernetes/read.ts";
import { exitCode, type Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { plain } from "#shared/text.ts";
import {
  bgp,
  event,
  l2Status,
  nodes,
  openPool,
  peer,
  pool,
  service,
  slice,
  speakerDaemonSet,
  speakerPod,
} from "#test/shared/metallb/cluster.ts";

const denied = (kind: string): Fault => ({ kind: "denied", what: `list of ${kind}`, detail: "forbidden" });

/** A cluster read that gives each kind its objects, without `kind`, as the API's list calls do. */
function clusterOf(
  items: readonly KubeObject[],
  faults: Readonly<Partial<Record<ResourceKind, Fault>>> = {},
): ClusterPorts {
  const read = async (kinds: readonly ResourceKind[]): Promise<Readonly<Record<string, Listed>>> =>
    Object.fromEntries(
      kinds.map((kind) => [
        kind,
        faults[kind] ??
          items
            .filter((item) => item.kind === resourceKinds[kind].kind)
            .map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest as KubeObject),
      ]),
    );
  return { config: { name: "goldentooth" }, read } as unknown as ClusterPorts;
}

const run = (cluster: ClusterPorts, node?: string): Promise<Reply> =>
  impact.handle({
    input: node === undefined ? {} : { node },
    cluster,
    signal: new AbortController().signal,
  } as never);

const names = ["node-a", "node-b", "node-c"];
const base = [...nodes(...names), ...openPool, speakerDaemonSet(), ...names.map((name) => speakerPod(name))];
// Upstream's examples: node-b leads 10.0.0.1 (then node-a) and 10.0.0.2 (then node-c).
const two = [
  service("one", "10.0.0.1"),
  slice("one", names),
  service("two", "10.0.0.2"),
  slice("two", names),
];

describe("/nodes impact NODE", () => {
  it("tells what it announces and where that goes", async () => {
    const reply = await run(clusterOf([...base, ...two]), "node-b");
    expect(reply.cluster).toBe("goldentooth");
    expect(plain(reply.verdict.text)).toBe("node-b announces 2 of 2 addresses by layer 2");
    expect(reply.verdict.outcome).toBe("ok");
    expect(plain(reply.why ?? [])).toBe("If it dies: 1 to node-a, 1 to node-c.");
    expect(reply.data).toMatchObject({
      node: "node-b",
      addresses: [
        { ip: "10.0.0.1", ifItDies: { kind: "moves", to: "node-a" } },
        { ip: "10.0.0.2", ifItDies: { kind: "moves", to: "node-c" } },
      ],
    });
    expect(exitCode(reply)).toBe(0);
    expect(renderTerminal(reply, { columns: 100, colour: false })).toContain("moves to node-a");
  });

  it("tells a node that announces nothing what it stands to inherit", async () => {
    const reply = await run(clusterOf([...base, ...two]), "node-c");
    expect(plain(reply.verdict.text)).toBe("node-c announces none of 2 addresses by layer 2");
    expect(plain(reply.why ?? [])).toBe(
      "By layer 2 nothing moves if it dies. It stands next in line for 1 address.",
    );
  });

  it("keeps to findings about that node", async () => {
    const alone = [service("solo", "10.0.0.9", { policy: "Local" }), slice("solo", ["node-c"])];
    const cluster = clusterOf([...base, ...two, ...alone]);
    expect((await run(cluster, "node-b")).findings).toEqual([]);
    const reply = await run(cluster, "node-c");
    expect(reply.findings).toMatchObject([{ code: "address-no-successor" }]);
    expect(reply.verdict).toMatchObject({ word: "FAIL", outcome: "failed" });
    expect(exitCode(reply)).toBe(1);
  });

  it("an unknown node is wrong usage and names the nearest", async () => {
    const reply = await run(clusterOf(base), "node-bb");
    expect(exitCode(reply)).toBe(2);
    expect(plain(reply.verdict.text)).toBe("No node node-bb on goldentooth. Nearest: node-b.");
  });

  it("memberlist off: they never move", async () => {
    const items = base.filter(({ kind }) => kind !== "DaemonSet");
    const off = speakerDaemonSet(undefined, { memberlist: false });
    const reply = await run(clusterOf([...items, off, ...two]), "node-b");
    expect(plain(reply.why ?? [])).toBe("If it dies: 2 stay on the dead node.");
    expect(reply.findings).toMatchObject([{ code: "memberlist-off", severity: "error" }]);
    expect((await run(clusterOf([...items, off, ...two]), "node-a")).findings).toEqual([]);
  });
});

describe("/nodes impact", () => {
  it("lists every node that announces, and every address", async () => {
    const reply = await run(clusterOf([...base, ...two]));
    expect(plain(reply.verdict.text)).toBe("2 addresses by layer 2 on 1 of 3 nodes");
    const shown = renderTerminal(reply, { columns: 120, colour: false });
    expect(shown).toMatch(/node-b\s+2 of 2\s+1 to node-a, 1 to node-c/);
    expect(exitCode(reply)).toBe(0);
  });

  it("warns when one node holds most of many", async () => {
    const many = [1, 2, 3, 4].flatMap((i) => [
      service(`s${i}`, `10.0.0.${i}`, { policy: "Local" }),
      slice(`s${i}`, ["node-a"]),
      slice(`s${i}`, i === 4 ? [] : ["node-a"], { name: `s${i}-2` }),
    ]);
    const reply = await run(clusterOf([...base, ...many]));
    expect(reply.findings.map(({ code }) => code)).toContain("announcer-concentration");
    expect(exitCode(reply)).toBe(1);
  });

  it("shows where status and event differ from the prediction", async () => {
    const seen = event(
      "one",
      "nodeAssigned",
      'announcing from node "node-b" with protocol "layer2"',
      "2026-07-01T14:02:11Z",
    );
    const reply = await run(clusterOf([...base, ...two, l2Status("one", "node-c"), seen]));
    expect(reply.findings).toMatchObject([{ code: "announcer-differs", severity: "warning" }]);
    const shown = renderTerminal(reply, { columns: 120, colour: false });
    expect(shown).toContain("status; predicted node-b");
    expect(shown).toContain("node-b 2026-07-01T14:02:11Z");
  });

  it("no LoadBalancer addresses is an answer", async () => {
    const reply = await run(clusterOf(base));
    expect(plain(reply.verdict.text)).toBe("0 addresses by layer 2 on 0 of 3 nodes");
    expect(reply.verdict).toMatchObject({ word: "INFO", outcome: "info" });
    expect(exitCode(reply)).toBe(0);
    expect((await run(clusterOf(base), "node-a")).verdict).toMatchObject({ word: "INFO", outcome: "info" });
  });
});

describe("a big cluster", () => {
  const many = Array.from({ length: 60 }, (_, i) => [
    service(`s${i}`, `10.0.1.${i}`),
    slice(`s${i}`, names),
  ]).flat();
  const lines = (reply: Reply): readonly string[] =>
    renderTerminal(reply, { columns: 80, colour: false }).split("\n");

  it("is told on one screen where all is well; every address is in the data", async () => {
    const reply = await run(clusterOf([...base, ...many]));
    expect(lines(reply).length).toBeLessThan(30);
    const { addresses } = reply.data as { addresses: readonly object[] };
    expect(addresses).toHaveLength(60);
    expect(addresses[0]).toMatchObject({ status: [], event: [], order: expect.arrayContaining(names) });
  });

  it("tells five of the same fault and counts the rest", async () => {
    const wrong = Array.from({ length: 60 }, (_, i) => l2Status(`s${i}`, "node-z"));
    const reply = await run(clusterOf([...base, ...many, ...wrong]));
    const differing = reply.findings.filter(({ code }) => code === "announcer-differs");
    expect(differing).toHaveLength(6);
    expect(differing[5]?.subject.name).toBe("55 more");
    expect(lines(reply).length).toBeLessThan(80);
    expect(exitCode(reply)).toBe(1);
    // No line is broken inside a word.
    const words = new Set(lines(reply).flatMap((line) => line.split(/\s+/)));
    expect(words).toContain("node-z");
  });
});

describe("a cluster that announces by BGP only", () => {
  const bgpOnly = [
    ...nodes(...names),
    pool("primary", ["10.0.0.0/24"]),
    bgp("primary"),
    peer("router", { peerAddress: "10.4.0.1", myASN: 64500, peerASN: 64501 }),
    speakerDaemonSet(),
    ...names.map((name) => speakerPod(name)),
    ...two,
    ...names.map((name) => ({
      apiVersion: "metallb.io/v1beta1",
      kind: "ServiceBGPStatus",
      metadata: { name: `bgp-${name}`, namespace: "metallb-system" },
      status: { node: name, serviceName: "one", serviceNamespace: "default", peers: ["router"] },
    })),
  ];

  it.each([undefined, "node-a"])("is never OK (%s): nothing by layer 2, and BGP is named", async (node) => {
    const reply = await run(clusterOf(bgpOnly), node);
    expect(reply.verdict).toMatchObject({ word: "FAIL", outcome: "failed" });
    expect(exitCode(reply)).toBe(1);
    expect(reply.findings).toMatchObject([
      {
        code: "nothing-by-layer-2",
        facts: {
          addresses: 2,
          bgpAdvertisements: ["primary"],
          bgpPeers: ["10.4.0.1"],
          bgpNodes: ["node-a", "node-b", "node-c"],
        },
      },
    ]);
    expect(plain(reply.findings[0]!.text)).toMatch(
      /BGPAdvertisement: primary; .*node-a, node-b, node-c; peers: 10\.4\.0\.1/,
    );
  });

  it("names a few of many nodes, and shows no empty table", async () => {
    const crowd = Array.from({ length: 12 }, (_, i) => ({
      apiVersion: "metallb.io/v1beta1",
      kind: "ServiceBGPStatus",
      metadata: { name: `bgp-n${i}`, namespace: "metallb-system" },
      status: { node: `n${i}`, serviceName: "one", serviceNamespace: "default" },
    }));
    const reply = await run(clusterOf([...bgpOnly, ...crowd]));
    expect(plain(reply.findings[0]!.text)).toContain("and 10 more");
    expect(reply.blocks.filter(({ kind }) => kind === "table")).toEqual([]);
  });

  it("tells what the node announces by BGP", async () => {
    const reply = await run(clusterOf(bgpOnly), "node-a");
    expect(plain(reply.verdict.text)).toBe("node-a announces none of 2 addresses by layer 2");
    expect(plain(reply.why ?? [])).toMatch(/By BGP it announces 1 service to router \(ServiceBGPStatus/);
  });

  it("a BGP kind that could not be listed is not called absent", async () => {
    const reply = await run(
      clusterOf(bgpOnly, { servicebgpstatuses: denied("servicebgpstatuses") }),
      "node-a",
    );
    expect(reply.findings[0]?.facts).toMatchObject({ bgpNodes: null });
    expect(plain(reply.findings[0]!.text)).toMatch(/ServiceBGPStatus names: could not be listed/);
  });
});

describe("what could not be read", () => {
  it.each([
    "nodes",
    "services",
    "endpointslices",
    "ipaddresspools",
    "l2advertisements",
  ] as const)("without %s nothing is claimed", async (kind) => {
    const reply = await run(clusterOf([...base, ...two], { [kind]: denied(kind) }), "node-b");
    expect(reply.verdict.outcome).toBe("unknown");
    expect(reply.findings).toMatchObject([{ code: "kind-unread", severity: "unknown", facts: { kind } }]);
    expect(exitCode(reply)).toBe(3);
  });

  it("no Nodes at all is not an empty cluster", async () => {
    expect(exitCode(await run(clusterOf([])))).toBe(3);
  });

  it.each([
    "pods",
    "daemonsets",
    "servicel2statuses",
    "events",
  ] as const)("without %s the gap is told", async (kind) => {
    const reply = await run(clusterOf([...base, ...two], { [kind]: denied(kind) }));
    expect(reply.findings).toContainEqual(
      expect.objectContaining({ code: "kind-unread", facts: expect.objectContaining({ kind }) }),
    );
    expect(reply.verdict.outcome).toBe("unknown");
    expect(exitCode(reply)).toBe(3);
  });

  it("a server that does not know ServiceL2Status hides nothing", async () => {
    const absent: Fault = {
      kind: "not-configured",
      what: "list of servicel2statuses",
      detail: "unknown kind",
    };
    expect((await run(clusterOf([...base, ...two], { servicel2statuses: absent }))).findings).toEqual([]);
  });

  it("an image without a release is said, and the newest rules assumed", async () => {
    const items = base.filter(({ kind }) => kind !== "DaemonSet");
    const reply = await run(
      clusterOf([...items, speakerDaemonSet("quay.io/metallb/speaker:latest"), ...two]),
    );
    expect(reply.findings).toMatchObject([{ code: "metallb-version-unknown", severity: "unknown" }]);
    expect(exitCode(reply)).toBe(3);
  });

  it("an unreadable object is told, the rest still judged", async () => {
    const odd = {
      kind: "Service",
      metadata: { name: "odd" },
      status: { loadBalancer: { ingress: "10.0.0.7" } },
    };
    const reply = await run(clusterOf([...base, ...two, odd as KubeObject]), "node-b");
    expect(reply.findings).toMatchObject([{ code: "object-unread", severity: "unknown" }]);
    expect(plain(reply.verdict.text)).toBe("node-b announces 2 of 2 addresses by layer 2");
  });
});
