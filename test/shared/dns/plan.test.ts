import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { domainMatcher, noDomainFilter } from "#shared/dns/domain-filter.ts";
import type { Endpoint } from "#shared/dns/endpoint.ts";
import { canonicalText } from "#shared/dns/endpoint.ts";
import { changesJson } from "#shared/dns/endpoint-json.ts";
import { type PlanConfig, planChanges } from "#shared/dns/plan.ts";

type Given = Partial<Omit<Endpoint, "labels">> & { owner?: string; resource?: string };

const endpoint = ({ owner, resource, ...given }: Given = {}): Endpoint => ({
  name: "web.example.com",
  type: "A",
  targets: ["10.4.11.1"],
  ttl: 0,
  setIdentifier: "",
  providerSpecific: undefined,
  ...given,
  labels: {
    ...(owner === undefined ? {} : { owner }),
    ...(resource === undefined ? {} : { resource }),
  },
});

const config = (given: Partial<PlanConfig> = {}): PlanConfig => ({
  ownerId: "me",
  policy: "sync",
  managedTypes: ["A", "AAAA", "CNAME"],
  excludedTypes: [],
  matches: () => true,
  migrateFromOwner: undefined,
  ...given,
});

/** What the planner decides, in one short line each. */
function decided(current: readonly Endpoint[], desired: readonly Endpoint[], given?: Partial<PlanConfig>) {
  const changes = planChanges(current, desired, config(given));
  const short = ({ name, type, setIdentifier, targets }: Endpoint) =>
    [name.split(".")[0], type, setIdentifier, targets.join("+")].filter((part) => part !== "").join(" ");
  return [
    ...changes.create.map((each) => `create ${short(each)}`),
    ...changes.update.map(({ to }) => `update ${short(to)}`),
    ...changes.delete.map((each) => `delete ${short(each)}`),
    ...changes.createsBlockedByOwner.map(({ wanted }) => `blocked ${short(wanted)}`),
  ];
}

const mine = (given: Given = {}) => endpoint({ owner: "me", ttl: 300, ...given });

type Case = readonly [string, Endpoint[], Endpoint[], string[], Partial<PlanConfig>?];

describe("ownership decides (row by row)", () => {
  const cases: Case[] = [
    ["a free name is created", [], [endpoint()], ["create web A 10.4.11.1"]],
    ["equal is left alone", [mine()], [endpoint()], []],
    ["ours is updated", [mine()], [endpoint({ targets: ["10.4.11.2"] })], ["update web A 10.4.11.2"]],
    ["ours is deleted", [mine()], [], ["delete web A 10.4.11.1"]],
    ["another's is not updated", [mine({ owner: "you" })], [endpoint({ targets: ["10.4.11.2"] })], []],
    ["another's is not deleted", [mine({ owner: "you" })], [], []],
    ["nobody's is not touched", [endpoint({ ttl: 300 })], [endpoint({ targets: ["10.4.11.2"] })], []],
    ["an empty owner is nobody's", [mine({ owner: "" })], [], []],
    ["owners compare byte for byte", [mine({ owner: "Me" })], [], []],
    [
      "a new type beside another's is blocked",
      [mine({ owner: "you" })],
      [endpoint(), endpoint({ type: "AAAA", targets: ["2001:db8::1"] })],
      ["blocked web AAAA 2001:db8::1"],
    ],
    [
      "a new type beside ours is created",
      [mine()],
      [endpoint(), endpoint({ type: "AAAA", targets: ["2001:db8::1"] })],
      ["create web AAAA 2001:db8::1"],
    ],
    [
      "one of two types another's is enough to block",
      [mine(), mine({ type: "AAAA", owner: "you", targets: ["2001:db8::1"] })],
      [endpoint({ type: "CNAME", targets: ["lb.example.net"] })],
      ["delete web A 10.4.11.1", "blocked web CNAME lb.example.net"],
    ],
    [
      "an empty owner id switches the filter off",
      [endpoint({ ttl: 300 })],
      [endpoint({ targets: ["10.4.11.2"] })],
      ["update web A 10.4.11.2"],
      { ownerId: "" },
    ],
    [
      "without the filter anything goes",
      [mine({ owner: "you" })],
      [],
      ["delete web A 10.4.11.1"],
      { ownerId: "" },
    ],
    [
      "another set identifier is another row",
      [mine({ owner: "you", setIdentifier: "blue" })],
      [endpoint({ setIdentifier: "green" })],
      ["create web A green 10.4.11.1"],
    ],
  ];
  it.each(cases.map((each) => ({ title: each[0], each })))("$title", ({ each }) => {
    const [, current, desired, expected, given] = each;
    expect(decided(current, desired, given)).toEqual(expected);
  });
});

