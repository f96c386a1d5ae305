import { describe, expect, it } from "vitest";
import {
  type ApplyRequest,
  type ApplyRules,
  affectedBy,
  judgeApplication,
  judgeBatch,
  judgeOutcome,
} from "#shared/drift/apply-judge.ts";
import { planDigest, undoOf } from "#shared/drift/plan-digest.ts";
import type { Plan } from "#shared/drift/plan-value.ts";
import { owns, record } from "../dns/zones.ts";
import { noon, planOf } from "./scans.ts";

const have = [record("old", "A", "10.0.0.1"), owns("a-old", "me")];
const plan = planOf({ have, with: { policy: "upsert-only" } });

const request = (more: Partial<ApplyRequest> = {}): ApplyRequest => ({
  plan,
  digest: plan.digest,
  requester: "operator",
  until: noon + 600_000,
  approvals: [{ by: "approver", digest: plan.digest, at: noon }],
  owned: { records: 10, txts: 10 },
  snapshot: plan.snapshot,
  now: noon,
  ...more,
});

const rules: ApplyRules = {
  zoneIds: ["Z1"],
  approvers: ["approver", "operator"],
  limits: { absolute: 50, share: 0.3 },
  owners: ["me"],
  affixes: [{}],
  key: undefined,
};

const changed = (more: Partial<Plan>): Partial<ApplyRequest> => {
  const other = { ...plan, ...more };
  const digest = planDigest(other);
  return {
    plan: { ...other, digest },
    digest,
    approvals: [{ by: "approver", digest, at: noon }],
  };
};

const withBatches = (batches: Plan["batches"]) => changed({ batches, undo: undoOf(batches) });
const foreign = record("web", "A", "10.0.0.9");
const ns = record("@", "NS", "ns-1.example.net");

const mx = record("web", "MX", "10 mail.example.net");
const wanting = (count: number) => ({
  endpoints: Array.from({ length: count }, (_, i) => ({
    name: `n${i}.example.com`,
    type: "A",
    targets: ["10.0.0.1"],
    setIdentifier: "",
  })),
});

const weighted = { policy: "weighted", weight: 1 } as const;

