import { describe, expect, it } from "vitest";
import { arping } from "#bot/commands/arping.ts";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { FaultError } from "#shared/fault.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { Reply } from "#shared/reply.ts";
import { exitCode } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { twinCluster } from "./twin-cluster.ts";

type World = ReturnType<typeof twinCluster>;
type Data = Readonly<Record<string, unknown>>;

/** Settled sites are what these questions are about: the speakers have announced. */
async function settled(spec = healthy(), options: Parameters<typeof twinCluster>[1] = {}): Promise<World> {
  const world = twinCluster(spec, options);
  await world.clock.advance(20_000);
  return world;
}

async function ask(
  world: World,
  input: Readonly<{ subject: string; from?: string; count?: number }>,
  cluster?: ClusterPorts,
): Promise<Reply> {
  const context = world.context({ count: 3, ...input });
  return world.clock.runUntil(arping.verbs[0]!.handle({ ...context, ...(cluster ? { cluster } : {}) }));
}

const watch = (
  world: World,
  input: Readonly<{ subject: string; for: number; from?: string }>,
  cluster?: ClusterPorts,
) =>
  world.clock.runUntil(arping.verbs[1]!.handle({ ...world.context(input), ...(cluster ? { cluster } : {}) }));

const line = (reply: Reply): string => `${reply.verdict.word}  ${plain(reply.verdict.text)}`;
const data = (reply: Reply): Data => reply.data as Data;

const evidenceOf = (reply: Reply): string =>
  reply.blocks
    .map((block) =>
      block.kind === "evidence"
        ? [block.title, ...block.lines].join("\n")
        : block.kind === "prose"
          ? plain(block.text)
          : "",
    )
    .join("\n");

describe("input", () => {
  const verb = arping.verbs[0]!;
  const watching = arping.verbs[1]!;
  it.each(["0", "11", "-1", "3.5", "x", ""])("refuses --count %j", (count) => {
    expect(verb.input.safeParse({ subject: "httpbin", count }).success).toBe(false);
  });
  it("counts 3 unless told, 1 to 10 when told", () => {
    expect(verb.input.parse({ subject: "a" })).toMatchObject({ count: 3 });
    expect(verb.input.parse({ subject: "a", count: "10" })).toMatchObject({ count: 10 });
  });
  it.each([
    ["60s", 60_000],
    ["2m", 120_000],
    ["5m", 300_000],
    ["1s", 1_000],
  ])("watches --for %s", (text, ms) => {
    expect(watching.input.parse({ subject: "a", for: text })).toMatchObject({ for: ms });
  });
  it.each(["6m", "301s", "1h", "2h"])("names the limit when --for is %s", (text) => {
    const parsed = watching.input.safeParse({ subject: "a", for: text });
    expect(parsed.error?.issues.map(({ message }) => message).join()).toMatch(/from 1s to 5m/);
  });
  it.each(["0s", "6m", "301s", "1h", "soon", undefined])("refuses --for %j", (text) => {
    expect(watching.input.safeParse({ subject: "a", for: text }).success).toBe(false);
  });
  it("is a viewer's slow probe of one cluster, but for the drill, which changes something", () => {
    const probing = arping.verbs.filter(({ path }) => path[0] !== "drill");
    expect(probing.length).toBeGreaterThan(1);
    expect(arping.verbs.find(({ path }) => path[0] === "drill")).toMatchObject({
      role: "operator",
      effect: "change",
    });
    for (const each of probing)
      expect(each).toMatchObject({ role: "viewer", effect: "probe", slow: true, cluster: "one" });
  });
});

