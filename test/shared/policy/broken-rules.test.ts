import { describe, expect, it } from "vitest";
import { brokenRules } from "#shared/policy/broken-rules.ts";
import type { RoleRule } from "#shared/policy/identity.ts";
import { decide } from "#shared/policy/roles.ts";
import { plain } from "#shared/text.ts";

const known = {
  people: ["operator", "approver"],
  clusters: ["goldentooth"],
  groups: ["S0PLATFORM"],
  channels: ["C0PLATFORM"],
};
const good: RoleRule = {
  role: "operator",
  people: ["operator"],
  groups: ["S0PLATFORM"],
  clusters: ["goldentooth"],
  channels: ["C0PLATFORM"],
};

describe("brokenRules", () => {
  it("leaves whole rules alone", () => {
    const rules = [good, { ...good, clusters: ["*"], channels: [] }];
    expect(brokenRules(rules, known)).toEqual({ rules, findings: [] });
  });

  it.each([
    [{ people: ["operator", "operater"] }, "person operater (nearest: operator)"],
    [{ groups: ["S0GONE"] }, "group S0GONE"],
    [{ channels: ["C0PLATFORM", "C9XYZ"] }, "channel C9XYZ"],
    [{ clusters: ["goldentoth"] }, "cluster goldentoth (nearest: goldentooth)"],
    [{ people: ["zz"], groups: ["S9"] }, "person zz, group S9"],
  ])("disables a rule with %j and says why", (change, names) => {
    const { rules, findings } = brokenRules([good, { ...good, ...change }], known);
    expect(rules[0]).toEqual(good);
    expect(rules[1]).toMatchObject({ people: [], groups: [] });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      code: "role-rule-disabled",
      severity: "error",
      subject: { kind: "config", name: "roles[1]" },
    });
    expect(plain(findings[0]?.text ?? [])).toBe(
      `this operator rule grants nothing: it names ${names}, which does not exist`,
    );
  });

  it("does not judge groups and channels while Slack cannot be asked", () => {
    const rules = [{ ...good, groups: ["S0GONE"], channels: ["C9"] }];
    expect(brokenRules(rules, { ...known, groups: undefined, channels: undefined }).findings).toEqual([]);
  });

  it("denies what a disabled rule granted, and keeps a closed cluster closed", () => {
    const broken: readonly RoleRule[] = [
      { ...good, people: ["operator", "gone"] },
      { ...good, role: "viewer", people: ["approver", "gone"], groups: [] },
    ];
    const { rules } = brokenRules(broken, known);
    const base = {
      people: [{ name: "operator" }, { name: "approver" }],
      groups: ["S0PLATFORM"],
      rules,
      cluster: "goldentooth",
      channel: "C0PLATFORM",
      door: "slack",
    } as const;
    expect(
      decide({ ...base, person: { name: "operator" }, need: "operator", effect: "change" }).allowed,
    ).toBe(false);
    expect(decide({ ...base, person: { name: "approver" }, need: "viewer", effect: "read" }).allowed).toBe(
      false,
    );
  });
});
