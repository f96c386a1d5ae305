import { execFileSync, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "#test/contract/shell.ts";
import { startSshLab } from "#test/shared/adapters/ssh-lab.ts";

let lab: Awaited<ReturnType<typeof startSshLab>>;
beforeAll(async () => {
  lab = await startSshLab(["karstark", "bettley"]);
});
afterAll(() => lab.close());

/** OpenSSH's own client, with nothing but the files the lab wrote. */
function openSsh(
  args: readonly string[],
  input = "",
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn("ssh", ["-F", lab.files.config, ...args], { stdio: "pipe" });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

const hasOpenSsh = (() => {
  try {
    execFileSync("ssh", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasOpenSsh)(
  `the lab's machines for OpenSSH's client${hasOpenSsh ? "" : " [skipped: no ssh here]"}`,
  () => {
    it("runs a program on the machine that was named", async () => {
      expect(await openSsh(["karstark", "hostname"])).toEqual({ code: 0, out: "karstark\n", err: "" });
      expect(await openSsh(["bettley", "hostname"])).toMatchObject({ out: "bettley\n" });
    });

    it("gives exit codes and standard error", async () => {
      expect(await openSsh(["karstark", "false"])).toEqual({ code: 1, out: "", err: "" });
      expect(await openSsh(["karstark", "nonesuch"])).toMatchObject({ code: 127, out: "" });
      expect((await openSsh(["karstark", "expr 1 +"])).err).toContain("expr: syntax error");
    });

    it("drops sudo, whose rights everybody has here", async () => {
      expect(await openSsh(["karstark", "sudo -n -- hostname"])).toMatchObject({
        code: 0,
        out: "karstark\n",
      });
    });

    it("refuses what only a shell could do, and runs nothing of it", async () => {
      const before = lab.programs.ran.length;
      const result = await openSsh(["karstark", "hostname; reboot"]);
      expect(result).toMatchObject({ code: 2, out: "" });
      expect(result.err).toContain("no shell runs here");
      expect(lab.programs.ran).toHaveLength(before);
    });

    it("ends the program when the client goes away", async () => {
      const child = spawn("ssh", ["-F", lab.files.config, "karstark", "linger"], { stdio: "pipe" });
      await until(() => lab.programs.lingering() === 1);
      child.kill("SIGKILL");
      await until(() => lab.programs.lingering() === 0);
    });

    it("reads lines from input that is no terminal", async () => {
      expect(await openSsh(["karstark"], "hostname\nfalse\nhostname")).toMatchObject({
        code: 0,
        out: "karstark\nkarstark\n",
      });
    });

    it("shows a prompt on a terminal, runs lines, edits, interrupts, ends with the last exit code", async () => {
      const child = spawn("ssh", ["-tt", "-F", lab.files.config, "karstark"], { stdio: "pipe" });
      let screen = "";
      child.stdout.on("data", (chunk) => {
        screen += chunk;
      });
      const prompts = () => screen.split("karstark:~# ").length - 1;
      await until(() => prompts() === 1);
      child.stdin.write("hosx\x7ftname\r");
      await until(() => prompts() === 2);
      expect(screen).toContain("karstark\r\nkarstark:~# ");
      child.stdin.write("linger\r");
      await until(() => screen.includes("first\r\n"));
      child.stdin.write("\x03");
      await until(() => prompts() === 3);
      expect(lab.programs.lingering()).toBe(0);
      child.stdin.write("\x1b[Afalse\r");
      await until(() => prompts() === 4);
      child.stdin.write("exit\r");
      const code = await new Promise((resolve) => child.on("close", resolve));
      expect(code).toBe(1);
      expect(lab.programs.ran).toContainEqual(["karstark", "false"]);
    });

    it("is refused by the client after its host key changed, until the files are written again", async () => {
      lab.edge.faults.changeHostKey("bettley");
      const result = await openSsh(["bettley", "hostname"]);
      expect(result.code).toBe(255);
      expect(result.err).toContain("REMOTE HOST IDENTIFICATION HAS CHANGED");
    });

    it("lets nobody in without the lab's key", async () => {
      const result = await openSsh([
        "-o",
        "PreferredAuthentications=password",
        "-o",
        "BatchMode=yes",
        "karstark",
        "hostname",
      ]);
      expect(result.code).toBe(255);
      expect(result.err).toContain("Permission denied (publickey)");
    });
  },
);

describe("the files for OpenSSH", () => {
  it("keep the private key to their owner", () => {
    expect(statSync(lab.files.identity).mode & 0o777).toBe(0o600);
  });
});

describe("a machine the lab does not have", () => {
  it("cannot be broken either", () => {
    expect(() => lab.edge.faults.hang("nonesuch")).toThrow('no machine "nonesuch"');
  });
});
