import { expect, it } from "vitest";
import { judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";

const check = registered("ssh-over-wifi");
const lo = nic("lo", ["127.0.0.1/8"], { linkType: "loopback" });
const nics = [lo, nic("eth0", ["10.4.0.20/20"]), nic("wlan0", ["10.4.1.20/20", "fd00::20/64"])];
const arriving = (server: string) => ({ client: "10.4.0.5", clientPort: 52_144, server, serverPort: 22 });

it.each([
  ["10.4.0.20", []],
  ["10.4.1.20", ["ssh-over-wifi karstark/wlan0"]],
  ["fd00::20", ["ssh-over-wifi karstark/wlan0"]],
  ["203.0.113.9", ["skipped: SSH arrives at 203.0.113.9, which is on no interface (translated on its way)"]],
  ["127.0.0.1", ["skipped: SSH arrives over loopback: through a tunnel, or from the node itself"]],
] as const)("a session that arrives at %s", (server, findings) => {
  const nodes = [
    visited("karstark", { "ip-addr": nics, "wireless-nics": ["wlan0"], "ssh-connection": arriving(server) }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual(findings);
});

it("is unknown where sshd does not tell", () => {
  const nodes = [
    visited("karstark", {
      "ip-addr": nics,
      "wireless-nics": ["wlan0"],
      "ssh-connection": { fault: timedOut },
    }),
  ];
  expect(told(judgedBy(check, { nodes }))).toEqual(["unknown timed-out"]);
});
