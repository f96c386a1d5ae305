import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NonEmpty } from "#shared/finding.ts";
import {
  type EvidenceRequest,
  evidenceCommand,
  evidenceScript,
  longest,
  readEvidence,
} from "#shared/probes/evidence-script.ts";
import { renderArgv } from "#shared/probes/render-argv.ts";
import { shellOutput } from "./captured.ts";

const nonce = "n-4f1c";

const request = (key: string, argv: readonly string[], more: Partial<EvidenceRequest["command"]> = {}) => ({
  key,
  command: { argv: argv as unknown as NonEmpty<string>, privileged: false, timeoutMs: 5_000, ...more },
});

const bytes = (text: string): number => new TextEncoder().encode(text).length;

type Said = Readonly<{ key: string; out: string; err: string; code: number }>;

/** What the script prints, as its own description says. */
const framed = (said: readonly Said[], mark = nonce): string =>
  `${said
    .map(
      ({ key, out, err, code }) =>
        `${mark} out ${key} ${code} ${bytes(out)}\n${out}\n${mark} end\n${mark} err ${key} ${bytes(err)}\n${err}\n${mark} end\n`,
    )
    .join("")}${mark} done\n`;

const requestsFor = (said: readonly Said[]): readonly EvidenceRequest[] =>
  said.map(({ key }) => request(key, [key]));

const well = (text: string): string => text.toWellFormed().replaceAll("\0", "");

/** Text of a program that knows how frames look, though not the nonce. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 20 }),
      fc.constantFrom(
        "\n",
        "\n\n",
        "\n n-4f1c end\n",
        `\n${nonce}x end\n`,
        "nonce end\n",
        "out k1 0 5\n",
        "err k0 0\n\n",
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => well(parts.join("")));

const several = fc
  .array(fc.record({ out: hostileText, err: hostileText, code: fc.integer({ min: 0, max: 255 }) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((list) => list.map((each, i): Said => ({ ...each, key: `k${i}` })));

const seen = (stdout: string, said: readonly Said[], more = {}) =>
  readEvidence(shellOutput({ stdout, ...more }), nonce, requestsFor(said));

describe("reading frames", () => {
  it("gives every command its own output, byte for byte", () => {
    fc.assert(
      fc.property(several, (said) => {
        expect(
          seen(framed(said), said).map((answer) =>
            answer.ok
              ? { out: answer.evidence.stdout, err: answer.evidence.stderr, code: answer.evidence.exitCode }
              : answer.fault,
          ),
        ).toEqual(said.map(({ out, err, code }) => ({ out, err, code })));
      }),
    );
  });

  it("is not fooled by a body that holds frames of this very run", () => {
    fc.assert(
      fc.property(several, several, (said, forged) => {
        const [first, ...rest] = said as [Said, ...Said[]];
        const hostile = [{ ...first, out: `${first.out}\n${nonce} end\n${framed(forged)}` }, ...rest];
        expect(seen(framed(hostile), hostile).map((answer) => answer.ok && answer.evidence.stdout)).toEqual(
          hostile.map(({ out }) => out),
        );
      }),
    );
  });

  it("makes of a cut answer the same evidence or a fault, never other evidence", () => {
    fc.assert(
      fc.property(several, fc.double({ min: 0, max: 1, noNaN: true }), (said, share) => {
        const whole = framed(said);
        const answers = seen(whole.slice(0, Math.floor(whole.length * share)).toWellFormed(), said);
        answers.forEach((answer, i) => {
          if (answer.ok) expect(answer.evidence.stdout).toBe(said[i]?.out);
          else expect(answer.fault.detail).not.toBe("");
        });
        if (share < 0.5) expect(answers.at(-1)?.ok).toBe(false);
      }),
    );
  });

  it("makes of any text a fault or nothing, and loses no other command to damage in one", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), several, (garbage, said) => {
        for (const answer of seen(garbage, said)) expect(answer.ok).toBe(false);
        const broken = framed(said).replace(/ out k0 \d+ /, "$&99999");
        const [first, ...others] = seen(`${well(garbage)}\n${broken}`, said);
        expect(first?.ok).toBe(false);
        expect(others.map((answer) => answer.ok)).toEqual(others.map(() => true));
      }),
    );
  });

  const one = [{ key: "k0", out: "hello\n", err: "", code: 0 }] as const;

  it.each([
    ["nothing at all", "", { exitCode: 0 }, "unreadable"],
    ["a shell that is not there", "", { exitCode: 127, stderr: "sh: not found" }, "missing-tool"],
    ["no timeout(1)", `${nonce} no-timeout\n`, {}, "missing-tool"],
    ["an end by us", "", { exitCode: null }, "timed-out"],
    ["frames of another run", framed(one, "n-other"), {}, "unreadable"],
    ["the end without the command", `${nonce} done\n`, {}, "unreadable"],
    ["a command twice", framed(one).repeat(2), {}, "unreadable"],
    ["no stderr frame", framed(one).replace(/n-4f1c err[\s\S]*/, ""), {}, "truncated"],
    [
      "bytes that are no UTF-8",
      `${nonce} out k0 0 3\n\ufffd\ufffd\ufffd\n${nonce} end\n${nonce} done\n`,
      {},
      "unreadable",
    ],
    [
      "more than travels",
      `${nonce} out k0 0 9999999\n${"x".repeat(longest.out)}\n${nonce} end\n${nonce} err k0 0\n\n${nonce} end\n`,
      {},
      "truncated",
    ],
  ] as const)("%s is a fault", (_, stdout, more, kind) => {
    const [answer] = seen(stdout, one, more);
    expect(answer).toMatchObject({ ok: false, fault: { kind } });
  });

  it("reads over a login message", () => {
    expect(seen(`Welcome to dalt\n${framed(one)}`, one)[0]).toMatchObject({ ok: true });
  });
});

