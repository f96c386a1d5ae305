import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arp } from "#bot/commands/arp.ts";
import type { Context, Deps } from "#bot/commands/command.ts";
import { FaultError } from "#shared/fault.ts";
import type { Reply } from "#shared/reply.ts";
import { exitCode } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";
import { captured } from "#test/shared/probes/captured.ts";

const verb = arp.verbs[0]!;

type Files = Readonly<Record<string, string>>;

/** Files as the door would read them; a key that ends in `/` is a directory. */
async function read(input: Readonly<Record<string, string>>, files: Files): Promise<Reply> {
  const deps: Partial<Deps> = {
    readFile: async (path) => {
      const content = files[path];
      if (content === undefined)
        throw new FaultError({ kind: "unreadable", what: path, detail: "no such file" });
      return content;
    },
    readDirectory: async (path) => {
      const names = Object.keys(files).flatMap((name) =>
        name.startsWith(`${path}/`) ? [name.slice(path.length + 1)] : [],
      );
      return names.length > 0 || files[`${path}/`] !== undefined
        ? names.filter((name) => name !== "")
        : undefined;
    },
  };
  const context = { input: verb.input.parse(input), deps } as unknown as Context<unknown>;
  return verb.handle(context);
}

const both = (name: string): string => captured("arp", name).stdout + captured("arp", name).stderr;

const json = (reply: Reply) =>
  reply.json as {
    program: string | null;
    replies: { mac: string; ms?: number; kind: string }[];
    macs: { mac: string; node?: string; nic?: string }[];
    sent: number | null;
    received: number | null;
    verdict: string;
  };

const macs = JSON.stringify({
  karstark: { eth0: "DC:A6:32:0A:1B:0B", wlan0: "dc-a6-32-0a-1b-0c" },
  bettley: { eth0: "dc:a6:32:0b:01:01" },
  lipps: { eth0: "dc:a6:32:0c:02:02" },
});

describe("arp read by itself", () => {
  it.each([
    ["iputils-b-one", "iputils", 3, 3, "answered", 0],
    ["iputils-b-two-nics", "iputils", 3, 6, "two-macs", 1],
    ["iputils-two-nics", "iputils", 3, 4, "two-macs", 1],
    ["iputils-b-w-two-nics", "iputils", 2, 3, "two-macs", 1],
    ["iputils-b-silence", "iputils", 3, 0, "silence", 1],
    ["habets-one", "habets", 3, 3, "answered", 0],
    ["habets-two-nodes", "habets", 3, 6, "two-macs", 1],
    ["habets-d-silence", "habets", 3, 0, "silence", 1],
    ["habets-r-one", "habets", null, 3, "answered", 0],
    ["habets-r-two-nics", "habets", null, 6, "two-macs", 1],
    ["habets-rR", "habets", null, 2, "answered", 0],
  ])("%s", async (fixture, program, sent, received, verdict, exit) => {
    const reply = await read({ file: "arping.txt" }, { "arping.txt": both(fixture) });
    expect(json(reply)).toMatchObject({ program, sent, received, verdict });
    expect(exitCode(reply)).toBe(exit);
    expect(Object.keys(json(reply)).toSorted()).toEqual([
      "macs",
      "program",
      "received",
      "replies",
      "sent",
      "verdict",
    ]);
  });

  it.each([
    "iputils-no-device",
    "iputils-no-privilege",
    "iputils-no-filecap",
    "iputils-nic-down",
    "iputils-i-eth0",
    "iputils-q",
    "iputils-help",
    "habets-no-privilege",
    "habets-no-device",
    "habets-nic-down",
    "habets-dots",
    "habets-r-silence",
    "habets-help",
  ])("%s could not look, which is not silence", async (fixture) => {
    const reply = await read({ file: "-" }, { "-": both(fixture) });
    expect(json(reply).verdict).toBe("could-not-look");
    expect(exitCode(reply)).toBe(3);
  });

  it.each([
    ["nothing", ""],
    ["blanks", " \n\n"],
    ["garbage", "lorem ipsum\n42"],
    [
      "another language",
      "ARPING 10.4.11.1 de 10.4.0.5 eth0\nRéponse unicast de 10.4.11.1 [DC:A6:32:0A:1B:0B]  0.5ms\n",
    ],
    ["sudo's complaint", "sudo: a password is required\n"],
    [
      "one answer and no summary",
      "ARPING 10.4.11.1 from 10.4.0.5 eth0\nUnicast reply from 10.4.11.1 [DC:A6:32:0A:1B:0B]  0.558ms\n",
    ],
    ["a header alone", "ARPING 10.4.11.1\n"],
  ])("%s could not look", async (_what, text) => {
    const reply = await read({}, { "-": text });
    expect(json(reply).verdict).toBe("could-not-look");
    expect(exitCode(reply)).toBe(3);
  });

  it("two answers prove a conflict even in a cut text", async () => {
    const cut = captured("arp", "iputils-b-two-nics").stdout.split("\n").slice(0, 3).join("\n");
    expect(json(await read({}, { "-": cut })).verdict).toBe("two-macs");
  });

  it("prints milliseconds and kinds as the program printed them, MACs in lower case", async () => {
    const iputils = json(await read({}, { "-": both("iputils-b-one") }));
    expect(iputils.replies[0]).toMatchObject({ mac: "dc:a6:32:0b:01:01", kind: "unicast" });
    const habets = await read(
      {},
      {
        "-": "42 bytes from DC:A6:32:0B:01:01 (10.4.11.2): index=0 time=12.000 usec\n1 packets transmitted, 1 packets received,   0% unanswered (0 extra)\n",
      },
    );
    expect(json(habets).replies).toEqual([{ mac: "dc:a6:32:0b:01:01", ms: 0.012, kind: "unknown" }]);
  });

  it("takes the prompt and the command that people paste along", async () => {
    const pasted = `me@ops:~$ sudo arping -b -c 3 -I eth0 10.4.11.2\n${both("iputils-b-one").replaceAll("\n", "\r\n")}`;
    expect(json(await read({}, { "-": pasted })).verdict).toBe("answered");
  });
});

