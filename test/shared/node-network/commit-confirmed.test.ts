import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { confirmed, markerOf } from "#shared/node-network/commit-confirmed.ts";
import { disablePlan, keptFor } from "#shared/node-network/disable-nic.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "confirmed-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(at(name), "utf8");

/** A change of one file, kept beside it under the name of the run; the marks lie in a folder of the test. */
const change = (run = "R-7") =>
  confirmed({
    run,
    timer: "systemd-run",
    revertSeconds: 300,
    change: [
      { run: ["cp", "-p", at("conf"), at(`kept-${run}`)] },
      { run: ["sed", "-i", "1i changed", at("conf")] },
    ],
    undo: [{ run: ["cp", "-p", at(`kept-${run}`), at("conf")] }],
  });

/** Runs the script of a command, as root would on the node. */
const script = (argv: readonly string[], run = "R-7"): void => {
  const text = (argv.at(-1) ?? "").replaceAll(markerOf(run), at("mark")).replace("sleep 1; ", "");
  execFileSync("sh", ["-c", text], { stdio: "ignore" });
};
const marks = (): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith("mark"))
    .sort();
const mark = (): void => writeFileSync(at("mark"), "");

describe("a change that takes itself back", () => {
  it.each(["takeBack", "arm"] as const)("has nothing to take back by %s when it never began", (way) => {
    writeFileSync(at("conf"), "today\n");
    writeFileSync(at("kept-R-7"), "of another year\n");
    mark();
    script(change()[way].argv);
    expect(read("conf")).toBe("today\n");
    expect(marks()).toEqual(["mark.reverted", "mark.undone"]);
  });

  it.each(["takeBack", "arm"] as const)("is taken back by %s when it began, and once", (way) => {
    writeFileSync(at("conf"), "today\n");
    mark();
    script(change().change.argv);
    expect(read("conf")).toBe("changed\ntoday\n");
    script(change()[way].argv);
    expect(read("conf")).toBe("today\n");
    expect(marks()).toEqual(["mark.changed", "mark.once", "mark.reverted", "mark.undone"]);
    writeFileSync(at("conf"), "tomorrow\n");
    script(change().takeBack.argv);
    expect(read("conf")).toBe("tomorrow\n");
  });

  it("is taken back after it was confirmed, and where a restart broke taking back off", () => {
    for (const left of ["mark.kept", "mark.reverted"]) {
      writeFileSync(at("conf"), "changed\n");
      writeFileSync(at("kept-R-7"), "before\n");
      mkdirSync(at("mark.once"), { recursive: true });
      rmSync(at("mark.undone"), { force: true });
      rmSync(at("mark.reverted"), { force: true });
      writeFileSync(at(left), "");
      script(change().takeBack.argv);
      expect([left, read("conf"), existsSync(at("mark.undone"))]).toEqual([left, "before\n", true]);
    }
  });

  it("keeps its marks where a restart leaves them, and the mark of the waiting process where it goes with it", () => {
    expect(markerOf("R-7")).toBe("/var/lib/arpeggio-R-7");
    const waiting = confirmed({ run: "R-7", timer: "setsid", revertSeconds: 300, change: [], undo: [] });
    expect(waiting.isArmed.argv).toEqual(["test", "-e", "/run/arpeggio-R-7.armed"]);
    expect(waiting.arm.argv.at(-1)).toContain("touch /run/arpeggio-R-7.armed;");
  });

  it("keeps copies under the name of its run, so that no earlier one is taken for its own", () => {
    const { commands } = disablePlan({
      node: "dalt",
      nic: "wlan0",
      claims: [{ manager: "ifupdown", file: "/etc/network/interfaces" }],
      files: [],
      wiredAddress: "10.4.0.13",
      check: "wired-and-wifi",
    });
    const all = keptFor("R-7", [...(commands?.change ?? []), ...(commands?.undo ?? [])]);
    expect(all.filter((each) => "run" in each && each.run[0] === "cp")).toEqual([
      { run: ["cp", "-p", "/etc/network/interfaces", "/var/backups/arpeggio-R-7-wlan0"] },
      { run: ["cp", "-p", "/var/backups/arpeggio-R-7-wlan0", "/etc/network/interfaces"] },
    ]);
  });
});