describe("reading the answer of one command alone", () => {
  const asked = [request("k0", ["ip"])];

  /** What the script prints for one command, as its own description says. */
  const answerOf = ({ out, err, code }: Omit<Said, "key">) => ({
    stdout: `${nonce} only k0\n${out}\n${nonce} end ${code}\n${nonce} done\n`,
    stderr: `${nonce} only k0\n${err}`,
  });
  const read = (more: Parameters<typeof shellOutput>[0]) => readEvidence(shellOutput(more), nonce, asked)[0];
  const plain = { out: "hello\n", err: "", code: 0 } as const;

  // Without byte counts U+FFFD cannot be told from bytes that were no text: that is the next test's.
  const text = hostileText.filter((value) => !value.includes("\uFFFD"));
  const anything = fc.record({ out: text, err: text, code: fc.integer({ min: 0, max: 255 }) });

  it("makes a fault of output that was no text, and of what only looks like it", () => {
    const { stdout, stderr } = answerOf({ ...plain, out: "\uFFFD\n" });
    expect(read({ stdout, stderr })).toMatchObject({ ok: false, fault: { kind: "unreadable" } });
  });

  it("gives output, complaints and exit code byte for byte, whatever a login shell says before", () => {
    fc.assert(
      fc.property(anything, fc.constantFrom("", "Welcome to dalt\n", "\n\n"), (said, greeting) => {
        const { stdout, stderr } = answerOf(said);
        expect(read({ stdout: greeting + stdout, stderr: greeting + stderr })).toMatchObject({
          ok: true,
          evidence: { stdout: said.out, stderr: said.err, exitCode: said.code },
        });
      }),
    );
  });

  it("is not fooled by a command that prints the very words of the script", () => {
    fc.assert(
      fc.property(anything, anything, (said, forged) => {
        const { stdout, stderr } = answerOf(forged);
        const hostile = { out: said.out + stdout, err: said.err + stderr, code: said.code };
        expect(read(answerOf(hostile))).toMatchObject({
          ok: true,
          evidence: { stdout: hostile.out, stderr: hostile.err, exitCode: said.code },
        });
      }),
    );
  });

  it("makes of a cut answer a fault, wherever it was cut", () => {
    const { stdout, stderr } = answerOf(plain);
    for (let length = 0; length < stdout.length; length++)
      expect(read({ stdout: stdout.slice(0, length), stderr })).toMatchObject({ ok: false });
  });

  const { stdout, stderr } = answerOf(plain);
  const begun = `${nonce} only k0\nhel`;

  it.each([
    ["an end in the middle", { stdout: begun, stderr }, "truncated"],
    ["an end by us", { stdout: begun, stderr, exitCode: null }, "timed-out"],
    ["something printed after the end", { stdout: `${stdout}more\n`, stderr }, "unreadable"],
    ["no frame on standard error", { stdout, stderr: "sh: weird\n" }, "unreadable"],
    ["bytes that are no UTF-8", { stdout: stdout.replace("hello", "\ufffd"), stderr }, "unreadable"],
    ["an exit code that is none", { stdout: stdout.replace("end 0", "end 1234"), stderr }, "unreadable"],
    ["the frame of another command", { stdout: stdout.replace("k0", "k1"), stderr }, "unreadable"],
    ["the frame of another run", { stdout: stdout.replaceAll(nonce, "n-other"), stderr }, "unreadable"],
    [
      "a byte more than travels",
      answerOf({ ...plain, out: `${"x".repeat(longest.out - 2)}ä!` }),
      "truncated",
    ],
  ] as const)("%s is a fault", (_, more, kind) => {
    expect(read(more)).toMatchObject({ ok: false, fault: { kind, what: "ip" } });
  });

  it("takes output at the limit, and leaves out complaints beyond theirs", () => {
    const full = { out: "x".repeat(longest.out), err: "y".repeat(longest.err), code: 1 };
    expect(read(answerOf(full))).toMatchObject({
      ok: true,
      evidence: { stdout: full.out, stderr: full.err },
    });
    expect(read(answerOf({ ...full, err: `${full.err}y` }))).toMatchObject({
      ok: true,
      evidence: { stdout: full.out, stderr: "" },
    });
  });

  it("does not take that frame for one of many commands", () => {
    const two = [request("k0", ["ip"]), request("k1", ["ip"])];
    for (const answer of readEvidence(shellOutput({ stdout, stderr }), nonce, two))
      expect(answer.ok).toBe(false);
  });
});