describe("one address", () => {
  it("is two lines when all is well", async () => {
    const reply = await ask(await settled(), { subject: "httpbin" });
    expect(line(reply)).toMatch(
      /^OK {2}httpbin 10\.4\.11\.1 · \w+ eth0 answers, as predicted \(next: \w+\)$/,
    );
    expect(reply.cluster).toBe("healthy");
    expect(plain(reply.why ?? [])).toMatch(/^seen from ops-host \(lan-wired\), 3 broadcasts, \d\.\d s$/);
    expect(reply.blocks).toEqual([]);
    expect(reply.actions).toEqual([{ id: "again", label: "Probe again", value: "" }]);
    expect(exitCode(reply)).toBe(0);
    expect(data(reply)).toMatchObject({ verdict: "expected", frames: 3, vantage: { name: "ops-host" } });
  });

  it("names the second NIC of a dual-homed node, and all four sources", async () => {
    const world = await settled(goldentoothL2());
    const reply = await ask(world, { subject: "10.4.11.6" });
    expect(line(reply)).toBe("CONFLICT  jellyfin 10.4.11.6 · two MACs answer, both on karstark");
    expect(plain(reply.why ?? [])).toBe("eth0 is right. wlan0 answers too: caches will flap between them.");
    const seen = evidenceOf(reply);
    expect(seen).toMatch(/dc:a6:32:0a:1b:0b {2}karstark eth0 {3}3 replies/);
    expect(seen).toMatch(/dc:a6:32:0a:1b:0c {2}karstark wlan0 {2}3 replies/);
    for (const source of ["wire", "status", "event", "prediction"])
      expect(seen).toMatch(new RegExp(`^${source} +karstark`, "m"));
    expect(seen).toMatch(/0\.15: may be stale after failover/);
    expect(seen.split("\n").every((each) => each.length <= 78)).toBe(true);
    expect((reply.next ?? []).map(plain)).toEqual([
      "/nodes check karstark",
      "Fix: /nodes fix karstark wired-and-wifi",
    ]);
    expect(exitCode(reply)).toBe(1);
  });

  it("explains silence under BGP", async () => {
    const reply = await ask(await settled(goldentooth()), { subject: "httpbin/httpbin" });
    expect(line(reply)).toBe("SILENT  httpbin 10.4.11.1 · nobody answers");
    expect(data(reply)).toMatchObject({ verdict: "silence", candidates: [{ id: "only-bgp", seen: true }] });
    expect(reply.next?.map(plain)).toEqual(["kubectl get l2advertisements,bgpadvertisements -A"]);
    expect(evidenceOf(reply)).toMatch(/nobody {2}no L2Advertisement selects the pool/);
  });

  it("tells proxy ARP from an announcer by the address that nobody has", async () => {
    const world = await settled(goldentooth());
    world.twin.setProxyArp(true, "02:00:00:00:00:66");
    expect(data(await ask(world, { subject: "httpbin" }))).toMatchObject({ verdict: "proxy-arp" });
    const blind = await settled(goldentooth(), { unusedAddress: false });
    blind.twin.setProxyArp(true, "02:00:00:00:00:66");
    expect(data(await ask(blind, { subject: "httpbin" }))).toMatchObject({ verdict: "foreign-mac" });
  });

  it("an address that no Service has and nobody answers is as it should be", async () => {
    const world = await settled();
    const reply = await ask(world, { subject: "10.4.15.251" });
    expect(line(reply)).toBe("FREE  10.4.15.251 · free: nobody answers, and no Service has it");
    expect(data(reply)).toMatchObject({ verdict: "free", service: null });
    expect(exitCode(reply)).toBe(0);
    const quiet = await watch(world, { subject: "10.4.15.251", for: 5_000 });
    expect(line(quiet)).toMatch(/^FREE .* nobody answered for 5 s, and no Service has it$/);
  });

  it("a node's own address is told as that", async () => {
    const world = await settled();
    const [first] = world.twin.spec.nodes;
    const own = first?.nics.find(({ name }) => name === "eth0")?.addresses[0]?.split("/")[0] as string;
    const reply = await ask(world, { subject: own });
    expect(line(reply)).toBe(
      `OK  ${own} · ${first?.name} eth0 answers: the address is ${first?.name}'s own, and no Service has it`,
    );
  });

  it("sees both sides of a split brain", async () => {
    const world = await settled();
    const names = world.twin.spec.nodes.map(({ name }) => name);
    world.twin.partition([names.slice(0, 6), names.slice(6)]);
    await world.clock.advance(60_000);
    const reply = await ask(world, { subject: "all" });
    const verdicts = (data(reply).addresses as readonly Data[]).map(({ verdict }) => verdict);
    expect(verdicts).toContain("two-nodes");
    expect(reply.verdict.word).toBe("CONFLICT");
  });
});

