import { expect, it } from "vitest";
import { patchObject } from "#shared/twin/sites/faults.ts";
import { judgedBy, registered, told, visited } from "./gathered.ts";
import { saidOn } from "./on-site.ts";

const id = "network-unavailable";
const condition = (status: string) =>
  patchObject("nodes", "dalt", {
    status: {
      conditions: [
        { type: "Ready", status: "True" },
        { type: "NetworkUnavailable", status },
      ],
    },
  });

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it.each([
  ["True", ["network-unavailable dalt"]],
  ["False", []],
  ["Unknown", []],
])("%s", async (status, said) => {
  expect(await saidOn(id, { faults: [condition(status)] })).toEqual(said);
});

it("passes where the condition is not there", async () => {
  const none = patchObject("nodes", "dalt", { status: { conditions: [{ type: "Ready", status: "True" }] } });
  expect(await saidOn(id, { faults: [none] })).toEqual([]);
});

it("is unknown where the nodes could not be listed, or one is not among them", () => {
  const nodes = [visited("dalt", {})];
  const fault = { kind: "denied", what: "list of nodes", detail: "forbidden" } as const;
  expect(told(judgedBy(registered(id), { nodes, lists: { nodes: fault } }))).toEqual(["unknown denied"]);
  expect(told(judgedBy(registered(id), { nodes, lists: { nodes: [] } }))).toEqual(["unknown not-configured"]);
});
