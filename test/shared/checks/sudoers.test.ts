import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { sudoersFile, tellMissingRule } from "#shared/checks/sudoers.ts";
import { confirmed } from "#shared/node-network/commit-confirmed.ts";
import { disablePlan, keptFor } from "#shared/node-network/disable-nic.ts";
import { fixCommands } from "#shared/node-network/fix-commands.ts";
import { probes } from "#shared/probes/all.ts";
import type { ShellCommand } from "#shared/probes/shell.ts";

const file = sudoersFile(probes, [], "arpeggio", fixCommands());

/** Whether a rule of the file lets the command through, as sudo compares: path, then all arguments as one text. */
const allows = (path: string, ...args: readonly string[]): boolean =>
  file
    .split("\n")
    .filter((line) => line.startsWith("arpeggio "))
    .flatMap((line) => line.replace(/^.*NOPASSWD: /, "").split(", "))
    .some((command) => {
      const [program, ...pattern] = command.split(" ");
      return program === path && new RegExp(pattern.join(" ")).test(args.join(" "));
    });

describe("the sudoers file", () => {
  it("lets every privileged command of the catalogue through, and names no other", () => {
    for (const probe of probes) {
      const { argv, privileged } = probe.sampleCommand();
      const [program, ...args] = argv;
      expect(allows(`/usr/bin/${program}`, ...args), probe.id).toBe(privileged);
    }
  });

  it.each([
    [
      "another interface, address and count",
      ["/usr/sbin/arping", "-b", "-c", "9", "-I", "enp1s0.20", "fd00::1"],
      true,
    ],
    [
      "an option that was not asked for",
      ["/usr/bin/arping", "-b", "-f", "-c", "3", "-I", "eth0", "10.4.11.1"],
      false,
    ],
    [
      "an option in place of an interface",
      ["/usr/bin/arping", "-b", "-c", "3", "-I", "-f", "10.4.11.1"],
      false,
    ],
    [
      "a path in place of an interface",
      ["/usr/bin/arping", "-b", "-c", "3", "-I", "../eth0", "10.4.11.1"],
      false,
    ],
    [
      "a word hidden in an argument",
      ["/usr/bin/arping", "-b", "-c", "3 -w 1", "-I", "eth0", "10.4.11.1"],
      false,
    ],
    [
      "a file to write",
      "/usr/bin/timeout -k 1 3 tcpdump -p -nn -e -tt -l -i eth0 -w /etc/x arp".split(" "),
      false,
    ],
    ["another program under timeout", ["/usr/bin/timeout", "-k", "1", "3", "sh"], false],
    ["a program of another folder", ["/tmp/arping", "-V"], false],
  ] as const)("%s", (_, [path = "", ...args], allowed) => {
    expect(allows(path, ...args)).toBe(allowed);
  });

  it("covers what a visit runs as root, under the time limit that the script gives it", () => {
    const command: ShellCommand = { argv: ["wpa_cli", "-i", "wlan0"], privileged: true, timeoutMs: 2_500 };
    expect(sudoersFile([], [command], "bot")).toContain(
      "bot ALL=(root) NOPASSWD: /usr/bin/timeout ^-k 1 3 wpa_cli -i wlan0$",
    );
  });

  it("lets changes of nodes through, with their own names and nothing else", () => {
    const rules = file.split("\n").flatMap((line) => {
      const [, path = "", pattern] = / NOPASSWD: (\/\S+) (\^.*\$)$/.exec(line) ?? [];
      return pattern === undefined ? [] : [{ path, pattern: new RegExp(pattern) }];
    });
    const may = ([program, ...args]: readonly string[]): boolean =>
      rules.some(
        ({ path, pattern }) =>
          path === (program?.startsWith("/") ? program : `/usr/bin/${program}`) &&
          pattern.test(args.join(" ")),
      );
    for (const manager of [
      "NetworkManager",
      "ifupdown",
      "dhcpcd",
      "systemd-networkd",
      "connman",
      "iwd",
    ] as const)
      for (const timer of ["systemd-run", "setsid"] as const) {
        const { commands } = disablePlan({
          node: "dalt",
          nic: "wlan0",
          claims: [{ manager, file: "/etc/network/interfaces" }],
          files: [],
          wiredAddress: "10.4.0.13",
          check: "wired-and-wifi",
        });
        if (commands === undefined) throw new Error(manager);
        const { mark, arm, change, confirm, takeBack } = confirmed({
          run: "R-194",
          timer,
          revertSeconds: 300,
          change: keptFor("R-194", commands.change),
          undo: keptFor("R-194", commands.undo),
        });
        for (const { argv } of [mark, arm, change, confirm, takeBack]) {
          expect(may(argv), argv.join(" ")).toBe(true);
          expect(may([...argv, "; reboot"]), argv.join(" ")).toBe(false);
          expect(may(argv.map((word) => word.replaceAll("wlan0", "wlan0;reboot")))).toBe(
            !argv.join(" ").includes("wlan0"),
          );
        }
      }
    expect(may(["/bin/sh", "-c", "reboot"])).toBe(false);
  });

  const hasVisudo = spawnSync("visudo", ["-V"]).status === 0;
  it.skipIf(!hasVisudo)("is accepted by visudo", () => {
    const done = spawnSync("visudo", ["-c", "-f", "-"], { input: file, encoding: "utf8" });
    expect(`${done.stdout}${done.stderr}`).toContain("parsed OK");
  });
});

describe("a missing right", () => {
  const command: ShellCommand = { argv: ["wpa_cli"], privileged: true, timeoutMs: 5_000 };
  const refused = {
    ok: false,
    fault: { kind: "missing-privilege", what: "wpa_cli", detail: "sudo: a password is required" },
  } as const;

  it("is told with the rule that would grant it", () => {
    expect(tellMissingRule(refused, [command])).toMatchObject({
      fault: {
        kind: "missing-privilege",
        detail:
          "sudo: a password is required; the sudoers file lacks: NOPASSWD: /usr/bin/timeout ^-k 1 5 wpa_cli$",
      },
    });
  });

  it("leaves other faults, evidence and commands without privilege alone", () => {
    const other = { ok: false, fault: { ...refused.fault, kind: "timed-out" } } as const;
    expect(tellMissingRule(other, [command])).toBe(other);
    expect(tellMissingRule(refused, [{ ...command, privileged: false }])).toBe(refused);
    const fine = { ok: true, evidence: 1 } as const;
    expect(tellMissingRule(fine, [command])).toBe(fine);
  });
});
