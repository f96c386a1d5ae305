import { describe, expect, it } from "vitest";
import { logsOn } from "#shared/twin/logs-on.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { onMachine, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { twinOf } from "./twin-fixture.ts";

type Line = Readonly<Record<string, unknown>> & { msg: string; ts: string };

function speakerLogs(spec: SiteSpec) {
  const fixture = twinOf(spec);
  const { twin } = fixture;
  const { namespace } = spec.metallb;
  const read = logsOn(twin);
  const podOn = (node: string): string =>
    twin.store
      .list("pods", namespace)
      .items.find(
        (pod) =>
          pod.metadata.labels?.["app.kubernetes.io/component"] === "speaker" &&
          (pod.spec as { nodeName?: string }).nodeName === node,
      )?.metadata.name ?? "";
  const lines = async (node: string, options: { tailLines?: number; sinceSeconds?: number } = {}) =>
    (
      await read({
        namespace,
        pod: podOn(node),
        container: "speaker",
        tailLines: 500,
        ...options,
      })
    ).map((line) => JSON.parse(line) as Line);
  return { ...fixture, namespace, read, podOn, lines };
}

const about = (lines: readonly Line[], key: string, value: string) =>
  lines.filter((line) => line[key] === value);

describe("the log of a speaker", () => {
  it("has one JSON object a line, keys in order, time in whole seconds, oldest first", async () => {
    const { read, podOn, clock, namespace } = speakerLogs(healthy());
    await clock.advance(60_000);
    const texts = await read({
      namespace,
      pod: podOn("bettley"),
      container: "speaker",
      tailLines: 50,
    });
    expect(texts.length).toBeGreaterThan(3);
    for (const text of texts) {
      const keys = Object.keys(JSON.parse(text) as object);
      expect(keys).toEqual([...keys].sort());
      expect((JSON.parse(text) as Line).ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
    const times = texts.map((text) => (JSON.parse(text) as Line).ts);
    expect(times).toEqual([...times].sort());
  });

  it("says what it announces, and of a service it lost that it withdrew it", async () => {
    const { lines, twin, clock } = speakerLogs(healthy());
    const leader = async () => {
      for (const { name } of twin.spec.nodes)
        if (about(await lines(name), "event", "serviceAnnounced").some((line) => line.protocol === "layer2"))
          return name;
      return "";
    };
    const node = await leader();
    const [line] = about(await lines(node), "event", "serviceAnnounced");
    expect(line).toMatchObject({
      level: "info",
      msg: "service has IP, announcing",
      protocol: "layer2",
      pool: expect.stringMatching(/\w/),
      ips: [expect.stringMatching(/^10\.4\.1\d\.\d+$/)],
    });
    for (const { metadata } of twin.store.list("l2advertisements").items)
      twin.store.remove("l2advertisements", metadata.namespace, metadata.name);
    await clock.advance(1_000);
    expect(about(await lines(node), "event", "serviceWithdrawn")[0]).toMatchObject({
      ip: line?.ips,
      msg: "withdrawing service announcement",
      reason: expect.stringMatching(/^not|^no/),
    });
  });

  it("does not call it withdrawn while another protocol still announces it", async () => {
    const { lines, twin, clock, namespace } = speakerLogs(goldentooth());
    twin.store.create("l2advertisements", { metadata: { name: "both", namespace }, spec: {} });
    await clock.advance(1_000);
    const before = await lines("bettley");
    expect(new Set(about(before, "event", "serviceAnnounced").map(({ protocol }) => protocol))).toContain(
      "bgp",
    );
    twin.store.remove("l2advertisements", namespace, "both");
    await clock.advance(1_000);
    for (const { name } of twin.spec.nodes)
      expect(about(await lines(name), "event", "serviceWithdrawn")).toEqual([]);
  });

  it("follows responders as interfaces go and come", async () => {
    const { lines, twin, clock } = speakerLogs(healthy());
    twin.setLink("dalt", "eth0", { up: false });
    await clock.advance(11_000);
    twin.setLink("dalt", "eth0", { up: true });
    await clock.advance(11_000);
    const events = (await lines("dalt"))
      .filter((line) => line.interface === "eth0")
      .map(({ event }) => event);
    expect(events.slice(-2)).toEqual(["deleteARPResponder", "createARPResponder"]);
  });

  it("tells of a member that died, and of one that left", async () => {
    const { lines, twin, clock } = speakerLogs(healthy());
    twin.setPower("dalt", false);
    await clock.advance(3_000);
    expect((await lines("bettley")).at(-1)).toMatchObject({
      component: "Memberlist",
      msg: "memberlist: Suspect dalt has failed, no acks received",
    });
    await clock.advance(5_000);
    const dead = await lines("bettley");
    expect(dead.map(({ msg }) => msg)).toContainEqual(
      expect.stringMatching(
        /^memberlist: Marking dalt as failed, suspect timeout reached \(\d peer confirmations\)$/,
      ),
    );
    expect(about(dead, "node event", "NodeLeave")).toEqual([
      expect.objectContaining({ msg: "node event - forcing sync", "node name": "dalt" }),
    ]);
    twin.stopSpeaker("cargyll");
    await clock.advance(1_000);
    const left = await lines("bettley");
    expect(about(left, "node event", "NodeLeave").map((line) => line["node name"])).toEqual([
      "dalt",
      "cargyll",
    ]);
    expect(left.map(({ msg }) => msg).join("\n")).not.toMatch(/cargyll (has|as) failed/);
  });

  it("begins anew with the container", async () => {
    const { lines, twin, clock, podOn, namespace } = speakerLogs(healthy());
    twin.store.remove("pods", namespace, podOn("dalt"));
    await clock.advance(10_000);
    const [first, ...rest] = await lines("dalt");
    expect(first?.msg).toMatch(/^MetalLB speaker starting/);
    expect(about(rest, "node event", "NodeJoin")).toHaveLength(twin.spec.nodes.length - 1);
  });
});

describe("gossip that is dropped", () => {
  it("is silent where nothing is dropped", async () => {
    const { lines, clock } = speakerLogs(healthy());
    await clock.advance(120_000);
    expect(about(await lines("bettley"), "component", "Memberlist")).toEqual([]);
  });

  it("over UDP alone is a warning on both sides, also from before anybody looked", async () => {
    const spec = withFaults(healthy(), onMachine("dalt", { droppedUdpPorts: [7946] }));
    const { lines, clock, twin } = speakerLogs(spec);
    const words = (name: string) =>
      `memberlist: Was able to connect to ${name} over TCP but UDP probes failed, network may be misconfigured`;
    const elsewhere = about(await lines("bettley", { sinceSeconds: 600 }), "component", "Memberlist");
    // One member a second, each in turn.
    expect(elsewhere).toHaveLength(600 / (twin.spec.nodes.length - 1));
    expect(elsewhere.every((line) => line.msg === words("dalt") && line.level === "warn")).toBe(true);
    await clock.advance(60_000);
    const own = about(await lines("dalt", { sinceSeconds: 60 }), "component", "Memberlist");
    expect(new Set(own.map(({ msg }) => msg))).toEqual(
      new Set(twin.spec.nodes.filter(({ name }) => name !== "dalt").map(({ name }) => words(name))),
    );
  });

  it("over both protocols is a suspicion", async () => {
    const { lines } = speakerLogs(withFaults(healthy(), onMachine("dalt", { droppedPorts: [7946] })));
    const said = about(await lines("bettley", { sinceSeconds: 60 }), "component", "Memberlist");
    expect(new Set(said.map(({ level }) => level))).toEqual(new Set(["error", "info"]));
    expect(said.map(({ msg }) => msg)).toContain("memberlist: Suspect dalt has failed, no acks received");
    expect(said[0]?.msg).toMatch(
      /^memberlist: Failed fallback TCP ping: timeout 1s: dial tcp 10\.4\.0\.\d+:7946: i\/o timeout$/,
    );
  });

  it("is nobody's concern without a member list", async () => {
    const spec = withFaults(healthy(), onMachine("dalt", { droppedUdpPorts: [7946] }));
    const { lines } = speakerLogs({ ...spec, metallb: { ...spec.metallb, memberlist: false } });
    expect(about(await lines("bettley"), "component", "Memberlist")).toEqual([]);
  });
});

describe("which lines", () => {
  it("are the newest ones", async () => {
    const { lines } = speakerLogs(withFaults(healthy(), onMachine("dalt", { droppedUdpPorts: [7946] })));
    const all = await lines("bettley");
    expect(await lines("bettley", { tailLines: 3 })).toEqual(all.slice(-3));
    expect(await lines("bettley", { tailLines: 0 })).toEqual([]);
  });

  it.each([
    [{ pod: "absent", container: "speaker" }, "not-configured", 'pods "absent" not found'],
    [{ container: "sidecar" }, "unreadable", /^container sidecar is not valid for pod metallb-speaker-/],
    [
      {},
      "unreadable",
      /^a container name must be specified for pod \S+, choose one of: \[speaker frr reloader frr-metrics\]$/,
    ],
    [{ container: "frr" }, "not-modelled", /is not modelled$/],
  ] as const)("refuses %j as %s", async (asked, kind, detail) => {
    const { read, podOn, namespace } = speakerLogs(goldentooth());
    await expect(read({ namespace, pod: podOn("bettley"), tailLines: 5, ...asked })).rejects.toMatchObject({
      fault: { kind, detail: expect.stringMatching(detail) },
    });
  });

  it("cannot be had from a node that is off", async () => {
    const { read, podOn, twin, namespace } = speakerLogs(healthy());
    const request = { namespace, pod: podOn("dalt"), container: "speaker", tailLines: 5 };
    twin.setPower("dalt", false);
    await expect(read(request)).rejects.toMatchObject({ fault: { kind: "refused" } });
    await expect(read(request, AbortSignal.abort())).rejects.toMatchObject({ fault: { kind: "cancelled" } });
  });
});