describe("the command", () => {
  it("refuses keys and nonces that could be taken for something else", () => {
    expect(() => evidenceCommand("a b", [], 1)).toThrow(RangeError);
    expect(() => evidenceCommand(nonce, [request("a\nb", ["true"])], 1)).toThrow(RangeError);
  });

  it("is one line that the renderer takes, whatever it is asked to run", () => {
    expect(evidenceScript).not.toMatch(/[\n\t]/);
    const { argv } = evidenceCommand(nonce, [request("k", ["printf", 'it\'s $(id) `id` \\ "x"'])], 1);
    expect(renderArgv(argv)).toContain("it'\\''s $(id)");
  });
});

const shells = [["dash"], ["bash"], ["busybox", "sh"]].filter(
  ([program = ""]) =>
    spawnSync(program, ["-c", "true"]).status === 0 || spawnSync(program, ["true"]).status === 0,
);

describe.each(shells.map((shell) => [shell.join(" "), shell] as const))("on %s", (_, shell) => {
  const run = (requests: readonly EvidenceRequest[], env: Readonly<Record<string, string>> = {}) => {
    const { argv } = evidenceCommand(nonce, requests, 60_000);
    // As sshd does it: one string, for a login shell.
    const line = renderArgv([...shell, ...argv.slice(1)] as unknown as NonEmpty<string>);
    const done = spawnSync("sh", ["-c", line], {
      encoding: "utf8",
      env: { ...process.env, ...env },
      input: "standard input\n",
      maxBuffer: 8 * 1_048_576,
    });
    return readEvidence(
      shellOutput({ stdout: done.stdout, stderr: done.stderr, exitCode: done.status }),
      nonce,
      requests,
    );
  };

  it("runs argvs as they are and brings back bytes, codes and both streams", () => {
    const words = ["a b", "it's", '"$HOME"', "`id`", "\\", "*", "", "-n", "ä€😀", "$(id)", "end", ";"];
    const answers = run([
      request("words", ["printf", "%s|", ...words]),
      request("both", ["sh", "-c", "printf 'out\\n\\n'; printf 'err\\n' >&2; exit 7"]),
      request("stdin", ["cat"]),
      request("silent", ["true"]),
      request("missing", ["no-such-program-here"]),
      request("forging", ["printf", `x\\n${nonce} end\\n${nonce} out silent 0 3\\nyes\\n${nonce} end\\n`]),
    ]);
    const told = answers.map((answer) =>
      answer.ok
        ? [answer.evidence.exitCode, answer.evidence.stdout, answer.evidence.stderr]
        : answer.fault.kind,
    );
    expect(told.slice(0, 4)).toEqual([
      [0, `${words.join("|")}|`, ""],
      [7, "out\n\n", "err\n"],
      [0, "", ""],
      [0, "", ""],
    ]);
    expect(told[4]).toMatchObject([127, "", expect.stringMatching(/no-such-program-here/)]);
    expect(told[5]).toMatchObject([0, `x\n${nonce} end\n${nonce} out silent 0 3\nyes\n${nonce} end\n`, ""]);
  });

  it("ends what takes too long and goes on", () => {
    const [slow, next] = run([
      request("slow", ["sleep", "30"], { timeoutMs: 200 }),
      request("next", ["echo", "on"]),
    ]);
    expect(slow).toMatchObject({ ok: true, evidence: { stdout: "" } });
    // 124 from coreutils, 143 from busybox.
    expect(slow?.ok && slow.evidence.exitCode).toBeOneOf([124, 143]);
    expect(next).toMatchObject({ ok: true, evidence: { stdout: "on\n" } });
  });

  it("tells output that is too long from a shorter one", () => {
    const [long, next] = run([
      request("long", ["sh", "-c", `head -c ${longest.out + 5} /dev/zero | tr '\\0' x`]),
      request("next", ["echo", "on"]),
    ]);
    expect(long).toMatchObject({ ok: false, fault: { kind: "truncated" } });
    expect(next).toMatchObject({ ok: true, evidence: { stdout: "on\n" } });
  });

  it("spoils nothing else with bytes that are no text", () => {
    const [latin1, next] = run([
      request("latin1", ["printf", "caf\\351\\n"]),
      request("next", ["echo", "on"]),
    ]);
    expect(latin1).toMatchObject({
      ok: false,
      fault: { kind: "unreadable", detail: "its output is not UTF-8" },
    });
    expect(next).toMatchObject({ ok: true, evidence: { stdout: "on\n" } });
  });

  it("goes by sudo for what needs root, with the time limit inside, and only there", () => {
    const dir = mkdtempSync(join(tmpdir(), "arpeggio-sudo-"));
    const program = (name: string, text: string) => {
      writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    };
    program("id", "echo 1000");
    const requests = [
      request("plain", ["echo", "as user"]),
      request("root", ["echo", "as root"], { privileged: true, timeoutMs: 3_000 }),
    ];
    const env = { PATH: `${dir}:${process.env.PATH}` };
    program("sudo", 'echo "asked: $*"');
    const said = run(requests, env).map((answer) => answer.ok && answer.evidence.stdout);
    expect(said).toEqual(["as user\n", "asked: -n -- timeout -k 1 3 echo as root\n"]);
    program("sudo", 'echo "sudo: a password is required" >&2; exit 1');
    const [plain, refused] = run(requests, env);
    expect(plain).toMatchObject({ ok: true, evidence: { exitCode: 0 } });
    expect(refused).toMatchObject({
      ok: true,
      evidence: { exitCode: 1, stderr: "sudo: a password is required\n" },
    });
    rmSync(dir, { recursive: true });
  });

  const other = request("other", ["echo", "on"]);
  const alone = (one: EvidenceRequest, env = {}) => run([one], env)[0];
  const inCompany = (one: EvidenceRequest, env = {}) => {
    const [answer, next] = run([one, other], env);
    expect(next).toMatchObject({ ok: true, evidence: { exitCode: 0, stdout: "on\n" } });
    return answer;
  };
  const script = (text: string, more = {}) => request("k0", ["sh", "-c", text], more);

  describe.each([
    ["one command alone", alone],
    ["a command before another", inCompany],
  ] as const)("%s", (__, ask) => {
    it.each([
      ["words as they are", ["printf", "%s|", "a b", "it's", '"$HOME"', "`id`", "*", "", "-n", "ä", ";"]],
      ["both streams", ["sh", "-c", "printf 'out\\n\\n'; printf 'err\\n\\n' >&2; exit 7"]],
      ["closed standard input", ["cat"]],
      ["nothing", ["true"]],
      ["no newline at the end", ["printf", "x"]],
      ["the words of the script", ["printf", `x\\n${nonce} end 0\\n${nonce} done\\n`]],
    ] as const)("brings back %s", (___, argv) => {
      const [program, ...args] = argv;
      const plain = spawnSync(program, args, { encoding: "utf8", input: "" });
      expect(ask(request("k0", argv))).toMatchObject({
        ok: true,
        evidence: { exitCode: plain.status, stdout: plain.stdout, stderr: plain.stderr },
      });
    });

    it("tells a missing program and an end by a signal by their exit codes", () => {
      expect(ask(request("k0", ["no-such-program-here"]))).toMatchObject({
        ok: true,
        evidence: { exitCode: 127, stdout: "", stderr: expect.stringMatching(/no-such-program-here/) },
      });
      expect(ask(script("kill -s SEGV $$"))).toMatchObject({ ok: true, evidence: { exitCode: 139 } });
    });

    it("takes output exactly at the limits and none beyond", () => {
      const print = (out: number, err: number) =>
        script(`head -c ${err} /dev/zero | tr '\\0' y >&2; head -c ${out} /dev/zero | tr '\\0' x`);
      const full = ask(print(longest.out, longest.err));
      expect(full?.ok && [full.evidence.stdout.length, full.evidence.stderr.length]).toEqual([
        longest.out,
        longest.err,
      ]);
      expect(ask(print(longest.out + 1, 0))).toMatchObject({ ok: false, fault: { kind: "truncated" } });
      expect(ask(print(3, longest.err + 1))).toMatchObject({
        ok: true,
        evidence: { stdout: "xxx", stderr: "" },
      });
    });

    it("goes by sudo with the time limit inside where root is needed and we are not", () => {
      const dir = mkdtempSync(join(tmpdir(), "arpeggio-sudo-"));
      const program = (name: string, text: string) => {
        writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      };
      program("sudo", 'echo "asked: $*"');
      const root = request("k0", ["echo", "hi"], { privileged: true, timeoutMs: 3_000 });
      const said = ["1000", "0"].map((uid) => {
        program("id", `echo ${uid}`);
        const answer = ask(root, { PATH: `${dir}:${process.env.PATH}` });
        return answer?.ok && answer.evidence.stdout;
      });
      rmSync(dir, { recursive: true });
      expect(said).toEqual(["asked: -n -- timeout -k 1 3 echo hi\n", "hi\n"]);
    });
  });

  it("asks once who we are, and only for what needs root", () => {
    const dir = mkdtempSync(join(tmpdir(), "arpeggio-id-"));
    writeFileSync(join(dir, "id"), `#!/bin/sh\necho asked >> ${dir}/log\necho 0\n`, { mode: 0o755 });
    const env = { PATH: `${dir}:${process.env.PATH}`, uid: "0" };
    const root = (key: string) => request(key, ["true"], { privileged: true });
    run([other], env);
    run([other, request("k1", ["true"])], env);
    expect(existsSync(join(dir, "log"))).toBe(false);
    run([root("k0"), other, root("k1")], env);
    expect(readFileSync(join(dir, "log"), "utf8")).toBe("asked\n");
    rmSync(dir, { recursive: true });
  });

  it("says that timeout(1) is missing", () => {
    const requests = [request("k0", ["true"])];
    const { argv } = evidenceCommand(nonce, requests, 1_000);
    const script = argv[2]?.replaceAll("command -v timeout", "command -v no-such-timeout") ?? "";
    const [program = "", ...options] = shell;
    const done = spawnSync(program, [...options, "-c", script, ...argv.slice(3)], { encoding: "utf8" });
    expect(readEvidence(shellOutput({ stdout: done.stdout }), nonce, requests)[0]).toMatchObject({
      fault: { kind: "missing-tool", what: "timeout" },
    });
  });
});

