import { describe, expect, it } from "vitest";
import { mergePatch } from "#shared/kubernetes/merge-patch.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "announced-before-ready";

/** The model starts here, and with it the events that say who announces. */
const start = Date.UTC(2026, 2, 1, 14);
const at = (seconds: number): string => new Date(start + seconds * 1_000).toISOString();

type Boot = Readonly<{ speaker?: string; others?: string; ready?: string }>;

/** cargyll, which leads httpbin, with times of its last boot; what is left out is not in the objects. */
const cargyll =
  ({ speaker, others, ready }: Boot): SiteFault =>
  (spec) => ({
    ...spec,
    objects: spec.objects.map((each) => {
      const { metadata, spec: fields, status } = each.object;
      if (each.kind === "nodes" && metadata.name === "cargyll") {
        const { conditions } = status as { conditions: readonly { type: string }[] };
        const changed = conditions.map((condition) =>
          condition.type === "Ready" ? { ...condition, lastTransitionTime: ready ?? null } : condition,
        );
        return {
          ...each,
          object: mergePatch(each.object, { status: { conditions: changed } }) as KubeObject,
        };
      }
      if (each.kind !== "pods" || (fields as { nodeName?: string }).nodeName !== "cargyll") return each;
      const { containerStatuses } = status as { containerStatuses: readonly object[] };
      const startedAt = metadata.labels?.["app.kubernetes.io/component"] === "speaker" ? speaker : others;
      const state = startedAt === undefined ? {} : { running: { startedAt } };
      const changed = containerStatuses.map((container) => ({ ...container, state }));
      return {
        ...each,
        object: mergePatch(each.object, { status: { containerStatuses: changed } }) as KubeObject,
      };
    }),
  });

const boot = { speaker: at(-5), others: at(-3), ready: at(20) };

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("finds a node that took addresses while it booted, with the times", async () => {
  expect(await findingsOn(id, { faults: [cargyll(boot)] })).toMatchObject([
    {
      code: "announced-before-ready",
      severity: "warning",
      subject: { kind: "node", name: "cargyll" },
      facts: {
        services: expect.arrayContaining(["httpbin/httpbin"]),
        speakerStarted: "2026-03-01T13:59:55.000Z",
        announced: "2026-03-01T14:00:00.000Z",
        ready: "2026-03-01T14:00:20.000Z",
      },
    },
  ]);
});

describe("is content", () => {
  it.each([
    ["Ready came first", { ...boot, ready: at(-1) }],
    ["Ready came in the same second", { ...boot, ready: at(0) }],
    ["the speaker alone was restarted, and Ready flapped later", { ...boot, others: at(-90_000) }],
    ["the speaker started long before Ready changed", { ...boot, speaker: at(-700), others: at(-700) }],
    ["the speaker started after what the events tell", { ...boot, speaker: at(5), others: at(5) }],
  ])("where %s", async (_, times) => {
    expect(await saidOn(id, { faults: [cargyll(times)] })).toEqual([]);
  });
});

it("is unknown where the times are not in the objects, or may not be read", async () => {
  expect(await saidOn(id, { faults: [cargyll({ others: at(-3), ready: at(20) })] })).toEqual([
    "unknown unreadable",
  ]);
  expect(await saidOn(id, { faults: [cargyll({ speaker: at(-5), others: at(-3) })] })).toEqual([
    "unknown unreadable",
  ]);
  expect(await saidOn(id, { denied: ["events"] })).toEqual(["unknown denied"]);
  expect(await saidOn(id, { denied: ["pods"] })).toEqual(["unknown denied"]);
});

it("has no question without events", async () => {
  const withoutServices: SiteFault = (spec) => ({
    ...spec,
    objects: spec.objects.filter(({ kind }) => kind !== "services"),
  });
  expect(await saidOn(id, { faults: [withoutServices] })).toEqual([
    expect.stringContaining("skipped: no nodeAssigned event"),
  ]);
});
