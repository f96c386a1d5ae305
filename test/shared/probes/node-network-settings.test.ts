import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { nodeNetworkSettings } from "#shared/probes/node-network-settings.ts";
import { nodeNmcli } from "#shared/probes/node-nmcli.ts";
import { shellOutput } from "./captured.ts";

const faultOf = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (error) {
    if (error instanceof FaultError) return error.fault.kind;
    throw error;
  }
  return undefined;
};

const read = (output: Parameters<typeof shellOutput>[0]) => nodeNetworkSettings.read(shellOutput(output));
const witness = "/etc/os-release:ID=debian\n";

describe("lines of configuration files", () => {
  it("gives lines without their indentation, and leaves the witness out", () => {
    const stdout = `${witness}/etc/network/interfaces:auto wlan0\n/etc/netplan/50.yaml:  wifis:\n`;
    expect(read({ stdout })).toEqual({
      lines: [
        { file: "/etc/network/interfaces", text: "auto wlan0" },
        { file: "/etc/netplan/50.yaml", text: "wifis:" },
      ],
      closed: [],
    });
  });

  it("has nothing against places that are missing, and names those that are closed", () => {
    const stderr =
      "grep: /boot/config.txt: No such file or directory\n" +
      "grep: /etc/NetworkManager/system-connections: Permission denied\n";
    expect(read({ stdout: witness, stderr, exitCode: 2 })).toEqual({
      lines: [],
      closed: ["/etc/NetworkManager/system-connections"],
    });
  });

  it.each([
    ["nothing at all", {}, "unreadable"],
    ["no witness", { stdout: "/etc/dhcpcd.conf:denyinterfaces wlan0\n" }, "unreadable"],
    ["a closed witness", { stderr: "grep: /etc/os-release: Permission denied\n", exitCode: 2 }, "unreadable"],
    ["garbage", { stdout: `${witness}lorem ipsum\n` }, "unreadable"],
    ["cut in a line", { stdout: `${witness}/etc/dhcpcd.conf:denyin` }, "truncated"],
    ["no grep", { exitCode: 127, stderr: "sh: 1: grep: not found\n" }, "missing-tool"],
    ["a time limit", { exitCode: 124, stdout: witness }, "timed-out"],
    ["a signal", { exitCode: null, stdout: witness }, "cancelled"],
  ] as const)("%s is a fault", (_, output, kind) => {
    expect(faultOf(() => read(output))).toBe(kind);
  });
});

describe("nmcli", () => {
  it("takes a missing message bus for a NetworkManager that does not run, and no other failure", () => {
    const lost = "Error: Could not create NMClient object: Could not connect: ";
    const nmcli = (stderr: string) => nodeNmcli.read(shellOutput({ stderr, exitCode: 1 }));
    expect(nmcli(`${lost}No such file or directory.\n`)).toEqual({ kind: "not-running" });
    expect(faultOf(() => nmcli(`${lost}Permission denied.\n`))).toBe("missing-privilege");
  });
});