describe("the writer's own judgement", () => {
  it("adopts exactly what is wanted, and puts back what it deleted", () => {
    const wanted = { name: "web.example.com", type: "A", targets: ["10.0.0.9"], setIdentifier: "" };
    const adopting = withBatches([
      { changes: [{ action: "CREATE", set: owns("a-web", "me") }], given: [foreign] },
    ]);
    const asked = (target: string) =>
      judgeApplication(
        request({
          ...adopting,
          standing: [foreign],
          snapshot: { ...plan.snapshot, controllers: [{ endpoints: [{ ...wanted, targets: [target] }] }] },
        }),
        rules,
      );
    expect(asked("10.0.0.9")).toMatchObject({ ok: true });
    expect(asked("10.0.0.8")).toMatchObject({ ok: false, because: "not-provably-ours" });
    expect(judgeApplication(request({ ...withBatches(plan.undo), standing: [] }), rules)).toMatchObject({
      ok: true,
    });
  });
  it("takes over nothing that somebody else's ownership record came to speak for since the plan was made", () => {
    const wanted = { name: "web.example.com", type: "A", targets: ["10.0.0.9"], setIdentifier: "" };
    const adopting = withBatches([
      { changes: [{ action: "CREATE", set: owns("a-web", "me") }], given: [foreign] },
    ]);
    const snapshot = { ...plan.snapshot, controllers: [{ endpoints: [wanted] }] };
    const asked = (...more: ReturnType<typeof owns>[]) =>
      judgeApplication(request({ ...adopting, standing: [foreign, ...more], snapshot }), rules);
    expect(asked(owns("web", "other"))).toMatchObject({ ok: false, because: "not-provably-ours" });
    expect(asked(owns("a-elsewhere", "other"))).toMatchObject({ ok: true });
  });

  it("deletes nothing that somebody else's ownership record outranks ours for by its type", () => {
    const [set, legacy] = [record("old", "A", "10.0.0.1"), owns("old", "me")];
    const going = withBatches([
      { changes: [set, legacy].map((each) => ({ action: "DELETE", before: each, set: each })), given: [] },
    ]);
    const asked = (...more: ReturnType<typeof owns>[]) =>
      judgeApplication(request({ ...going, standing: [set, legacy, ...more] }), rules);
    expect(asked()).toMatchObject({ ok: true });
    expect(asked(owns("cname-old", "other"))).toMatchObject({ ok: true });
    expect(asked(owns("a-old", "other"))).toMatchObject({ ok: false, because: "not-provably-ours" });
  });

  it("lets through what somebody else approved", () => {
    expect(judgeApplication(request(), rules)).toEqual({ ok: true, approver: "approver" });
  });

  it.each<[string, string, Partial<ApplyRequest>]>([
    ["a request for another plan", "plan-changed", { digest: "0".repeat(64) }],
    ["a plan that was touched", "plan-changed", { plan: { ...plan, batches: [] } }],
    [
      "a zone that is not in its configuration",
      "zone-not-allowed",
      changed({ zone: { ...plan.zone, id: "Z9" } }),
    ],
    ["a request that ran out", "expired", { now: noon + 600_001 }],
    ["no approval", "not-approved", { approvals: [] }],
    [
      "an approval of another digest",
      "not-approved",
      { approvals: [{ by: "approver", digest: "x", at: noon }] },
    ],
    [
      "the requester's own",
      "own-approval",
      { approvals: [{ by: "operator", digest: plan.digest, at: noon }] },
    ],
    [
      "somebody who may not",
      "not-an-approver",
      { approvals: [{ by: "guest", digest: plan.digest, at: noon }] },
    ],
    ["another snapshot", "snapshot-moved", { snapshot: { hash: "else", takenAt: noon } }],
    ["no snapshot", "snapshot-moved", { snapshot: undefined }],
    ["an old snapshot", "snapshot-stale", { snapshot: { ...plan.snapshot, takenAt: noon - 600_001 } }],
    [
      "a snapshot from the future",
      "snapshot-stale",
      { snapshot: { ...plan.snapshot, takenAt: noon + 600_001 } },
    ],
    [
      "an unreadable source",
      "source-in-doubt",
      { snapshot: { ...plan.snapshot, faults: [{ source: "ingresses", detail: "no answer" }] } },
    ],
    ["an empty source", "source-in-doubt", { snapshot: { ...plan.snapshot, controllers: [wanting(0)] } }],
    [
      "a shrunken source",
      "source-in-doubt",
      { snapshot: { ...plan.snapshot, controllers: [wanting(5)] }, lastAccepted: 20 },
    ],
    [
      "a source that is not modelled",
      "source-in-doubt",
      { snapshot: { ...plan.snapshot, controllers: [{ ...wanting(5), unknown: ["--source=node"] }] } },
    ],
    [
      "a delegation to create",
      "type-not-allowed",
      withBatches([
        {
          changes: [{ action: "CREATE", set: record("sub", "NS", "ns1.example.net") }],
          given: [owns("a-web", "me")],
        },
      ]),
    ],
    [
      "a type it has no right to",
      "type-not-allowed",
      withBatches([{ changes: [{ action: "DELETE", before: mx, set: mx }], given: [owns("mx-web", "me")] }]),
    ],
    ["more deletes than it allows", "over-the-limits", { owned: { records: 0, txts: 0 } }],
    [
      "the zone's own NS",
      "outside-the-zone",
      withBatches([{ changes: [{ action: "DELETE", before: ns, set: ns }], given: [] }]),
    ],
    [
      "what nothing proves to be ours",
      "not-provably-ours",
      withBatches([
        { changes: [{ action: "DELETE", before: foreign, set: foreign }], given: [owns("a-old", "me")] },
      ]),
    ],
    [
      "what another owns",
      "not-provably-ours",
      withBatches([
        { changes: [{ action: "DELETE", before: foreign, set: foreign }], given: [owns("a-web", "you")] },
      ]),
    ],
    ...(
      [
        ["an AAAA by the ownership of an A", [record("web", "AAAA", "fd00::1")], [owns("a-web", "me")]],
        ["an AAAA by a legacy ownership", [record("web", "AAAA", "fd00::1")], [owns("web", "me")]],
        [
          "an ordinary TXT by the ownership of an A",
          [record("web", "TXT", '"v=spf1 -all"')],
          [owns("a-web", "me")],
        ],
        [
          "another cluster's set identifier",
          [record("web", "A", "10.0.0.2", { setIdentifier: "theirs", routing: weighted })],
          [owns("a-web", "me", undefined, { setIdentifier: "mine", routing: weighted })],
        ],
      ] as const
    ).map(
      ([what, sets, given]) =>
        [
          what,
          "not-provably-ours",
          withBatches([
            { changes: sets.map((set) => ({ action: "DELETE", before: set, set })), given: [...given] },
          ]),
        ] as [string, string, Partial<ApplyRequest>],
    ),
    ...(
      [
        ["a record nothing speaks for", [record("web", "A", "10.0.0.1")], []],
        ["another's ownership text", [owns("a-web", "you")], []],
        ["ownership of what nobody wants so", [owns("a-web", "me")], [record("web", "A", "10.0.0.9")]],
      ] as const
    ).map(
      ([what, sets, given]) =>
        [
          `to create ${what}`,
          "not-provably-ours",
          withBatches([{ changes: sets.map((set) => ({ action: "CREATE", set })), given: [...given] }]),
        ] as [string, string, Partial<ApplyRequest>],
    ),
    [
      "ownership of what stands in the zone, unwanted and left out of the plan",
      "not-provably-ours",
      {
        ...withBatches([{ changes: [{ action: "CREATE", set: owns("a-web", "me") }], given: [] }]),
        standing: [foreign],
      },
    ],
    ["a way back that is none", "undo-is-no-inverse", changed({ undo: [] })],
  ])("refuses %s", (_, because, more) => {
    expect(judgeApplication(request(more), rules)).toMatchObject({ ok: false, because });
  });
});