describe("what could not be looked at", () => {
  it("a node that was not read could have the MAC: it is not called foreign", async () => {
    const world = await settled();
    const owner = data(await ask(world, { subject: "httpbin" })).node as string;
    const cluster: ClusterPorts = {
      ...world.cluster,
      shell: async (target, command, options) => {
        if (target.kind === "node" && target.name === owner)
          throw new FaultError({ kind: "timed-out", what: `ssh to ${owner}`, detail: "no answer in 5 s" });
        return world.cluster.shell(target, command, options);
      },
    };
    const reply = await ask(world, { subject: "httpbin" }, cluster);
    expect(data(reply)).toMatchObject({ verdict: "could-not-look" });
    expect(line(reply)).toContain(`unknown: could be ${owner}`);
    expect(evidenceOf(reply)).toMatch(new RegExp(`^wire +unknown +could be ${owner}; 1 MAC$`, "m"));
    expect(evidenceOf(reply)).not.toMatch(/differs:/);
    expect(exitCode(reply)).toBe(3);
  });

  it("with every node unreadable the nodes are named once, folded", async () => {
    const world = await settled();
    const cluster: ClusterPorts = {
      ...world.cluster,
      shell: async (target, command, options) => {
        if (target.kind === "node")
          throw new FaultError({ kind: "timed-out", what: "ssh", detail: "no answer in 5 s" });
        return world.cluster.shell(target, command, options);
      },
    };
    const reply = await ask(world, { subject: "httpbin" }, cluster);
    expect(line(reply)).toMatch(/could be any of 1\d nodes that were not read$/);
    const all = `${line(reply)} ${plain(reply.why ?? [])} ${evidenceOf(reply)}`;
    expect(all.match(/allyrion/g)).toHaveLength(1);
    expect(evidenceOf(reply).split("\n").length).toBeLessThan(15);
  });

  it.each([
    ["no arping", (world: World, name: string) => world.twin.removeTool(name, "arping")],
    ["no privilege", (world: World, name: string) => world.twin.dropPrivilege(name)],
    ["no power", (world: World, name: string) => world.twin.setPower(name, false)],
    ["a hung machine", (world: World, name: string) => world.twin.hang(name, true)],
  ])("a named vantage with %s makes UNKNOWN, never silence", async (_what, breakIt) => {
    const world = await settled();
    breakIt(world, "ops-host");
    const reply = await ask(world, { subject: "httpbin", from: "ops-host" });
    expect(reply.verdict.word).toBe("UNKNOWN");
    expect(data(reply)).toMatchObject({ verdict: "could-not-look" });
    expect(exitCode(reply)).toBe(3);
  });

  it("takes the next vantage when the best one cannot look, and says so", async () => {
    const world = await settled();
    world.twin.removeTool("ops-host", "arping");
    const reply = await ask(world, { subject: "httpbin" });
    expect(data(reply)).toMatchObject({ verdict: "expected", vantage: { name: "laptop" } });
    expect(evidenceOf(reply)).toMatch(/ops-host could not be used/);
  });

  it("a denied list makes the prediction unknown, so one right answer is no pass", async () => {
    const world = await settled(healthy(), { denied: ["endpointslices"] });
    const reply = await ask(world, { subject: "httpbin" });
    expect(data(reply)).toMatchObject({ verdict: "answered" });
    expect(exitCode(reply)).toBe(3);
  });

  it("denied status and events are told as unknown, and the wire still counts", async () => {
    const world = await settled(goldentoothL2(), { denied: ["servicel2statuses", "events"] });
    const seen = evidenceOf(await ask(world, { subject: "10.4.11.6" }));
    expect(seen).toMatch(/^status +unknown/m);
    expect(seen).toMatch(/^event +unknown/m);
  });

  it("without Services an address can still be probed, a name cannot", async () => {
    const world = await settled(healthy(), { denied: ["services"] });
    // No address of some other site: this cluster could not even be read.
    expect((await ask(world, { subject: "httpbin" })).next?.map(plain)).toEqual([
      "An address can be probed all the same: /arping ADDRESS",
      "What else cannot be read: /arpeggio doctor",
    ]);
    expect(line(await ask(world, { subject: "httpbin" }))).toMatch(
      /^UNKNOWN {2}Services could not be listed/,
    );
    expect(data(await ask(world, { subject: "10.4.11.1" }))).toMatchObject({ verdict: "answered" });
  });
});