describe("what people paste along", () => {
  const answered = both("iputils-b-one");
  it.each([
    ["a bare prompt after it", `${answered}me@ops:~$ \n`],
    ["root's prompt", `[root@ops ~]# arping -b -c 3 -I eth0 10.4.11.2\n${answered}[root@ops ~]# `],
    ["the shortest prompt", `$ sudo arping -b -c 3 -I eth0 10.4.11.2\n${answered}$ `],
    ["a shell's own prompt", `${answered}bash-5.1$ `],
    ["zsh", `${answered}me@ops ~ % `],
    ["a fence", `\`\`\`\n${answered}\`\`\`\n`],
    ["a fence with a language", `\`\`\`console\n${answered}\`\`\`\n`],
    ["the key that stopped it", answered.replace("Sent", "^CSent")],
    ["the key on its own line", answered.replace("Sent", "^C\nSent")],
  ])("%s", async (_what, pasted) => {
    expect(json(await read({}, { "-": pasted })).verdict).toBe("answered");
  });
  it.each([
    "the rest is 50%",
    "Réponse de 10.4.11.2 >",
    "dc:a6:32:0a:1b:0b@x:~$",
  ])("%s is still a line that is not understood", async (odd) => {
    expect(json(await read({}, { "-": `${answered}${odd}\n` })).verdict).toBe("could-not-look");
  });
});

describe("where a second answerer can hide", () => {
  const notes = (reply: Reply): string =>
    reply.blocks
      .flatMap((block) => (block.kind === "evidence" ? block.lines : []))
      .join(" ")
      .replace(/ +/g, " ");
  const unicast = [
    "ARPING 10.4.11.2 from 10.4.0.5 eth0",
    "Unicast reply from 10.4.11.2 [DC:A6:32:0B:01:01]  0.558ms",
    "Unicast reply from 10.4.11.2 [DC:A6:32:0B:01:01]  0.558ms",
    "Unicast reply from 10.4.11.2 [DC:A6:32:0B:01:01]  0.558ms",
    "Sent 3 probes (1 broadcast(s))",
    "Received 3 response(s)",
  ].join("\n");
  const single = [
    "ARPING 10.4.11.2 from 10.4.0.5 eth0",
    "Unicast reply from 10.4.11.2 [DC:A6:32:0B:01:01]  0.558ms",
    "Sent 1 probes (1 broadcast(s))",
    "Received 1 response(s)",
  ].join("\n");
  it.each([
    [
      "unicast after the first answer",
      unicast,
      /only 1 of 3 probes was a broadcast.*second answerer can hide/,
    ],
    ["one probe", single, /only one probe was sent: a second answerer can hide/],
    [
      "-f",
      `$ arping -f -c 3 10.4.11.2\n${single}`,
      /-f stops at the first answer: a second answerer can hide/,
    ],
  ])("%s", async (_what, text, words) => {
    const reply = await read({ macs: "m", expect: "bettley" }, { "-": text, m: macs });
    expect(json(reply).verdict).toBe("expected");
    expect(notes(reply)).toMatch(words);
  });
  it("says nothing where every probe went to everybody", async () => {
    const reply = await read({ macs: "m", expect: "bettley" }, { "-": both("iputils-b-one"), m: macs });
    expect(notes(reply)).not.toMatch(/hide/);
  });
});

