import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { pingHop } from "#shared/probes/ping-hop.ts";
import { tcpConnect } from "#shared/probes/tcp-connect.ts";
import { capturedOutput, shellOutput } from "./captured.ts";

describe("ping with a limited time to live", () => {
  it.each([
    ["router", { kind: "hop", from: "192.168.50.1" }],
    ["announcer", { kind: "hop", from: "10.4.0.11" }],
    ["via-node", { kind: "hop", from: "10.4.0.40" }],
    ["behind-node", { kind: "hop", from: "10.4.0.11" }],
    ["answer", { kind: "answer", from: "10.4.0.40" }],
    ["silence", { kind: "silence" }],
    ["nobody", { kind: "silence" }],
    ["no-route", { kind: "no-route", because: "Network is unreachable" }],
  ])("%s", (fixture, hop) => {
    expect(pingHop.read(capturedOutput("hops", fixture))).toEqual(hop);
  });

  it("tells a machine that cannot deliver from one that drops for the time to live", () => {
    const stdout =
      "PING 10.4.11.1 (10.4.11.1) 56(84) bytes of data.\nFrom 10.4.0.1 icmp_seq=1 Destination Host Unreachable\n\n" +
      "--- 10.4.11.1 ping statistics ---\n1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms\n\n";
    expect(pingHop.read(shellOutput({ stdout, exitCode: 1 }))).toEqual({
      kind: "unreachable",
      from: "10.4.0.1",
      because: "Destination Host Unreachable",
    });
  });

  it("takes no numbers that are none", () => {
    expect(() => pingHop.argv("10.4.11.1", 0)).toThrow(FaultError);
    expect(() => pingHop.argv("example.org", 1)).toThrow(FaultError);
    expect(() => tcpConnect.argv("10.4.11.1", 70_000)).toThrow(FaultError);
  });
});
