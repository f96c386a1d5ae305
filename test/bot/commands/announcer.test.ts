import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { announcer } from "#bot/commands/announcer.ts";
import type { Deps } from "#bot/commands/command.ts";
import { parseCommand } from "#bot/parse.ts";
import { FaultError } from "#shared/fault.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { newestVersion } from "#shared/metallb/versions.ts";
import { exitCode, type Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { plain } from "#shared/text.ts";
import {
  l2,
  node,
  nodes,
  openPool,
  pool,
  service,
  slice,
  speakerDaemonSet,
  speakerPod,
} from "#test/shared/metallb/cluster.ts";

const dump = (...items: readonly (KubeObject | readonly KubeObject[])[]): string =>
  JSON.stringify({ apiVersion: "v1", kind: "List", items: items.flat() });

/** Runs the words a person would type, through the parser that the CLI uses. */
async function run(words: string, content: string | FaultError): Promise<Reply> {
  const parsed = parseCommand(["announcer", ...words.split(" ")], [announcer], "cli");
  if (parsed.kind !== "verb") throw new Error(`parsed as ${parsed.kind}`);
  const readFile = async (path: string): Promise<string> => {
    expect(path).toBe("dump.json");
    if (content instanceof FaultError) throw content;
    return content;
  };
  return parsed.verb.handle({
    input: parsed.input,
    deps: { readFile } as Deps,
    cluster: undefined,
    caller: { door: "cli", account: "tester", person: undefined, groups: undefined, roles: [] },
    show: () => {},
    signal: new AbortController().signal,
  });
}

const iris = dump(nodes("iris1", "iris2"), openPool, service("web", "10.20.30.1"), slice("web", ["iris1"]));

describe("arpeggio announcer", () => {
  it("prints exactly the promised document", async () => {
    const reply = await run("--dump dump.json", iris);
    expect(JSON.parse(JSON.stringify(reply.json))).toEqual({
      assumed: {
        version: "0.16.1",
        versionFrom: "newest known",
        memberlist: "on",
        speakers: ["iris1", "iris2"],
        speakersFrom: "assumed on every node",
        ignoreExcludeLb: false,
        ignoreExcludeLbFrom: "default",
      },
      addresses: [
        {
          ip: "10.20.30.1",
          service: "default/web",
          pool: "all",
          order: ["iris2", "iris1"],
          why: {},
          interfaces: { iris2: "all", iris1: "all" },
        },
      ],
    });
    expect(exitCode(reply)).toBe(0);
  });

  it("says it to a person too: verdict first, nobody's silence", async () => {
    const reply = await run("--dump dump.json --ip 10.20.30.1", iris);
    expect(plain(reply.verdict.text)).toBe("default/web 10.20.30.1: iris2 will announce it, next iris1");
    const shown = renderTerminal(reply, { columns: 100, colour: false });
    expect(shown).toContain("0.16.1");
    expect(shown).toContain("speakers: iris1, iris2 (assumed on every node)");
  });

  it("passes the options on", async () => {
    const labelled = node("iris2", {
      labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" },
    });
    const text = dump(
      node("iris1"),
      labelled,
      openPool,
      service("web", "10.20.30.1"),
      slice("web", ["iris1"]),
    );
    const order = async (words: string) =>
      (
        JSON.parse(JSON.stringify((await run(`--dump dump.json ${words}`.trim(), text)).json)) as {
          addresses: { order: string[] }[];
        }
      ).addresses[0]?.order;
    expect(await order("")).toEqual(["iris1"]);
    expect(await order("--ignore-exclude-lb")).toEqual(["iris2", "iris1"]);
    expect(await order("--metallb-version v0.13.12")).toEqual(["iris2", "iris1"]);
    expect(await order("--ignore-exclude-lb --memberlist iris1")).toEqual(["iris1"]);
    expect(await order("--memberlist off --metallb-version 0.14.8")).toEqual([]);
  });

  it("tells a person about many addresses without a wall; --json has them all", async () => {
    const names = Array.from({ length: 12 }, (_, i) => `node-${i}`);
    const many = Array.from({ length: 40 }, (_, i) => [
      service(`s${i}`, `10.0.0.${i}`, { policy: "Local" }),
      slice(`s${i}`, i < 20 ? names : []),
    ]);
    const reply = await run("--dump dump.json", dump(nodes(...names), openPool, ...many.flat()));
    const shown = renderTerminal(reply, { columns: 100, colour: false }).split("\n");
    expect(shown.length).toBeLessThan(90);
    expect(reply.findings.map(({ subject }) => subject.name).at(-1)).toBe("15 more");
    expect(shown.join("\n")).toContain("35 more: --ip IP for one of them, --json for all");
    expect((reply.json as { addresses: unknown[] }).addresses).toHaveLength(40);
  });

  it.each([
    {
      from: "the DaemonSet's image",
      more: [speakerDaemonSet("quay.io/metallb/speaker:v0.14.8")],
      assumed: { version: "0.14.8", versionFrom: "speaker image" },
    },
    { from: "nothing that tells", more: [], assumed: { version: "0.16.1", versionFrom: "newest known" } },
    {
      from: "an image without a release",
      more: [speakerDaemonSet("quay.io/metallb/speaker:latest")],
      assumed: { version: "0.16.1", versionFrom: "newest known" },
    },
  ])("takes the version from $from, as its page says", async ({ more, assumed }) => {
    const text = dump(nodes("a"), openPool, service("web", "10.0.0.1"), slice("web", ["a"]), ...more);
    expect(JSON.parse(JSON.stringify((await run("--dump dump.json", text)).json))).toMatchObject({ assumed });
    const page = await readFile(new URL("../../../docs/announcer.md", import.meta.url), "utf8");
    expect(page).toContain(`\`${assumed.versionFrom}\``);
    expect(page).toContain(newestVersion);
  });

  it("takes an address in any spelling", async () => {
    const text = dump(nodes("a"), openPool, service("six", "fd00::1"), slice("six", ["a"]));
    expect(JSON.stringify((await run("--dump dump.json --ip FD00:0::0:1", text)).json)).toContain(
      '"ip":"fd00::1"',
    );
  });

  it("an address no Service has is wrong usage and names the nearest", async () => {
    const text = dump(
      nodes("a"),
      openPool,
      service("x", "10.4.11.1"),
      service("y", "10.9.0.1"),
      slice("x", ["a"]),
    );
    const reply = await run("--dump dump.json --ip 10.4.11.9", text);
    expect(exitCode(reply)).toBe(2);
    expect(plain(reply.verdict.text)).toBe(
      "No Service in the dump has 10.4.11.9. Nearest: 10.4.11.1. Others: 10.9.0.1.",
    );
    const none = await run(
      "--dump dump.json --ip 10.4.11.9",
      dump(nodes("a"), service("z", [], { type: "ClusterIP" })),
    );
    expect(exitCode(none)).toBe(2);
  });

  it.each([
    { name: "unknown release", words: "--dump dump.json --metallb-version 0.99", problem: /0\.99.*0\.16\.1/ },
    {
      name: "not an address",
      words: "--dump dump.json --ip web",
      problem: /--ip takes an IP address; got "web"/,
    },
    {
      name: "empty member",
      words: "--dump dump.json --memberlist a,,b",
      problem: /--memberlist takes node names/,
    },
  ])("$name is wrong usage", async ({ words, problem }) => {
    const reply = await run(words, iris);
    expect(exitCode(reply)).toBe(2);
    expect(plain(reply.verdict.text)).toMatch(problem);
  });

  it("an unreadable file is wrong usage", async () => {
    const fault = new FaultError({ kind: "unreadable", what: "file dump.json", detail: "no such file" });
    const reply = await run("--dump dump.json", fault);
    expect(exitCode(reply)).toBe(2);
    expect(plain(reply.verdict.text)).toBe("file dump.json: no such file");
  });

  it("a malformed dump tells every problem at once, with those of the options", async () => {
    const text = JSON.stringify({ items: [{ kind: "Node" }, { metadata: { name: "x" } }] });
    const reply = await run("--dump dump.json --metallb-version 9", text);
    expect(exitCode(reply)).toBe(2);
    const lines = reply.blocks.flatMap((block) => (block.kind === "evidence" ? block.lines : []));
    expect(lines).toHaveLength(3);
    expect(lines.join("\n")).toMatch(/items\[0\] \(Node\)[\s\S]*items\[1\]/);
    expect(exitCode(await run("--dump dump.json", "apiVersion: v1"))).toBe(2);
  });

  it("does not swallow errors that are not about looking", async () => {
    const broken = async () => {
      const parsed = parseCommand(["announcer", "--dump", "dump.json"], [announcer], "cli");
      if (parsed.kind !== "verb") throw new Error("not a verb");
      const readFile = async (): Promise<string> => {
        throw new TypeError("ours");
      };
      return parsed.verb.handle({ input: parsed.input, deps: { readFile } } as never);
    };
    await expect(broken()).rejects.toThrow("ours");
  });

  it("an invalid configuration fails, with MetalLB's words", async () => {
    const bad = l2("primary", { nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "*" } }] });
    const reply = await run(
      "--dump dump.json",
      dump(nodes("a"), pool("p", ["10.0.0.0/24"]), bad, service("s", "10.0.0.1"), slice("s", ["a"])),
    );
    expect(exitCode(reply)).toBe(1);
    expect(reply.findings).toMatchObject([{ code: "metallb-configuration-invalid", severity: "error" }]);
    expect(JSON.stringify(reply.json)).toContain("failed to parse node selector for primary");
  });

  it("addresses that nobody announces fail, with the reasons counted", async () => {
    const text = dump(
      nodes("a", "b"),
      pool("p", ["10.0.0.0/24"]),
      speakerPod("a"),
      l2("x", { nodeSelectors: [{ matchLabels: { gone: "yes" } }] }),
      service("s", "10.0.0.1"),
      slice("s", ["a"]),
    );
    const reply = await run("--dump dump.json", text);
    expect(exitCode(reply)).toBe(1);
    expect(reply.findings).toMatchObject([
      {
        code: "address-not-announced",
        severity: "error",
        facts: { why: { "not-a-speaker": 1, "no-advertisement-selects-node": 1 } },
      },
    ]);
    expect(JSON.stringify(reply.json)).toContain('"pool":"p"');
  });

  it.each([
    {
      name: "no Nodes",
      text: dump(service("s", "10.0.0.1"), slice("s", ["a"]), openPool),
      absent: ["Nodes"],
    },
    { name: "nothing", text: dump(), absent: ["Nodes", "Services"] },
    {
      name: "no EndpointSlices",
      text: dump(nodes("a"), openPool, service("s", "10.0.0.1")),
      absent: ["EndpointSlices"],
    },
    {
      name: "no IPAddressPools",
      text: dump(nodes("a"), l2("all"), service("s", "10.0.0.1"), slice("s", ["a"])),
      absent: ["IPAddressPools"],
    },
  ])("$name: unknown, not fine", async ({ text, absent }) => {
    const reply = await run("--dump dump.json", text);
    expect(reply.verdict.outcome).toBe("unknown");
    expect(reply.findings).toEqual([
      expect.objectContaining({ code: "dump-incomplete", severity: "unknown", facts: { absent } }),
    ]);
    expect(exitCode(reply)).toBe(3);
    expect(Object.keys(reply.json as object)).toEqual(["assumed", "addresses"]);
  });

  it("what was left out of a dump does not hide a rejected configuration", async () => {
    const bad = l2("primary", { nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "*" } }] });
    const text = dump(nodes("a"), pool("p", ["10.0.0.0/24"]), bad, service("s", "10.0.0.1"));
    expect(exitCode(await run("--dump dump.json", text))).toBe(1);
  });

  it("a dump without LoadBalancer addresses is no OK", async () => {
    const text = dump(nodes("a"), service("z", [], { type: "ClusterIP" }));
    const reply = await run("--dump dump.json", text);
    expect(reply.verdict).toMatchObject({ word: "INFO", outcome: "info" });
    expect(exitCode(reply)).toBe(0);
  });
});