describe("a changed host key", () => {
  const rekeyed = (world: World, kind: "vantage" | "node", name: string): ClusterPorts => ({
    ...world.cluster,
    shell: async (target, command, options) => {
      if (target.kind === kind && target.name === name)
        throw new FaultError({
          kind: "host-key-changed",
          what: `ssh to ${name}`,
          detail: "pinned SHA256:a, shown SHA256:b",
        });
      return world.cluster.shell(target, command, options);
    },
  });
  const changed = {
    code: "host-key-changed",
    severity: "warning",
    subject: { kind: "vantage", name: "ops-host" },
  };

  it("of the best vantage is a warning, although the next one saw the right answer", async () => {
    const world = await settled();
    const reply = await ask(world, { subject: "httpbin" }, rekeyed(world, "vantage", "ops-host"));
    expect(data(reply)).toMatchObject({ verdict: "expected", vantage: { name: "laptop" } });
    expect(reply.findings).toMatchObject([changed]);
    expect(reply.verdict).toMatchObject({ word: "WARN", outcome: "failed" });
    expect(exitCode(reply)).toBe(1);
  });

  it("of a node is one too", async () => {
    const world = await settled();
    const reply = await ask(world, { subject: "all" }, rekeyed(world, "node", "jast"));
    expect(reply.findings).toMatchObject([{ ...changed, subject: { kind: "node", name: "jast" } }]);
    expect(exitCode(reply)).toBe(1);
  });

  it("is told by a watch, as every vantage that it passed over is", async () => {
    const world = await settled();
    const reply = await watch(
      world,
      { subject: "httpbin", for: 5_000 },
      rekeyed(world, "vantage", "ops-host"),
    );
    expect(evidenceOf(reply)).toMatch(/ops-host could not be used: pinned/);
    expect(reply.findings).toMatchObject([changed]);
    expect(exitCode(reply)).toBe(1);
    world.twin.removeTool("ops-host", "arping");
    const plainly = await watch(world, { subject: "httpbin", for: 5_000 });
    expect(evidenceOf(plainly)).toMatch(/ops-host could not be used/);
    expect(exitCode(plainly)).toBe(0);
  });
});

describe("vantages", () => {
  const withVantages = (world: World, vantages: ClusterPorts["config"]["vantages"]): ClusterPorts => ({
    ...world.cluster,
    config: { ...world.cluster.config, vantages },
  });
  it("without one the answer is UNKNOWN and says where to add it", async () => {
    const world = await settled();
    const reply = await ask(world, { subject: "httpbin" }, withVantages(world, []));
    expect(line(reply)).toBe(
      "UNKNOWN  no vantage outside the cluster is configured, so reachability cannot be judged. Add one under vantages: (docs/vantages.md).",
    );
  });
  it("an unknown name gets the nearest", async () => {
    const reply = await ask(await settled(), { subject: "httpbin", from: "ops-hots" });
    expect(reply.verdict.outcome).toBe("usage");
    expect(plain(reply.verdict.text)).toMatch(/Nearest: ops-host/);
  });
  it("behind the router there is only the route to tell", async () => {
    const world = await settled();
    const behind = world.cluster.config.vantages.find(({ place }) => place === "behind-router");
    expect(behind).toBeDefined();
    const reply = await ask(world, { subject: "10.4.11.1", from: behind!.name });
    expect(reply.verdict.word).toBe("UNKNOWN");
    expect(plain(reply.why ?? [])).toMatch(/reaches 10\.4\.11\.1 through/);
    expect(line(reply)).toMatch(/^UNKNOWN {2}10\.4\.11\.1 · /);
    expect(reply.next?.map(plain)).toEqual(["From the LAN: /arping 10.4.11.1 --from ops-host"]);
  });
  it("a node never judges an address that it announces, another node may", async () => {
    const world = await settled();
    const { node, prediction } = data(await ask(world, { subject: "httpbin" }));
    const next = (prediction as { order: readonly string[] }).order[1] as string;
    const asVantage = (name: string) => ({
      name,
      place: "lan-wired" as const,
      clusterNode: name,
      access: "local" as const,
    });
    const shell: ClusterPorts["shell"] = (target, command, options) =>
      world.cluster.shell(target, command, options);
    const alone = await ask(
      world,
      { subject: "httpbin" },
      { ...withVantages(world, [asVantage(node as string)]), shell },
    );
    expect(data(alone)).toMatchObject({ verdict: "could-not-look", frames: 0 });
    const both = await ask(
      world,
      { subject: "httpbin" },
      {
        ...withVantages(world, [asVantage(node as string), asVantage(next)]),
        shell,
      },
    );
    expect(data(both)).toMatchObject({ verdict: "expected", vantage: { name: next } });
    expect(evidenceOf(both)).toMatch(/ARP evidence only/);
  });
});

