import { describe, expect, it } from "vitest";
import { isFault } from "#shared/fault.ts";
import { announcements, movesOf } from "#shared/incidents/path/announcements.ts";
import { withdrawals } from "#shared/metallb/speaker-log.ts";

const event = (
  node: string,
  first: string,
  last: string,
  more: Readonly<{ protocol?: string; service?: string }> = {},
) => ({
  metadata: { name: `${node}-${first}`, namespace: "httpbin" },
  involvedObject: { kind: "Service", namespace: "httpbin", name: more.service ?? "httpbin" },
  reason: "nodeAssigned",
  message: `announcing from node "${node}" with protocol "${more.protocol ?? "layer2"}"`,
  source: { component: "metallb-speaker" },
  firstTimestamp: `2026-11-23T${first}Z`,
  lastTimestamp: `2026-11-23T${last}Z`,
  count: 3,
});

const nodes = (list: ReturnType<typeof announcements>) => (isFault(list) ? [] : list.map(({ node }) => node));

describe("who announced", () => {
  it("is read from layer 2 events of that Service alone, the earliest first", () => {
    const list = announcements(
      [
        event("dalt", "14:10:00", "14:40:00"),
        event("fenn", "13:50:00", "14:09:00"),
        event("jast", "14:00:00", "14:00:00", { protocol: "bgp" }),
        event("jast", "14:00:00", "14:00:00", { service: "other" }),
      ],
      "httpbin/httpbin",
    );
    expect(nodes(list)).toEqual(["fenn", "dalt"]);
  });

  it("is a fault when nobody could look", () => {
    const fault = { kind: "denied", what: "list of events", detail: "403" } as const;
    expect(announcements(fault, "httpbin/httpbin")).toBe(fault);
    expect(isFault(announcements(undefined, "httpbin/httpbin"))).toBe(true);
  });
});

describe("moves", () => {
  const at = (minute: number) => Date.UTC(2026, 10, 23, 14, minute);
  const seen = (node: string, first: number, last: number) => ({
    node,
    first: at(first),
    last: at(last),
    times: 1,
  });
  it.each([
    ["none while one node announces", [seen("a", 0, 50)], []],
    ["one", [seen("a", 0, 10), seen("b", 12, 30)], ["a b 12"]],
    ["there and back", [seen("a", 0, 30), seen("b", 10, 20)], ["a b 10", "b a 30"]],
    ["over three nodes", [seen("a", 0, 0), seen("b", 5, 5), seen("c", 9, 9)], ["a b 5", "b c 9"]],
  ])("%s", (_what, list, expected) => {
    expect(
      movesOf(list).map(({ at: moment, from, to }) => `${from} ${to} ${new Date(moment).getUTCMinutes()}`),
    ).toEqual(expected);
  });
});

describe("withdrawals in a speaker's log", () => {
  const line = (fields: object) =>
    JSON.stringify({ event: "serviceWithdrawn", ts: "2026-11-23T14:00:00Z", ...fields });
  it.each([
    ["by address", line({ ip: "10.4.11.1" }), 1],
    ["by list", line({ ips: ["10.4.11.1"], reason: "notOwner" }), 1],
    ["by Kubernetes' own form", line({ ip: '[{"ip":"10.4.11.1"}]' }), 1],
    ["of another address", line({ ip: "10.4.11.12" }), 0],
    ["an announcement", line({ event: "serviceAnnounced", ips: ["10.4.11.1"] }), 0],
    ["a line that is none", "I1123 14:00:00 not json", 0],
  ])("%s", (_what, text, count) => {
    expect(withdrawals([text], "10.4.11.1")).toHaveLength(count);
  });
});
