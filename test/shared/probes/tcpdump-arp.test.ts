import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { readArpFrame, tcpdumpArp } from "#shared/probes/tcpdump-arp.ts";
import { captured, capturedOutput, shellOutput } from "./captured.ts";

describe("tcpdump", () => {
  it("reads the frames of a real capture", () => {
    const frames = tcpdumpArp.read(capturedOutput("arp", "tcpdump-arp"));
    expect(frames.length).toBe(captured("arp", "tcpdump-arp").stdout.match(/ARP/g)?.length);
    expect(frames[0]).toMatchObject({
      op: "request",
      senderMac: "dc:a6:32:00:00:05",
      senderIp: "10.4.0.5",
      targetIp: "10.4.11.1",
      targetMac: "ff:ff:ff:ff:ff:ff",
      gratuitous: false,
    });
    expect(frames[1]).toMatchObject({
      op: "reply",
      senderIp: "10.4.11.1",
      targetMac: "dc:a6:32:00:00:05",
      gratuitous: false,
    });
    const gratuitous = frames.filter((frame) => frame.gratuitous);
    expect(gratuitous.map(({ op, senderIp }) => `${op} ${senderIp}`)).toEqual([
      "request 10.4.11.2",
      "reply 10.4.11.2",
      "reply 10.4.11.3",
      "reply 10.4.11.3",
    ]);
    expect(frames[1]!.at - frames[0]!.at).toBeLessThan(5);
    expect(Math.floor(frames[0]!.at / 1000)).toBeGreaterThan(1_700_000_000);
  });

  it("an empty capture that really listened is an answer", () => {
    expect(tcpdumpArp.read(capturedOutput("arp", "tcpdump-empty"))).toEqual([]);
  });

  it.each([
    ["tcpdump-no-privilege", "missing-privilege"],
    ["tcpdump-no-device", "not-configured"],
    ["timeout-not-found", "missing-tool"],
  ])("%s is %s", (fixture, kind) => {
    let fault: unknown;
    try {
      tcpdumpArp.read(capturedOutput("arp", fixture));
    } catch (error) {
      fault = error instanceof FaultError ? error.fault.kind : error;
    }
    expect(fault).toBe(kind);
  });

  it("reads VLAN tags, spelt-out broadcasts and a sender that is not the Ethernet source", () => {
    expect(
      readArpFrame(
        "1.5 02:00:00:00:00:01 (oui Unknown) > Broadcast, ethertype 802.1Q (0x8100), length 46: vlan 30, p 0, ethertype ARP (0x0806), Request who-has 10.0.0.1 tell 10.0.0.2, length 28",
      ),
    ).toMatchObject({ at: 1500, senderIp: "10.0.0.2", targetMac: "ff:ff:ff:ff:ff:ff", gratuitous: false });
    expect(
      readArpFrame(
        "1.5 02:00:00:00:00:01 > 02:00:00:00:00:09, ethertype ARP (0x0806), length 42: Reply 10.0.0.1 is-at 02:00:00:00:00:02, length 28",
      ),
    ).toMatchObject({ senderMac: "02:00:00:00:00:02", etherSource: "02:00:00:00:00:01" });
  });

  it("is bounded on the far side and never promiscuous", () => {
    const command = tcpdumpArp.argv("eth0", 60);
    expect(command.argv.slice(0, 5)).toEqual(["timeout", "-k", "1", "60", "tcpdump"]);
    expect(command.argv).toContain("-p");
    expect(command.timeoutMs).toBeGreaterThan(60_000);
  });

  it("gives frames or a fault on any text after it said that it listens", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (stdout) => {
        try {
          tcpdumpArp.read(
            shellOutput({ stdout, stderr: "listening on eth0\n0 packets captured\n", exitCode: 124 }),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(FaultError);
        }
      }),
      { numRuns: 200 },
    );
  });
});