describe("a vantage that is a node and was not declared as one", () => {
  const disguised = (world: World, ...names: readonly string[]): ClusterPorts => ({
    ...world.cluster,
    config: {
      ...world.cluster.config,
      vantages: names.map((name) => ({ name, place: "lan-wired" as const, access: "local" as const })),
    },
  });
  it("does not judge an address that it announces", async () => {
    const world = await settled();
    const { node } = data(await ask(world, { subject: "httpbin" }));
    const reply = await ask(world, { subject: "httpbin" }, disguised(world, node as string));
    expect(data(reply)).toMatchObject({ verdict: "could-not-look", frames: 0 });
    expect(plain(reply.why ?? [])).toMatch(new RegExp(`has a MAC of the node ${node} and is taken for it`));
    const seen = await watch(world, { subject: "httpbin", for: 5_000 }, disguised(world, node as string));
    expect(seen.verdict.word).toBe("UNKNOWN");
  });
  it("gives ARP evidence for others, as the node that it is, and gives way to a better one", async () => {
    const world = await settled();
    const { node, prediction } = data(await ask(world, { subject: "httpbin" }));
    const next = (prediction as { order: readonly string[] }).order[1] as string;
    const reply = await ask(world, { subject: "httpbin" }, disguised(world, node as string, next));
    expect(data(reply)).toMatchObject({ verdict: "expected", vantage: { name: next, clusterNode: next } });
    expect(evidenceOf(reply)).toMatch(new RegExp(`${next} has a MAC of the node ${next} and is taken`));
    expect(evidenceOf(reply)).toMatch(/ARP evidence\s+only/);
  });
});

describe("words", () => {
  it("an unknown service gets the nearest and the way to all", async () => {
    const reply = await ask(await settled(), { subject: "htpbin" });
    expect(plain(reply.verdict.text)).toBe(
      'No service "htpbin" on healthy. Nearest: httpbin 10.4.11.1. All: /arping all',
    );
    expect(exitCode(reply)).toBe(2);
  });
  it("an ambiguous name is listed", async () => {
    const world = await settled();
    const service = world.store.get("services", "httpbin", "httpbin") as KubeObject;
    const { uid: _u, resourceVersion: _r, ...metadata } = service.metadata;
    world.store.create("services", { ...service, metadata: { ...metadata, namespace: "vault" } });
    const reply = await ask(world, { subject: "httpbin" });
    expect(plain(reply.verdict.text)).toMatch(
      /"httpbin" is 2 services on healthy: httpbin\/httpbin, vault\/httpbin/,
    );
  });
});

