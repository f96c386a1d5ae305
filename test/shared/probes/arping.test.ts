import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FaultError } from "#shared/fault.ts";
import { arpingFor, arpingHabets, arpingHabetsFast, arpingIputils } from "#shared/probes/arping.ts";
import { arpingIdentify } from "#shared/probes/arping-identify.ts";
import { readArping } from "#shared/probes/arping-output.ts";
import { captured, capturedOutput, shellOutput } from "./captured.ts";

const karstark = ["dc:a6:32:0a:1b:0b", "dc:a6:32:0a:1b:0c"];
const twoNodes = ["dc:a6:32:0b:01:01", "dc:a6:32:0c:02:02"];
const bettley = ["dc:a6:32:0b:01:01"];

describe("which arping", () => {
  it.each([
    ["iputils-version", "iputils", "20221126"],
    ["habets-V", "habets", "2.23"],
    ["habets-help", "habets", "2.23"],
  ])("%s", (fixture, program, version) => {
    expect(arpingIdentify.read(capturedOutput("arp", fixture))).toEqual({ program, version });
  });

  it("reads the older ways iputils names itself", () => {
    expect(arpingIdentify.read(shellOutput({ stdout: "arping utility, iputils-s20161105\n" }))).toEqual({
      program: "iputils",
      version: "s20161105",
    });
  });

  it("does not guess at a third program", () => {
    const busybox = shellOutput({
      exitCode: 1,
      stderr: "arping: invalid option -- 'V'\nBusyBox v1.36.1 multi-call binary.\n",
    });
    expect(() => arpingIdentify.read(busybox)).toThrow(/neither/);
  });
});

describe("every responder of a real run is seen, whatever the exit code", () => {
  it.each([
    ["iputils-b-one", 0, bettley, 3, 3],
    ["iputils-b-two-nics", 1, karstark, 3, 6],
    ["iputils-b-two-nodes", 1, twoNodes, 3, 6],
    ["iputils-b-silence", 1, [], 3, 0],
    ["iputils-b-proxy", 0, ["02:00:5e:00:00:01"], 3, 3],
    ["iputils-two-nics", 1, karstark, 3, 4],
    ["iputils-f-two-nics", 0, ["dc:a6:32:0a:1b:0c"], 1, 1],
    ["iputils-b-w-two-nics", 1, karstark, 2, 3],
    ["iputils-dad-taken", 1, bettley, 1, 1],
  ] as const)("%s", (fixture, exitCode, macs, sent, received) => {
    expect(captured("arp", fixture).exitCode).toBe(exitCode);
    const output = arpingIputils.read(capturedOutput("arp", fixture));
    expect(output.macs.toSorted()).toEqual([...macs].toSorted());
    expect([output.program, output.sent, output.received]).toEqual(["iputils", sent, received]);
  });

  it.each([
    ["habets-one", 0, bettley, 3, 3],
    ["habets-two-nics", 0, karstark, 3, 6],
    ["habets-two-nodes", 0, twoNodes, 3, 6],
    ["habets-silence", 1, [], 3, 0],
    ["habets-d-silence", 0, [], 3, 0],
    ["habets-d-two-nics", 1, karstark, 3, 6],
    ["habets-W-two-nics", 0, karstark, 5, 10],
    ["habets-v", 0, bettley, 2, 2],
  ] as const)("%s", (fixture, exitCode, macs, sent, received) => {
    expect(captured("arp", fixture).exitCode).toBe(exitCode);
    const output = arpingHabets.read(capturedOutput("arp", fixture));
    expect(output.macs.toSorted()).toEqual([...macs].toSorted());
    expect([output.program, output.sent, output.received]).toEqual(["habets", sent, received]);
  });

  it("keeps round trips in milliseconds, the kind as printed, and our own time stamps", () => {
    const iputils = arpingIputils.read(capturedOutput("arp", "iputils-b-one"));
    expect(iputils.replies[0]).toMatchObject({ kind: "unicast", op: "reply", at: 1_000_100 });
    expect(iputils.replies[0]?.ms).toBeGreaterThan(0.4);
    const habets = arpingHabets.read(capturedOutput("arp", "habets-one"));
    expect(habets.replies[0]?.kind).toBe("unknown");
    expect(habets.replies[0]?.ms).toBeLessThan(1);
    expect(iputils.broadcasts).toBe(3);
  });
});