describe("policies", () => {
  const current = [mine({ name: "old.example.com" }), mine()];
  const desired = [endpoint({ targets: ["10.4.11.2"] }), endpoint({ name: "new.example.com" })];
  it.each([
    ["sync", ["create new A 10.4.11.1", "update web A 10.4.11.2", "delete old A 10.4.11.1"]],
    ["upsert-only", ["create new A 10.4.11.1", "update web A 10.4.11.2"]],
    ["create-only", ["create new A 10.4.11.1"]],
  ] as const)("%s", (policy, expected) => {
    expect(decided(current, desired, { policy })).toEqual(expected);
  });

  it("upsert-only turns a type change into a create that stands alone", () => {
    const cname = mine({ type: "CNAME", targets: ["lb.example.net"] });
    expect(decided([cname], [endpoint()], { policy: "upsert-only" })).toEqual(["create web A 10.4.11.1"]);
    expect(decided([cname], [endpoint()])).toEqual([
      "create web A 10.4.11.1",
      "delete web CNAME lb.example.net",
    ]);
  });
});

describe("what counts as changed", () => {
  const alias = { name: "alias", value: "false" };
  const cases: Case[] = [
    ["a TTL somebody set", [mine()], [endpoint({ ttl: 60 })], ["update web A 10.4.11.1"]],
    ["not a TTL edited by hand", [mine({ ttl: 86400 })], [endpoint()], []],
    [
      "not the order of targets",
      [mine({ targets: ["10.4.11.1", "10.4.11.2"] })],
      [endpoint({ targets: ["10.4.11.2", "10.4.11.1"] })],
      [],
    ],
    [
      "not the case of a name",
      [mine({ type: "CNAME", targets: ["LB.example.net"] })],
      [endpoint({ type: "CNAME", targets: ["lb.example.net"] })],
      [],
    ],
    [
      "not the spelling of an IPv6 address",
      [mine({ type: "AAAA", targets: ["2001:db8:0:0::1"] })],
      [endpoint({ type: "AAAA", targets: ["2001:DB8::1"] })],
      [],
    ],
    [
      "one target more",
      [mine()],
      [endpoint({ targets: ["10.4.11.1", "10.4.11.2"] })],
      ["update web A 10.4.11.1+10.4.11.2"],
    ],
    [
      "a property on one side only",
      [mine({ providerSpecific: [alias] })],
      [endpoint()],
      ["update web A 10.4.11.1"],
    ],
    [
      "a property with another value",
      [mine({ providerSpecific: [alias] })],
      [endpoint({ providerSpecific: [{ ...alias, value: "true" }] })],
      ["update web A 10.4.11.1"],
    ],
    ["not an empty list of properties", [mine()], [endpoint({ providerSpecific: [] })], []],
    [
      "a missing ownership record",
      [mine({ providerSpecific: [{ name: "txt/force-update", value: "true" }] })],
      [endpoint()],
      ["update web A 10.4.11.1"],
    ],
    [
      "not the resource label",
      [mine({ resource: "service/a/web" })],
      [endpoint({ resource: "service/b/web" })],
      [],
    ],
    [
      "everything while an owner is migrated",
      [mine()],
      [endpoint()],
      ["update web A 10.4.11.1"],
      { migrateFromOwner: "old" },
    ],
  ];
  it.each(cases.map((each) => ({ title: each[0], each })))("$title", ({ each }) => {
    const [, current, desired, expected, given] = each;
    expect(decided(current, desired, given)).toEqual(expected);
  });

  it("an update keeps the owner and takes the resource of the wanted one", () => {
    const { update } = planChanges(
      [mine({ resource: "service/a/web" })],
      [endpoint({ targets: ["10.4.11.2"], resource: "service/b/web" })],
      config(),
    );
    expect(update[0]?.to.labels).toEqual({ owner: "me", resource: "service/b/web" });
  });
});

