import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

it("was tried on at least one shell", () => {
  expect(shells.length).toBeGreaterThan(0);
});
