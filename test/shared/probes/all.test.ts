import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FaultKind } from "#shared/fault.ts";
import { FaultError } from "#shared/fault.ts";
import { probes } from "#shared/probes/all.ts";
import { networkUnits } from "#shared/probes/node-network-units.ts";
import { renderArgv } from "#shared/probes/render-argv.ts";
import { captured, shellOutput } from "./captured.ts";

const faultOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
  return undefined;
};

/** A real, complete answer of every probe; cut short it must not pass for a smaller answer. */
const complete: Readonly<Record<string, Readonly<{ stdout: string; stderr: string; exitCode: number }>>> = {
  "ip-addr": captured("ip", "addr-kar"),
  "ip-route-get": captured("ip", "route-gateway"),
  "arping-identify": captured("arp", "iputils-version"),
  "arping-iputils": captured("arp", "iputils-b-two-nics"),
  "arping-habets": captured("arp", "habets-two-nics"),
  "arping-habets-fast": captured("arp", "habets-W-two-nics"),
  "tcpdump-arp": captured("arp", "tcpdump-arp"),
  "ip-routes": captured("nodes", "routes"),
  "ip-neigh": captured("nodes", "neighbours"),
  "arp-sysctls": captured("nodes", "arp-sysctls"),
  "wireless-nics": captured("nodes", "wireless-none"),
  "ssh-connection": captured("nodes", "ssh-connection"),
  // Composed, see the fixtures' README.
  "network-units": { stdout: networkUnits.map(() => "inactive\n").join(""), stderr: "", exitCode: 3 },
  "nm-devices": captured("nodes", "nm-devices"),
  rfkill: captured("nodes", "rfkill-none"),
  "network-files": { stdout: "/etc/dhcpcd.conf\n/etc/os-release\n", stderr: "", exitCode: 1 },
  "network-settings": { stdout: "/etc/os-release:ID=debian\n", stderr: "", exitCode: 2 },
  tools: captured("nodes", "tools"),
  timer: captured("nodes", "timer"),
  "change-state": captured("nodes", "change-state"),
  "memberlist-tcp": captured("nodes", "nc-open"),
  "tcp-connect": captured("nodes", "nc-open"),
  "ping-hop": captured("hops", "announcer"),
  dig: captured("dig", "authoritative-answer"),
  "http-get": captured("http", "https-valid"),
};

/** What is an answer to these probes, though to others it is none: an empty table, a program that is not there. */
const answers: Readonly<Record<string, readonly string[]>> = {
  "ip-routes": ["an empty list"],
  "ip-neigh": ["an empty list"],
  "nm-devices": [
    "sh without the program",
    "bash without the program",
    "sudo without the program",
    "timeout without the program",
  ],
  rfkill: [
    "sh without the program",
    "bash without the program",
    "sudo without the program",
    "timeout without the program",
  ],
};

/** Their whole answer stands in one line, or in none of stdout at all. */
const indivisible = ["arping-identify", "memberlist-tcp", "tcp-connect"];

type Row = readonly [
  what: string,
  kinds: readonly FaultKind[],
  evidence: (tool: string) => Parameters<typeof shellOutput>[0],
];

const rows: readonly Row[] = [
  ["nothing at all", ["unreadable"], () => ({})],
  ["nothing but an exit code", ["unreadable"], () => ({ exitCode: 1 })],
  ["garbage", ["unreadable"], () => ({ stdout: "\u0000\u0001{]]] lorem ipsum\n42\n" })],
  ["an HTML page", ["unreadable"], () => ({ stdout: "<html><body>login</body></html>\n" })],
  ["an empty list", ["unreadable"], () => ({ stdout: "[]\n" })],
  ["a list of nothing", ["unreadable"], () => ({ stdout: "[{},{}]\n" })],
  ["a time limit on the far side", ["timed-out"], () => ({ exitCode: 124 })],
  ["a kill on the far side", ["timed-out"], () => ({ exitCode: 137 })],
  ["a signal", ["cancelled"], () => ({ exitCode: null })],
  [
    "sh without the program",
    ["missing-tool"],
    (tool) => ({ exitCode: 127, stderr: `sh: 1: ${tool}: not found\n` }),
  ],
  [
    "bash without the program",
    ["missing-tool"],
    (tool) => ({ exitCode: 127, stderr: `bash: line 1: ${tool}: command not found\n` }),
  ],
  [
    "sudo without the program",
    ["missing-tool"],
    (tool) => ({ exitCode: 1, stderr: `sudo: ${tool}: command not found\n` }),
  ],
  [
    "timeout without the program",
    ["missing-tool"],
    (tool) => ({
      exitCode: 127,
      stderr: `timeout: failed to run command ‘${tool}’: No such file or directory\n`,
    }),
  ],
  [
    "sudo that wants a password",
    ["missing-privilege"],
    () => ({ exitCode: 1, stderr: "sudo: a password is required\n" }),
  ],
  [
    "sudo that wants a terminal",
    ["missing-privilege"],
    () => ({ exitCode: 1, stderr: "sudo: a terminal is required to read the password\n" }),
  ],
  [
    "a user outside sudoers",
    ["missing-privilege"],
    () => ({ exitCode: 1, stderr: "operator is not in the sudoers file.\n" }),
  ],
  [
    "a program that may not be executed",
    ["missing-privilege"],
    (tool) => ({ exitCode: 126, stderr: `sh: 1: ${tool}: Permission denied\n` }),
  ],
  [
    "a socket that may not be opened",
    ["missing-privilege"],
    (tool) => ({ exitCode: 2, stderr: `${tool}: socket: Operation not permitted\n` }),
  ],
];

describe.each(probes)("probe $id", (probe) => {
  it.each(
    rows.filter(([what]) => !answers[probe.id]?.includes(what)),
  )("makes a fault of %s", (_what, kinds, evidence) => {
    const fault = faultOf(() => probe.read(shellOutput(evidence(probe.tool))));
    expect(fault?.kind).toBeOneOf([...kinds]);
    expect(fault?.detail).not.toBe("");
    expect(fault?.detail).not.toMatch(/[\n\0]/);
  });

  it("reads the complete capture, and never a cut one as a smaller success", () => {
    const whole = complete[probe.id]!;
    const evidence = probe.read(shellOutput(whole));
    expect(evidence).toBeDefined();
    if (indivisible.includes(probe.id)) return;
    for (const share of [0.05, 0.3, 0.6, 0.9]) {
      const stdout = whole.stdout.slice(0, Math.floor(whole.stdout.trimEnd().length * share));
      const fault = faultOf(() => probe.read(shellOutput({ ...whole, stdout })));
      expect(fault?.kind, `${share} of it`).toBeOneOf(["truncated", "unreadable", "timed-out", "cancelled"]);
    }
  });

  it("gives evidence or a fault on any text", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200 }),
        fc.string({ maxLength: 80 }),
        fc.constantFrom(0, 1, 2, 124, 126, 127, 255, null),
        (stdout, stderr, exitCode) => {
          const fault = faultOf(() => probe.read(shellOutput({ stdout, stderr, exitCode })));
          expect(fault === undefined || fault.detail !== "").toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("renders its command", () => {
    const command = probe.sampleCommand();
    expect(renderArgv(command.argv)).toContain(probe.tool);
    expect(command.timeoutMs).toBeGreaterThan(0);
  });
});

describe("probes", () => {
  it("have ids of their own, each with a capture here", () => {
    const ids = probes.map((probe) => probe.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(Object.keys(complete).toSorted());
  });
});
