import { expect, it } from "vitest";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { plain } from "#shared/text.ts";
import { withImage, withoutSpeakers } from "./metallb-faults.ts";
import { findingsOn, resultsOn, saidOn } from "./on-site.ts";

const id = "speaker-versions";
const digest = `quay.io/metallb/speaker@sha256:${"ab".repeat(32)}`;
const on = (node: string) => (object: KubeObject) =>
  (object.spec as { nodeName?: string } | undefined)?.nodeName === node;

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("finds an update that stopped half way", async () => {
  const [finding] = await findingsOn(id, { faults: [withImage("v0.15.3", [], on("dalt"))] });
  expect(finding).toMatchObject({ code: id, severity: "warning", subject: { kind: "cluster" } });
  expect(plain(finding?.text ?? [])).toBe(
    "speakers run different releases: 0.16.1 on 12 nodes and 0.15.3 on dalt",
  );
});

it("takes one release from two registries for one", async () => {
  const mirror = withImage("registry.lan/metallb/speaker:v0.16.1", [], on("dalt"));
  expect(await saidOn(id, { faults: [mirror] })).toEqual([]);
});

it.each([
  ["a digest alone", digest],
  ["a tag that names no release", "latest"],
  ["a release that is not known here", "v0.99.0"],
])("does not know the rules of %s", async (_, image) => {
  expect(await saidOn(id, { faults: [withImage(image)] })).toEqual(["unknown not-modelled"]);
});

it("says what stands in the way", async () => {
  const [result] = await resultsOn(id, { faults: [withImage(digest)] });
  expect(result).toMatchObject({
    outcome: "unknown",
    fault: { detail: expect.stringContaining("names no tag") },
  });
});

it("finds a digest among tags, and does not claim that it is another release", async () => {
  const [finding] = await findingsOn(id, { faults: [withImage(digest, [], on("dalt"))] });
  expect(plain(finding?.text ?? [])).toContain(
    "run different images, not all of which name a release: 0.16.1 on 12",
  );
});

it("has no question without speakers, and no answer without the Pods", async () => {
  expect(await saidOn(id, { faults: [withoutSpeakers] })).toEqual([
    "skipped: no speaker runs in the cluster",
  ]);
  expect(await saidOn(id, { denied: ["pods"] })).toEqual(["unknown denied"]);
});