describe("units and rarer lines", () => {
  const replies = (text: string) => {
    const reading = readArping([{ text }]);
    if (!reading.ok) throw new Error(reading.fault.detail);
    return reading.output.replies;
  };
  it.each([
    ["60 bytes from aa:bb:cc:dd:ee:ff (10.0.0.1): index=0 time=95.998 usec", 0.095998],
    ["42 bytes from aa:bb:cc:dd:ee:ff (10.0.0.1): index=1 time=1.250 msec", 1.25],
    ["42 bytes from AA:BB:CC:DD:EE:FF (10.0.0.1): index=2 time=1.5 sec", 1500],
    ["Unicast reply from 10.0.0.1 [AA:BB:CC:DD:EE:FF]  0.672ms", 0.672],
    ["Broadcast reply from 10.0.0.1 [AA:BB:CC:DD:EE:FF]  12.001ms", 12.001],
    ["Unicast reply from 10.0.0.1 [AA:BB:CC:DD:EE:FF] for 10.0.0.9 for [00:11:22:33:44:55]  0.672ms", 0.672],
  ])("%s", (line, ms) => {
    expect(replies(line)).toMatchObject([{ mac: "aa:bb:cc:dd:ee:ff", ms }]);
  });

  it("an unsolicited broadcast request claims the address too", () => {
    expect(replies("Broadcast request from 10.0.0.1 [AA:BB:CC:DD:EE:FF]  UNSOLICITED?")).toEqual([
      { mac: "aa:bb:cc:dd:ee:ff", kind: "broadcast", op: "request" },
    ]);
  });

  it("reads raw output, with and without addresses", () => {
    for (const fixture of ["habets-r-two-nics", "habets-r-one", "habets-rR"]) {
      const reading = readArping([{ text: captured("arp", fixture).stdout }]);
      expect(reading).toMatchObject({ ok: true, output: { program: "habets" } });
    }
  });
});

describe("what is no evidence", () => {
  it.each([
    ["iputils-no-device", "not-configured"],
    ["iputils-i-eth0", "unreadable"],
    ["iputils-no-privilege", "missing-privilege"],
    ["iputils-no-filecap", "missing-privilege"],
    ["iputils-nic-down", "unreachable"],
    ["iputils-q", "unreadable"],
    ["iputils-b-killed", "timed-out"],
    ["iputils-help", "unreadable"],
    ["habets-no-device", "not-configured"],
    ["habets-no-privilege", "missing-privilege"],
    ["habets-nic-down", "unreachable"],
    ["habets-q", "unreadable"],
    ["habets-dots", "unreadable"],
    ["habets-r-silence", "unreadable"],
    ["timeout-not-found", "missing-tool"],
  ])("%s is %s", (fixture, kind) => {
    const probe = fixture.startsWith("habets") ? arpingHabets : arpingIputils;
    const output =
      fixture === "timeout-not-found"
        ? shellOutput({ exitCode: 127, stderr: "sh: arping: not found" })
        : capturedOutput("arp", fixture);
    let caught: unknown;
    try {
      probe.read(output);
    } catch (error) {
      caught = error;
    }
    expect((caught as FaultError | undefined)?.fault?.kind).toBe(kind);
  });

  it("a text in another language is not silence", () => {
    const reading = readArping([
      {
        text: "ARPING 10.4.11.1 from 10.4.0.5 eth0\nUnicast-Antwort von 10.4.11.1 [DC:A6:32:0A:1B:0B]  0.558ms\n3 Probes gesendet (3 Broadcast(s))\n1 Antwort(en) erhalten",
      },
    ]);
    expect(reading).toMatchObject({ ok: false, fault: { kind: "unreadable" }, macs: ["dc:a6:32:0a:1b:0b"] });
  });

  it("the other program's answer to our flags is refused", () => {
    expect(() => arpingIputils.read(capturedOutput("arp", "habets-one"))).toThrow(/habets/);
  });

  it("a summary that counts more answers than are printed is a cut text", () => {
    const stdout = captured("arp", "iputils-b-two-nics").stdout.replace(/Unicast.*0B.*\n/, "");
    expect(() => arpingIputils.read(shellOutput({ stdout }))).toThrow(/6 answers, 5 are printed/);
  });
});