describe("arp read with --macs and --expect", () => {
  it.each([
    ["iputils-b-one", undefined, "answered"],
    ["iputils-b-one", "bettley", "expected"],
    ["iputils-b-one", "bettley/eth0", "expected"],
    ["iputils-b-one", "bettley/wlan0", "wrong-nic"],
    ["iputils-b-one", "lipps", "elsewhere"],
    ["iputils-b-two-nics", "karstark/eth0", "two-nics"],
    ["habets-two-nodes", undefined, "two-nodes"],
    ["iputils-b-proxy", undefined, "foreign-mac"],
    ["habets-silence", "bettley", "silence"],
  ])("%s, expecting %s: %s", async (fixture, expectation, verdict) => {
    const reply = await read(
      { file: "a", macs: "m.json", ...(expectation === undefined ? {} : { expect: expectation }) },
      { a: both(fixture), "m.json": macs },
    );
    expect(json(reply).verdict).toBe(verdict);
  });

  it("names node and NIC of each MAC", async () => {
    const reply = await read({ file: "a", macs: "m.json" }, { a: both("habets-two-nics"), "m.json": macs });
    expect(json(reply).macs).toEqual([
      { mac: "dc:a6:32:0a:1b:0c", node: "karstark", nic: "wlan0" },
      { mac: "dc:a6:32:0a:1b:0b", node: "karstark", nic: "eth0" },
    ]);
  });

  it("reads a directory of `ip -j link` outputs, one a node", async () => {
    const reply = await read(
      { file: "a", macs: "links", expect: "karstark" },
      {
        a: both("iputils-b-two-nics"),
        "links/karstark.json": captured("ip", "link-kar").stdout,
        "links/bettley.json": captured("ip", "link-bet").stdout,
      },
    );
    expect(json(reply)).toMatchObject({ verdict: "two-nics" });
  });

  it("tells a MAC that two nodes have instead of choosing", async () => {
    const doubled = JSON.stringify({ a: { eth0: "dc:a6:32:0b:01:01" }, b: { eth0: "dc:a6:32:0b:01:01" } });
    const reply = await read({ file: "a", macs: "m" }, { a: both("iputils-b-one"), m: doubled });
    expect(json(reply)).toMatchObject({ verdict: "could-not-look", macs: [{ mac: "dc:a6:32:0b:01:01" }] });
  });

  it("an expectation without owners cannot be judged", async () => {
    expect(json(await read({ file: "a", expect: "bettley" }, { a: both("iputils-b-one") })).verdict).toBe(
      "could-not-look",
    );
  });
});

describe("files that cannot be read", () => {
  it.each([
    ["no such output", { file: "gone" }, {}, /gone: no such file/],
    ["no such macs", { file: "a", macs: "gone" }, { a: "" }, /gone: no such file/],
    ["macs that are not JSON", { file: "a", macs: "m" }, { a: "", m: "{" }, /m: not JSON/],
    [
      "macs of another shape",
      { file: "a", macs: "m" },
      { a: "", m: '{"n":{"eth0":"x","eth1":"y"}}' },
      /n\.eth0 .*n\.eth1/,
    ],
    ["an empty directory", { file: "a", macs: "d" }, { a: "", "d/": "" }, /empty directory/],
    [
      "a directory with something else",
      { file: "a", macs: "d" },
      { a: "", "d/n.json": "[]" },
      /n\.json: names no interface/,
    ],
  ])("%s: exit 2 and why", async (_what, input, files, words) => {
    const reply = await read(input as Readonly<Record<string, string>>, files as Files);
    expect(exitCode(reply)).toBe(2);
    expect(plain(reply.verdict.text)).toMatch(words);
  });
});

describe("properties", () => {
  it("any text gets a verdict, and no printed MAC is lost", async () => {
    const mac = fc.constantFrom("02:00:00:00:00:01", "02:00:00:00:00:02", "0A:bb:CC:00:00:03");
    const part = fc.oneof(
      mac.map((m) => `Unicast reply from 10.0.0.1 [${m}]  0.672ms`),
      mac.map((m) => `42 bytes from ${m} (10.0.0.1): index=0 time=8.1 usec`),
      mac,
      fc.string({ maxLength: 30 }),
      fc.constantFrom("Sent 3 probes (3 broadcast(s))", "Received 3 response(s)", "Timeout"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
        const text = parts.join("\n");
        const reply = json(await read({}, { "-": text }));
        const printed = new Set(
          (text.match(/(?<![0-9a-f:])[0-9a-f]{2}(:[0-9a-f]{2}){5}(?![0-9a-f:])/gi) ?? []).map((m) =>
            m.toLowerCase(),
          ),
        );
        expect(new Set(reply.macs.map((each) => each.mac))).toEqual(printed);
      }),
      { numRuns: 300 },
    );
  });
});

it("is offline: no cluster, no effect, the command line only", () => {
  expect(verb).toMatchObject({ cluster: "none", effect: "none", doors: ["cli"], path: ["read"] });
});