describe("one name wanted twice", () => {
  const a = (...targets: string[]) => endpoint({ targets, resource: `service/a/${targets[0]}` });
  const cname = endpoint({ type: "CNAME", targets: ["lb.example.net"] });
  const cases: Case[] = [
    [
      "the shorter list wins a free name",
      [],
      [a("10.4.11.9"), a("10.4.11.1", "10.4.11.2")],
      ["create web A 10.4.11.9"],
    ],
    [
      "then the lower address, as a number",
      [],
      [a("10.4.11.10"), a("10.4.11.9")],
      ["create web A 10.4.11.9"],
    ],
    [
      "names by text",
      [],
      [
        endpoint({ type: "CNAME", targets: ["b.example.net"] }),
        endpoint({ type: "CNAME", targets: ["a.example.net"] }),
      ],
      ["create web CNAME a.example.net"],
    ],
    ["a CNAME loses to an address", [], [cname, endpoint()], ["create web A 10.4.11.1"]],
    [
      "a CNAME loses to two types",
      [],
      [cname, endpoint(), endpoint({ type: "AAAA", targets: ["2001:db8::1"] })],
      ["create web A 10.4.11.1", "create web AAAA 2001:db8::1"],
    ],
    [
      "our CNAME goes when an address is wanted too",
      [mine({ ...cname, owner: "me" })],
      [cname, endpoint()],
      ["create web A 10.4.11.1", "delete web CNAME lb.example.net"],
    ],
    [
      "the object that has the name keeps it",
      [mine({ resource: "service/a/10.4.11.9" })],
      [a("10.4.11.8"), a("10.4.11.9")],
      ["update web A 10.4.11.9"],
    ],
    [
      "when it is gone the smallest takes over",
      [mine({ resource: "service/a/gone" })],
      [a("10.4.11.8"), a("10.4.11.9")],
      ["update web A 10.4.11.8"],
    ],
  ];
  it.each(cases.map((each) => ({ title: each[0], each })))("$title", ({ each }) => {
    const [, current, desired, expected, given] = each;
    expect(decided(current, desired, given)).toEqual(expected);
  });
});

describe("what the planner sees at all", () => {
  const txt = mine({ type: "TXT", targets: ['"x"'] });
  const cases: Case[] = [
    ["only managed types", [txt], [], []],
    ["a managed type that is excluded is not seen", [mine()], [], [], { excludedTypes: ["A"] }],
    ["other managed types", [txt], [], ['delete web TXT "x"'], { managedTypes: ["TXT"] }],
    [
      "unmanaged types at the name do not block",
      [endpoint({ type: "MX", targets: ["10 mail"] })],
      [endpoint()],
      ["create web A 10.4.11.1"],
    ],
    [
      "names outside the filter on neither side",
      [mine()],
      [endpoint({ targets: ["10.4.11.2"] })],
      [],
      { matches: (name) => name !== "web.example.com" },
    ],
    ["a trailing dot and case are one name", [mine({ name: "WEB.example.com." })], [endpoint()], []],
    [
      "IDNA forms are one name",
      [mine({ name: "xn--bcher-kva.example.com" })],
      [endpoint({ name: "bücher.example.com" })],
      [],
    ],
  ];
  it.each(cases.map((each) => ({ title: each[0], each })))("$title", ({ each }) => {
    const [, current, desired, expected, given] = each;
    expect(decided(current, desired, given)).toEqual(expected);
  });
});

describe("JSON", () => {
  it("an update is the record as it shall be", () => {
    expect(changesJson(planChanges([mine()], [endpoint({ targets: ["10.4.11.2"] })], config()))).toEqual({
      create: [],
      update: [
        {
          name: "web.example.com",
          type: "A",
          targets: ["10.4.11.2"],
          labels: { owner: "me" },
        },
      ],
      delete: [],
      createsBlockedByOwner: [],
    });
  });
});

const anyEndpoint = (owners: readonly (string | undefined)[]): fc.Arbitrary<Endpoint> =>
  fc
    .record({
      name: fc.constantFrom("a.example.com", "b.example.com", "*.example.com", "c.other.net"),
      type: fc.constantFrom("A", "AAAA", "CNAME", "TXT"),
      targets: fc.uniqueArray(fc.constantFrom("10.0.0.1", "10.0.0.2", "2001:db8::1", "x.example.net"), {
        minLength: 1,
        maxLength: 3,
      }),
      ttl: fc.constantFrom(0, 60, 300),
      setIdentifier: fc.constantFrom("", "blue"),
      owner: fc.constantFrom(...owners),
      resource: fc.constantFrom(undefined, "service/a/x", "service/b/y"),
    })
    .map(({ owner, resource, ...rest }) =>
      endpoint({
        ...rest,
        ...(owner === undefined ? {} : { owner }),
        ...(resource === undefined ? {} : { resource }),
      }),
    );

