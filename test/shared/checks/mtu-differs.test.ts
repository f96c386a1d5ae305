import { expect, it } from "vitest";
import { down, judgedBy, nic, registered, timedOut, told, visited } from "./gathered.ts";

const check = registered("mtu-differs");
const node = (name: string, ...nics: ReturnType<typeof nic>[]) => visited(name, { "ip-addr": nics });
const lan = (mtu: number, more = {}) => nic("eth0", ["10.4.0.20/20"], { mtu, ...more });

it.each([
  ["all the same", [lan(1500), lan(1500), lan(1500)], []],
  ["one longer", [lan(1500), lan(9000), lan(1500)], ["mtu-differs b/eth0"]],
  ["a tie names one side and says that nobody knows", [lan(1500), lan(9000)], ["mtu-differs a/eth0"]],
  ["one that is down", [lan(1500), lan(9000, down), lan(1500)], []],
  ["pod interfaces", [lan(1500), lan(1500), nic("cali1", ["172.16.0.1/32"], { mtu: 1450 })], []],
  ["a single node", [lan(1500)], ["skipped: fewer than two LAN interfaces to compare"]],
] as const)("%s", (_, nics, findings) => {
  const nodes = nics.map((each, i) => node("abc".charAt(i), each));
  expect(told(judgedBy(check, { nodes }))).toEqual(findings);
});

it("is unknown when a node is missing and the others agree; what differs is told all the same", () => {
  const silent = visited("c", { "ip-addr": { fault: timedOut } });
  expect(told(judgedBy(check, { nodes: [node("a", lan(1500)), node("b", lan(1500)), silent] }))).toEqual([
    "unknown timed-out",
  ]);
  expect(
    told(
      judgedBy(check, { nodes: [node("a", lan(1500)), node("b", lan(1500)), node("d", lan(9000)), silent] }),
    ),
  ).toEqual(["mtu-differs d/eth0"]);
});