/** What was said about one request, in short. */
const told = (answer: ReturnType<typeof readEvidence>[number] | undefined) =>
  answer?.ok ? [answer.evidence.exitCode, answer.evidence.stdout] : answer?.fault.kind;

const runAsync = async (shell: readonly string[], requests: readonly EvidenceRequest[]) => {
  const { argv } = evidenceCommand(nonce, requests, 60_000);
  const [program = "", ...options] = shell;
  const child = spawn(program, [...options, ...argv.slice(1)], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", (chunk: Buffer) => {
      said[stream] += chunk.toString();
    });
  const [exitCode] = (await once(child, "close")) as [number | null];
  return readEvidence(shellOutput({ ...said, exitCode }), nonce, requests).map(told);
};

describe("what hangs", () => {
  const timeoutMs = 200;
  const hung = (key: string) => request(key, ["sh", "-c", `echo ${key} began; sleep 30`], { timeoutMs });
  const deaf = (key: string) =>
    request(
      key,
      [
        "sh",
        "-c",
        `trap '' TERM; echo ${key} began; i=0; while [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done`,
      ],
      { timeoutMs },
    );
  const fine = (key: string) => request(key, ["echo", key]);
  // 124 from coreutils, 143 from busybox.
  const ended = (key: string) => [expect.toBeOneOf([124, 143]), `${key} began\n`];
  const killed = (key: string) => [137, `${key} began\n`];

  it("is ended by its own time limit on every shell, keeps what it said and harms no other", async () => {
    const seen = await Promise.all(
      shells.map(async (shell) =>
        Promise.all([
          runAsync(shell, [hung("a")]),
          runAsync(shell, [deaf("a")]),
          runAsync(shell, [hung("a"), fine("b")]),
          runAsync(shell, [deaf("a"), fine("b")]),
          runAsync(shell, [hung("a"), fine("b"), hung("c"), fine("d")]),
        ]),
      ),
    );
    for (const [i, each] of seen.entries())
      expect(each, shells[i]?.join(" ")).toEqual([
        [ended("a")],
        [killed("a")],
        [ended("a"), [0, "b\n"]],
        [killed("a"), [0, "b\n"]],
        [ended("a"), [0, "b\n"], ended("c"), [0, "d\n"]],
      ]);
  });
});

it("was tried on at least one shell", () => {
  expect(shells.length).toBeGreaterThan(0);
});