const zone = fc.uniqueArray(anyEndpoint([undefined, "me", "you", ""]), {
  selector: ({ name, type, setIdentifier }) => `${name} ${type} ${setIdentifier}`,
  maxLength: 12,
});
const wanted = fc.array(anyEndpoint([undefined]), { maxLength: 12 });

describe("properties", () => {
  it("the order of the input does not matter", () => {
    fc.assert(
      fc.property(zone, wanted, fc.integer(), (current, desired, seed) => {
        const turned = <T>(list: readonly T[]): T[] => {
          const by = list.length === 0 ? 0 : Math.abs(seed) % list.length;
          return [...list.slice(by), ...list.slice(0, by)].reverse();
        };
        expect(planChanges(turned(current), turned(desired), config())).toEqual(
          planChanges(current, desired, config()),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("what is not ours is never updated or deleted, and nothing is made beside it", () => {
    fc.assert(
      fc.property(zone, wanted, (current, desired) => {
        const changes = planChanges(current, desired, config());
        for (const { from } of changes.update) expect(from.labels.owner).toBe("me");
        for (const gone of changes.delete) expect(gone.labels.owner).toBe("me");
        for (const made of changes.create)
          for (const there of current)
            if (
              there.name === made.name &&
              there.setIdentifier === made.setIdentifier &&
              ["A", "AAAA", "CNAME"].includes(there.type)
            )
              expect(there.labels.owner).toBe("me");
      }),
      { numRuns: 500 },
    );
  });

  it("carrying a plan out leaves nothing to do, and no CNAME beside other data of ours", () => {
    fc.assert(
      fc.property(zone, wanted, (current, desired) => {
        const changes = planChanges(current, desired, config());
        const gone = new Set(
          [...changes.delete, ...changes.update.map(({ from }) => from)].map(canonicalText),
        );
        const after = [
          ...current.filter((each) => !gone.has(canonicalText(each))),
          ...changes.update.map(({ from, to }) => ({ ...to, ttl: to.ttl || from.ttl })),
          ...changes.create.map((each) => ({
            ...each,
            ttl: each.ttl || 300,
            labels: { ...each.labels, owner: "me" },
          })),
        ];
        const again = planChanges(after, desired, config());
        expect([...again.create, ...again.update, ...again.delete]).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("domain filter", () => {
  const filter = (given: Partial<typeof noDomainFilter>) => domainMatcher({ ...noDomainFilter, ...given });
  it.each([
    ["nothing set is everything", {}, "web.example.com", true],
    ["the domain itself", { include: ["example.com"] }, "example.com", true],
    ["below it", { include: ["example.com"] }, "a.b.example.com", true],
    ["on a label boundary only", { include: ["example.com"] }, "notexample.com", false],
    ["a leading dot is below only", { include: [".example.com"] }, "example.com", false],
    ["a leading dot is below", { include: [".example.com"] }, "web.example.com", true],
    ["case and trailing dots do not matter", { include: ["Example.COM."] }, "WEB.example.com.", true],
    ["IDNA forms are equal", { include: ["bücher.example"] }, "web.xn--bcher-kva.example", true],
    [
      "an exclusion wins",
      { include: ["example.com"], exclude: ["int.example.com"] },
      "a.int.example.com",
      false,
    ],
    ["an exclusion alone", { exclude: ["int.example.com"] }, "web.example.com", true],
    [
      "a regex switches the lists off",
      { include: ["other.net"], regexInclude: "example\\.com$" },
      "web.example.com",
      true,
    ],
    ["a regex that misses", { regexInclude: "^a\\." }, "web.example.com", false],
    ["a regex exclusion first", { regexInclude: "example", regexExclude: "^web" }, "web.example.com", false],
    ["a regex exclusion alone", { regexExclude: "^web" }, "api.example.com", true],
    ["a case-insensitive regex", { regexInclude: "(?i)EXAMPLE" }, "web.example.com", true],
  ] as const)("%s", (_, given, name, expected) => {
    expect(filter(given)(name)).toBe(expected);
  });

  it("up to 0.20 an exclusion switches the inclusion off", () => {
    const given = { ...noDomainFilter, regexInclude: "other", regexExclude: "^web" };
    expect(domainMatcher(given, { text: "0.20.0", minor: 20, patch: 0 })("api.example.com")).toBe(true);
    expect(domainMatcher(given)("api.example.com")).toBe(false);
  });
});
