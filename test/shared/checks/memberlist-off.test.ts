import { expect, it } from "vitest";
import { withoutEnv, withoutSpeakers } from "./metallb-faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "memberlist-off";

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it.each([
  ["both variables are missing", ["METALLB_ML_BIND_ADDR", "METALLB_ML_LABELS"]],
  ["one of them is missing", ["METALLB_ML_LABELS"]],
])("finds that %s", async (_, names) => {
  const [finding] = await findingsOn(id, { faults: [withoutEnv(...names)] });
  expect(finding).toMatchObject({ code: id, severity: "error", facts: { version: "0.16.1" } });
});

it("is unknown where the environment is not whole, or could not be read", async () => {
  const shortened = withoutEnv("METALLB_ML_BIND_ADDR", "METALLB_NODE_NAME");
  expect(await saidOn(id, { faults: [shortened] })).toEqual(["unknown unreadable"]);
  expect(await saidOn(id, { denied: ["daemonsets"] })).toEqual(["unknown denied"]);
});

it("has no question without speakers", async () => {
  expect(await saidOn(id, { faults: [withoutSpeakers] })).toEqual([
    "skipped: no MetalLB speaker in the cluster",
  ]);
});