describe("all addresses", () => {
  it("failures come first, progress is shown, the frame budget holds", async () => {
    const world = await settled(goldentoothL2());
    const frames: number[] = [];
    const cluster: ClusterPorts = {
      ...world.cluster,
      shell: (target, command, options) => {
        if (command.argv[0] === "arping" && command.argv[1] === "-b") frames.push(world.clock.now());
        return world.cluster.shell(target, command, options);
      },
    };
    const reply = await ask(world, { subject: "all", count: 1 }, cluster);
    expect(line(reply)).toBe("CONFLICT  3 of 13 addresses need you, 10 answered as predicted");
    const table = reply.blocks.find((block) => block.kind === "table");
    expect(table?.kind === "table" && table.rows.slice(0, 4).map(([word]) => plain(word ?? []))).toEqual([
      "CONFLICT",
      "CONFLICT",
      "CONFLICT",
      "OK",
    ]);
    expect(world.shown.map((each) => plain(each.verdict.text))).toContain("7 of 13 addresses");
    expect(frames.length).toBe(13);
    for (const from of frames)
      expect(frames.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(10);
  });

  it("a Service without an address is a row that counts, by whose it is to give one", async () => {
    const world = await settled();
    const service = (name: string, spec: object = {}) => ({
      metadata: { name, namespace: "httpbin", uid: name },
      spec: { type: "LoadBalancer", ...spec },
    });
    const extra: KubeObject[] = [];
    const cluster: ClusterPorts = {
      ...world.cluster,
      read: async (kinds, signal) => {
        const lists = await world.cluster.read(kinds, signal);
        return "services" in lists
          ? { ...lists, services: [...(lists.services as KubeObject[]), ...extra] }
          : lists;
      },
    };
    extra.push(service("other", { loadBalancerClass: "example.org/lb" }));
    const foreign = await ask(world, { subject: "all", count: 1 }, cluster);
    expect(line(foreign)).toMatch(/^UNKNOWN {2}1 could not be judged, 13 answered as predicted$/);
    expect(exitCode(foreign)).toBe(3);
    extra.push(service("waits"));
    const reply = await ask(world, { subject: "all", count: 1 }, cluster);
    expect(line(reply)).toBe(
      "SILENT  1 of 15 addresses and Services need you, 1 could not be judged, 13 answered as predicted",
    );
    expect(exitCode(reply)).toBe(1);
    const table = reply.blocks.find((block) => block.kind === "table");
    const rows = table?.kind === "table" ? table.rows.map((row) => row.map(plain)) : [];
    expect(rows[0]).toEqual(["SILENT", "httpbin/waits", "no address", "nobody", "nothing can announce it"]);
    expect(rows[1]).toEqual([
      "UNKNOWN",
      "httpbin/other",
      "no address",
      "nobody",
      "class example.org/lb is another controller's",
    ]);
    expect(reply.next?.map(plain)).toEqual(["kubectl -n httpbin describe service waits"]);
  });

  it("the same question asked twice at once is sent once", async () => {
    const world = await settled();
    let sent = 0;
    const cluster: ClusterPorts = {
      ...world.cluster,
      shell: (target, command, options) => {
        if (command.argv[0] === "arping" && command.argv[1] === "-b") sent++;
        return world.cluster.shell(target, command, options);
      },
    };
    const [a, b] = await Promise.all([
      ask(world, { subject: "httpbin" }, cluster),
      ask(world, { subject: "httpbin" }, cluster),
    ]);
    expect(sent).toBe(1);
    expect(data(a!).macs).toEqual(data(b!).macs);
  });
});

describe("watch", () => {
  it("is quiet when nothing happens", async () => {
    const reply = await watch(await settled(), { subject: "httpbin", for: 10_000 });
    expect(line(reply)).toMatch(
      /^OK {2}httpbin 10\.4\.11\.1 · \w+ eth0 answered throughout 10 s, as predicted$/,
    );
    expect(data(reply)).toMatchObject({
      recorder: "tcpdump",
      resolutionMs: 1000,
      changes: [],
      gratuitous: [],
    });
  });

  it("sees a node die: who took over, the gap, the gratuitous frames", async () => {
    const world = await settled();
    const { node, next } = data(await ask(world, { subject: "httpbin" }));
    const running = arping.verbs[1]!.handle(world.context({ subject: "httpbin", for: 30_000 }));
    await world.clock.advance(10_000);
    world.twin.setPower(node as string, false);
    const reply = await world.clock.runUntil(running);
    expect(line(reply)).toMatch(
      new RegExp(
        `^MOVED {2}httpbin 10\\.4\\.11\\.1 · ${node} eth0 to ${next} eth0, 1 gap, \\d+ s ± 1 s in all$`,
      ),
    );
    expect(evidenceOf(reply)).toMatch(new RegExp(`gratuitous frame from ${next}`));
    expect((data(reply).changes as readonly Data[]).length).toBe(1);
  });

  it("samples ten times a second with the program that can", async () => {
    const spec = healthy();
    const world = await settled({
      ...spec,
      vantages: spec.vantages.map((each) =>
        each.name === "ops-host" ? { ...each, arping: "habets" as const } : each,
      ),
    });
    const reply = await watch(world, { subject: "httpbin", for: 5_000 });
    expect(data(reply)).toMatchObject({ resolutionMs: 100, frames: 50 });
  });

  it("without tcpdump gratuitous frames are unknown and arping's own lines give the times", async () => {
    const world = await settled();
    world.twin.removeTool("ops-host", "tcpdump");
    const reply = await watch(world, { subject: "httpbin", for: 5_000, from: "ops-host" });
    expect(data(reply)).toMatchObject({ recorder: "arping", gratuitous: "unknown" });
    expect(evidenceOf(reply)).toMatch(/gratuitous: unknown/);
    expect(reply.verdict.word).toBe("OK");
  });

  it("a capture that breaks off is no silence: arping's own lines count then", async () => {
    const world = await settled();
    const cluster: ClusterPorts = {
      ...world.cluster,
      shell: (target, command, options) => {
        const broken = new AbortController();
        if (!command.argv.includes("tcpdump")) return world.cluster.shell(target, command, options);
        void world.clock.sleep(4_000).then(() => broken.abort());
        return world.cluster.shell(target, command, { ...options, signal: broken.signal });
      },
    };
    const reply = await watch(world, { subject: "httpbin", for: 20_000 }, cluster);
    expect(reply.verdict.word).toBe("OK");
    expect(data(reply)).toMatchObject({ recorder: "arping", gratuitous: "unknown", gaps: [] });
  });

  it("what was seen before somebody stopped it is told", async () => {
    const world = await settled();
    const stop = new AbortController();
    const running = arping.verbs[1]!.handle(world.context({ subject: "httpbin", for: 60_000 }, stop.signal));
    await world.clock.advance(8_000);
    stop.abort();
    const reply = await world.clock.runUntil(running);
    expect(line(reply)).toMatch(/^UNKNOWN {2}httpbin 10\.4\.11\.1 · stopped after [5-8] of 60 s$/);
    expect(plain(reply.why ?? [])).toMatch(/eth0 answered throughout [5-8] s/);
    expect(evidenceOf(reply)).toMatch(/answers, \d replies until/);
    expect(exitCode(reply)).toBe(3);
  });

  it("one that was stopped before an answer came is no silence", async () => {
    const world = await settled(goldentooth());
    const stop = new AbortController();
    const running = arping.verbs[1]!.handle(world.context({ subject: "httpbin", for: 60_000 }, stop.signal));
    await world.clock.advance(3_000);
    stop.abort();
    const reply = await world.clock.runUntil(running);
    expect(reply.verdict.outcome).toBe("unknown");
    expect(data(reply)).toMatchObject({ verdict: "could-not-look" });
  });

  it.each(["httpbin", "all"])("a probe of %s that was stopped concludes nothing", async (subject) => {
    const world = await settled();
    const stop = new AbortController();
    const running = arping.verbs[0]!.handle(world.context({ subject, count: 3 }, stop.signal));
    await world.clock.advance(1_500);
    stop.abort();
    const reply = await world.clock.runUntil(running);
    expect(reply.verdict.word).toBe("UNKNOWN");
    expect(plain(reply.verdict.text)).toMatch(
      subject === "all" ? /^stopped after \d+ of 13 addresses$/ : /stopped after 1\.5 s$/,
    );
    expect(exitCode(reply)).toBe(3);
  });

  it("two responders take turns, which is a conflict", async () => {
    const reply = await watch(await settled(goldentoothL2()), { subject: "10.4.11.6", for: 5_000 });
    expect(line(reply)).toMatch(/^CONFLICT {2}jellyfin 10\.4\.11\.6 · 2 MACs take turns/);
  });

  it("a vantage that cannot send makes UNKNOWN", async () => {
    const world = await settled();
    world.twin.dropPrivilege("ops-host");
    const reply = await watch(world, { subject: "httpbin", for: 5_000, from: "ops-host" });
    expect(reply.verdict.word).toBe("UNKNOWN");
    expect(exitCode(reply)).toBe(3);
  });

  it("from the announcing node is unknown, never an outage", async () => {
    const world = await settled();
    const announcer = data(await ask(world, { subject: "httpbin" })).node as string;
    const vantages = [{ name: "here", place: "lan-wired", clusterNode: announcer, access: "local" } as const];
    const cluster: ClusterPorts = {
      ...world.cluster,
      config: { ...world.cluster.config, vantages },
      shell: (target, command, options) =>
        world.cluster.shell(
          { ...target, name: target.kind === "vantage" ? announcer : target.name },
          command,
          options,
        ),
    };
    for (const from of [undefined, "here"]) {
      const reply = await watch(
        world,
        { subject: "httpbin", for: 5_000, ...(from === undefined ? {} : { from }) },
        cluster,
      );
      expect(reply.verdict.word).toBe("UNKNOWN");
      expect(plain(reply.why ?? [])).toContain(`${announcer} announces 10.4.11.1 itself`);
      expect(exitCode(reply)).toBe(3);
    }
  });

  it("is about one address", async () => {
    expect((await watch(await settled(), { subject: "all", for: 5_000 })).verdict.outcome).toBe("usage");
  });
});