describe("a batch", () => {
  const [batch] = plan.batches;
  if (batch === undefined) throw new Error("the plan has a batch");
  const ids = affectedBy(batch);
  const found = ids.map((id) => have.find(({ name, type }) => name === id.name && type === id.type));

  it("is applied when everything stands as planned on", () => {
    expect(judgeBatch(batch, found)).toEqual({ state: "apply" });
  });

  it("is done when everything stands as afterwards", () => {
    expect(
      judgeBatch(
        batch,
        ids.map(() => undefined),
      ),
    ).toEqual({ state: "done" });
  });

  it("has moved when one of them was changed, and says which", () => {
    const edited = found.map((set) => (set?.type === "A" ? record("old", "A", "10.0.0.2") : set));
    expect(judgeBatch(batch, edited)).toMatchObject({
      state: "moved",
      moved: [{ id: { name: "old.example.com", type: "A" } }],
    });
  });

  it("has moved when half of it is there: a batch is atomic", () => {
    expect(judgeBatch(batch, [undefined, found[1]]).state).toBe("moved");
  });

  it("has moved when what it rests on is gone", () => {
    const adopt = {
      changes: [{ action: "CREATE" as const, set: owns("a-web", "me") }],
      given: [record("web", "A", "10.0.0.1")],
    };
    expect(judgeBatch(adopt, [undefined, undefined]).state).toBe("moved");
    expect(judgeBatch(adopt, [undefined, record("web", "A", "10.0.0.1")]).state).toBe("apply");
  });
});

describe("the outcome", () => {
  it.each([
    [
      [{ state: "applied", changeId: "C1", insync: true }, { state: "done-before" }],
      "applied",
      /all 2 batches are in the zone$/,
    ],
    [[{ state: "applied", changeId: "C1", insync: false }], "applied", /not yet at every name server/],
    [
      [{ state: "moved", records: ["web A"] }, { state: "not-tried" }],
      "nothing",
      /nothing was changed: web A changed/,
    ],
    [
      [
        { state: "applied", changeId: "C1", insync: true },
        { state: "refused", messages: ["no"] },
      ],
      "partly",
      /1 of 2 .* refused: no/,
    ],
    [[{ state: "unknown", detail: "no answer" }, { state: "not-tried" }], "unknown", /nobody knows/],
  ] as const)("%j is %s", (outcomes, state, text) => {
    expect(judgeOutcome(outcomes)).toEqual({ state, text: expect.stringMatching(text) });
  });
});
