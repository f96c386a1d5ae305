import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Person, Role, RoleRule } from "#shared/policy/identity.ts";
import type { Effect, Question } from "#shared/policy/roles.ts";
import { decide, heldRoles } from "#shared/policy/roles.ts";
import { plain } from "#shared/text.ts";

const people: readonly Person[] = [
  { name: "viewer", slack: "U0VIEW" },
  { name: "operator", slack: "U0OPER", os: "op" },
  { name: "approver", slack: "U0APPR" },
  { name: "both", slack: "U0BOTH" },
  { name: "member", slack: "U0MEMB" },
  { name: "local-only", os: "root" },
];
const who = (name: string): Person => {
  const found = people.find((person) => person.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

const rule = (role: Role, grant: Partial<RoleRule>): RoleRule => ({
  role,
  people: [],
  groups: [],
  clusters: ["*"],
  channels: [],
  ...grant,
});

const rules: readonly RoleRule[] = [
  rule("operator", { people: ["operator", "both"], clusters: ["goldentooth"] }),
  rule("approver", { people: ["approver", "both"] }),
  rule("operator", { groups: ["S0PLATFORM"], clusters: ["goldentooth"], channels: ["C0PLATFORM"] }),
  rule("viewer", { people: ["viewer"], clusters: ["closed"] }),
];

const ask = (name: string | undefined, changes: Partial<Question> = {}): Question => ({
  person: name === undefined ? undefined : who(name),
  groups: [],
  rules,
  people,
  groupNames: new Map([["S0PLATFORM", "platform"]]),
  need: "viewer",
  effect: "read",
  cluster: "goldentooth",
  channel: "C0GENERAL",
  door: "slack",
  ...changes,
});

const change = { need: "operator", effect: "change" } as const;
const member = { groups: ["S0PLATFORM"], channel: "C0PLATFORM" } as const;

describe("decide", () => {
  const rows: readonly (readonly [string, boolean, Question])[] = [
    ["anybody asks for help", true, ask(undefined, { effect: "none" })],
    ["a stranger in Slack reads", false, ask(undefined)],
    ["a stranger in Slack probes", false, ask(undefined, { effect: "probe" })],
    [
      "a stranger at a terminal reads with their own credentials",
      true,
      ask(undefined, { door: "cli", channel: undefined }),
    ],
    [
      "a stranger at a terminal probes",
      true,
      ask(undefined, { door: "cli", channel: undefined, effect: "probe" }),
    ],
    [
      "a stranger at a terminal reads what takes an operator",
      false,
      ask(undefined, { door: "cli", need: "operator" }),
    ],
    ["a stranger at a terminal changes", false, ask(undefined, { door: "console", ...change })],
    ["somebody without a rule reads", true, ask("member")],
    ["somebody without a rule probes", true, ask("member", { effect: "probe" })],
    ["somebody without a rule changes", false, ask("member", change)],
    ["a change declared for viewers still takes an operator", false, ask("viewer", { effect: "change" })],
    ["the operator changes", true, ask("operator", change)],
    [
      "the operator changes from the console",
      true,
      ask("operator", { ...change, door: "console", channel: undefined }),
    ],
    ["the operator changes another cluster", false, ask("operator", { ...change, cluster: "bramble" })],
    [
      "the operator changes no cluster in particular",
      false,
      ask("operator", { ...change, cluster: undefined }),
    ],
    ["the operator approves", false, ask("operator", { need: "approver", effect: "change" })],
    ["the approver approves", true, ask("approver", { need: "approver", effect: "change" })],
    [
      "the approver approves on any cluster",
      true,
      ask("approver", { need: "approver", effect: "change", cluster: "x" }),
    ],
    ["the approver acts as operator", false, ask("approver", change)],
    ["the approver reads", true, ask("approver")],
    ["one who is both acts", true, ask("both", change)],
    ["one who is both approves", true, ask("both", { need: "approver", effect: "change" })],
    ["a member of the group in its channel changes", true, ask("member", { ...change, ...member })],
    [
      "a member of the group in another channel changes",
      false,
      ask("member", { ...change, groups: ["S0PLATFORM"] }),
    ],
    [
      "a member of the group at a terminal changes",
      true,
      ask("member", { ...change, groups: ["S0PLATFORM"], door: "cli", channel: undefined }),
    ],
    [
      "groups unknown, change through a group",
      false,
      ask("member", { ...change, ...member, groups: undefined }),
    ],
    ["groups unknown, change by name", true, ask("operator", { ...change, groups: undefined })],
    ["groups unknown, read", true, ask("member", { groups: undefined })],
    ["the operator changes in a direct message", false, ask("operator", { ...change, channel: "D0OPER" })],
    ["the operator reads in a direct message", true, ask("operator", { channel: "D0OPER" })],
    ["the viewer reads the closed cluster", true, ask("viewer", { cluster: "closed" })],
    ["somebody else reads the closed cluster", false, ask("member", { cluster: "closed" })],
    ["somebody else probes the closed cluster", false, ask("member", { cluster: "closed", effect: "probe" })],
    ["the approver of all clusters reads the closed one", true, ask("approver", { cluster: "closed" })],
    ["the operator of another cluster reads the closed one", false, ask("operator", { cluster: "closed" })],
    ["no rules at all: reads", true, ask("member", { rules: [] })],
    ["no rules at all: changes", false, ask("operator", { ...change, rules: [] })],
    [
      "a viewer rule through a group that cannot be read leaves reading open",
      true,
      ask("member", { rules: [rule("viewer", { groups: ["S1"] })], groups: undefined }),
    ],
    [
      "a viewer rule through a group closes the cluster to others",
      false,
      ask("member", { rules: [rule("viewer", { groups: ["S1"] })] }),
    ],
    [
      "a rule that lists the direct message opens it",
      true,
      ask("operator", {
        ...change,
        channel: "D0OPER",
        rules: [rule("operator", { people: ["operator"], channels: ["D0OPER"] })],
      }),
    ],
  ];

  it.each(rows)("%s: %s", (_, allowed, question) => {
    expect(decide(question).allowed).toBe(allowed);
  });

  const denials: readonly (readonly [string, Question, string, readonly string[]])[] = [
    ["names people, then groups", ask("viewer", change), "needs operator.", ["operator", "both", "platform"]],
    [
      "says where one could, and leaves out the person",
      ask("member", { ...change, groups: ["S0PLATFORM"] }),
      "needs operator, which you are only in C0PLATFORM.",
      ["operator", "both", "platform"],
    ],
    [
      "says that groups could not be read",
      ask("member", { ...change, groups: undefined }),
      "needs operator, and Slack could not be asked who is in which group.",
      ["operator", "both", "platform"],
    ],
    [
      "says that the account is not known",
      ask(undefined, { cluster: "bramble" }),
      "is for people of the config, and it does not know your account (people:).",
      ["approver", "both"],
    ],
    [
      "says that a direct message is no place for changes",
      ask("operator", { ...change, channel: "D0X" }),
      "changes something, and that is asked for in a channel, where others see it.",
      [],
    ],
    ["says so when nobody could", ask("viewer", { ...change, cluster: "bramble" }), "needs operator.", []],
  ];
  it.each(denials)("%s", (_, question, why, could) => {
    const decision = decide(question);
    if (decision.allowed) throw new Error("allowed");
    expect(plain(decision.why)).toBe(why);
    expect(decision.whoCould.map((ref) => ref.name)).toEqual(could);
  });

  it("names who could with their Slack ids, so that messages can mention them", () => {
    const decision = decide(ask("viewer", change));
    expect(decision).toMatchObject({
      whoCould: [
        { name: "operator", slack: "U0OPER" },
        { name: "both", slack: "U0BOTH" },
        { name: "platform", slack: "S0PLATFORM" },
      ],
    });
  });

  it("never lets a change through that no rule grants by name or group", () => {
    const effects: readonly Effect[] = ["none", "read", "probe", "change"];
    const name = fc.constantFrom("viewer", "operator", "approver", "member");
    const anyRule = fc.record({
      role: fc.constantFrom<Role>("viewer", "operator", "approver"),
      people: fc.array(name, { maxLength: 2 }),
      groups: fc.array(fc.constantFrom("S1", "S2"), { maxLength: 1 }),
      clusters: fc.constantFrom(["*"], ["goldentooth"], ["bramble"]),
      channels: fc.constantFrom([], ["C1"]),
    });
    fc.assert(
      fc.property(
        fc.record({
          person: fc.option(name, { nil: undefined }),
          groups: fc.option(fc.subarray(["S1", "S2"]), { nil: undefined }),
          rules: fc.array(anyRule, { maxLength: 4 }),
          need: fc.constantFrom<Role>("viewer", "operator", "approver"),
          effect: fc.constantFrom(...effects),
          cluster: fc.constantFrom("goldentooth", "bramble", undefined),
          channel: fc.constantFrom("C1", "C2", "D1"),
          door: fc.constantFrom("slack", "console", "cli"),
        }),
        ({ person, ...rest }) => {
          const question = { ...ask(person), ...rest };
          const decision = decide(question);
          if (!decision.allowed || question.effect !== "change") return true;
          const role = question.need === "viewer" ? "operator" : question.need;
          return question.rules.some(
            (one) =>
              one.role === role &&
              ((one.people as readonly string[]).includes(person ?? "") ||
                one.groups.some((g) => question.groups?.includes(g))) &&
              one.clusters.some((name) => name === "*" || name === question.cluster),
          );
        },
      ),
    );
  });
});

describe("heldRoles", () => {
  it.each([
    ["operator", ["viewer", "operator"]],
    ["approver", ["viewer", "approver"]],
    ["both", ["viewer", "operator", "approver"]],
    ["member", ["viewer"]],
  ])("%s holds %j", (name, roles) => {
    expect(heldRoles(ask(name))).toEqual(roles);
  });

  it("gives nothing to an account the config does not know", () => {
    expect(heldRoles(ask(undefined))).toEqual([]);
  });
});
