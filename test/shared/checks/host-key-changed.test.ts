import { expect, it } from "vitest";
import { judgedBy, registered, told } from "./gathered.ts";

const check = registered("host-key-changed");
const what = "ssh to dalt";

it("passes where the visit worked", () => {
  expect(told(judgedBy(check, { nodes: [{ node: "dalt", probes: {} }] }))).toEqual([]);
});

it("makes a finding of the fault, with both keys", () => {
  const detail = "the host shows ssh-ed25519 SHA256:new, but known_hosts has ssh-ed25519 SHA256:old for dalt";
  const results = judgedBy(check, {
    nodes: [{ node: "dalt", unreached: { kind: "host-key-changed", what, detail }, probes: {} }],
  });
  expect(told(results)).toEqual(["host-key-changed dalt"]);
  expect(results[0]).toMatchObject({ findings: [{ severity: "error", facts: { detail } }] });
});

it("is unknown where the node was not reached at all", () => {
  const unreached = { kind: "timed-out", what, detail: "no answer in 5 s" } as const;
  expect(told(judgedBy(check, { nodes: [{ node: "dalt", unreached, probes: {} }] }))).toEqual([
    "unknown timed-out",
  ]);
});