describe("commands", () => {
  it("ask so that every responder is seen", () => {
    expect(arpingIputils.argv("eth0", "10.4.11.1", 3).argv).toEqual([
      "arping",
      "-b",
      "-c",
      "3",
      "-I",
      "eth0",
      "10.4.11.1",
    ]);
    expect(arpingHabets.argv("eth0", "10.4.11.1", 3).argv).toEqual([
      "arping",
      "-c",
      "3",
      "-i",
      "eth0",
      "10.4.11.1",
    ]);
    expect(arpingHabetsFast.argv("eth0", "10.4.11.1", 50).argv.join(" ")).toContain("-W 0.1 -c 50");
    for (const probe of [arpingIputils, arpingHabets, arpingHabetsFast]) {
      expect(probe.argv("eth0", "10.4.11.1", 3).argv).not.toContain("-f");
      expect(probe.argv("eth0", "10.4.11.1", 3).privileged).toBe(true);
    }
    expect(arpingFor("iputils")).toBe(arpingIputils);
    expect(arpingFor("habets")).toBe(arpingHabets);
  });

  it.each(["-f", "eth0;reboot", "", "a b", "sixteen-letters-x"])("refuse the interface %j", (nic) => {
    expect(() => arpingIputils.argv(nic, "10.4.11.1", 3)).toThrow();
  });
  it.each(["-f", "10.4.11", "10.4.11.1 -f", "host", "fe80::1%eth0"])("refuse the address %j", (ip) => {
    expect(() => arpingIputils.argv("eth0", ip, 3)).toThrow();
  });
});

describe("properties", () => {
  const mac = fc
    .array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 })
    .map((bytes) => bytes.map((b) => b.toString(16).padStart(2, "0")).join(":"));
  const noise = fc.constantFrom(
    "",
    "Timeout",
    "lorem ipsum",
    "réponse",
    "Sent 3 probes (3 broadcast(s))",
    "Received 1 response(s)",
    "ARPING 10.0.0.1",
    "ARPING 10.0.0.1 from 10.0.0.2 eth0",
  );
  const answer = fc.oneof(
    mac.map((m) => `Unicast reply from 10.0.0.1 [${m.toUpperCase()}]  0.672ms`),
    mac.map((m) => `42 bytes from ${m} (10.0.0.1): index=0 time=8.1 usec`),
    mac,
    mac.map((m) => `Respuesta de 10.0.0.1 [${m}] 0.6ms`),
  );

  it("no printed MAC is ever lost, understood or not", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(answer, noise), { maxLength: 12 }), (lines) => {
        const text = lines.join("\n");
        const printed = new Set(
          (text.match(/[0-9a-f]{2}(:[0-9a-f]{2}){5}/gi) ?? []).map((m) => m.toLowerCase()),
        );
        const reading = readArping([{ text }]);
        const macs = reading.ok ? reading.output.macs : reading.macs;
        expect(new Set(macs)).toEqual(printed);
      }),
      { numRuns: 300 },
    );
  });

  it("any text gives a reading", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const reading = readArping([{ text }]);
        expect(reading.ok ? reading.output.program : reading.fault.detail).not.toBe("");
      }),
      { numRuns: 300 },
    );
  });
});
