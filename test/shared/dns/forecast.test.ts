import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import { encryptOwnershipText, readAesKey } from "#shared/dns/ownership-encryption.ts";
import {
  alias,
  forecastOf,
  heritage,
  lines,
  owns,
  record,
  refusals,
  silences,
  type World,
  wants,
} from "./zones.ts";

type Fact = Readonly<{
  title: string;
  world: World;
  changes?: readonly string[];
  accepted?: boolean | null;
  refused?: readonly (string | RegExp)[];
  silent?: readonly string[];
}>;

function holds(facts: readonly Fact[]): void {
  it.each(facts)("$title", ({ world, changes, accepted, refused, silent }) => {
    const result = forecastOf(world);
    if (changes !== undefined) expect(lines(result)).toEqual(changes);
    if (accepted !== undefined) expect(result.accepted).toBe(accepted);
    if (refused !== undefined) {
      expect(refusals(result)).toHaveLength(refused.length);
      for (const [i, each] of refused.entries()) expect(refusals(result)[i]).toMatch(each);
    }
    if (silent !== undefined) expect(silences(result)).toEqual(silent);
  });
}

const web = record("web", "A", "10.0.0.1");
const mine = [web, owns("a-web", "me")];

describe("who owns the record decides", () => {
  holds([
    {
      title: "nothing there: record and TXT are created",
      world: { want: [wants("web", "10.0.0.1")] },
      changes: ["CREATE a-web TXT owner:me", "CREATE web A 10.0.0.1"],
      accepted: true,
      silent: [],
    },
    {
      title: "as wanted: nothing is sent",
      world: { have: mine, want: [wants("web", "10.0.0.1")] },
      changes: [],
      accepted: null,
    },
    {
      title: "ours is updated with its TXT",
      world: { have: mine, want: [wants("web", "10.0.0.2")] },
      changes: ["UPSERT a-web TXT owner:me", "UPSERT web A 10.0.0.2"],
      accepted: true,
    },
    {
      title: "ours is deleted with its TXT",
      world: { have: mine },
      changes: ["DELETE a-web TXT owner:me", "DELETE web A 10.0.0.1"],
      accepted: true,
    },
    {
      title: "another's stays",
      world: { have: [web, owns("a-web", "you")], want: [wants("web", "10.0.0.2")] },
      changes: [],
      accepted: null,
      silent: ["not-ours web A"],
    },
    {
      title: "nobody's stays",
      world: { have: [web], want: [wants("web", "10.0.0.2")] },
      changes: [],
      silent: ["not-ours web A"],
    },
    {
      title: "foreign records nobody asks for are no matter",
      world: { have: [web, owns("a-web", "you")] },
      changes: [],
      silent: [],
    },
    {
      title: "a new type beside another's is blocked",
      world: {
        have: [web, owns("a-web", "you")],
        want: [wants("web", "2001:db8::1", { type: "AAAA" })],
      },
      changes: [],
      silent: ["blocked web AAAA"],
    },
    {
      title: "record gone, TXT of another left: created, for ever the other's",
      world: { have: [owns("a-web", "you")], want: [wants("web", "10.0.0.1")] },
      changes: ["CREATE web A 10.0.0.1"],
      accepted: true,
      silent: ["taken web A"],
    },
    {
      title: "record gone, our TXT left: only the record is created",
      world: { have: [owns("a-web", "me")], want: [wants("web", "10.0.0.1")] },
      changes: ["CREATE web A 10.0.0.1"],
      accepted: true,
      silent: [],
    },
    {
      title: "before 0.19 creating the TXT that is left fails with its record",
      world: { have: [owns("a-web", "me")], want: [wants("web", "10.0.0.1")], release: "0.18.0" },
      changes: ["CREATE a-web TXT owner:me", "CREATE web A 10.0.0.1"],
      accepted: false,
      refused: [/^a-web TXT: it already exists/],
    },
    {
      title: "a TXT without its record is told",
      world: { have: [owns("a-web", "me")] },
      changes: [],
      silent: ["dangling-txt a-web TXT"],
    },
    {
      title: "only a legacy TXT: record and TXT are written once, the old one stays",
      world: { have: [web, owns("web", "me")], want: [wants("web", "10.0.0.1")] },
      changes: ["UPSERT a-web TXT owner:me", "UPSERT web A 10.0.0.1"],
      accepted: true,
      silent: ["leftover-txt web TXT"],
    },
    {
      title: "deleting with only a legacy TXT fails in every round",
      world: { have: [web, owns("web", "me")] },
      changes: ["DELETE a-web TXT owner:me", "DELETE web A 10.0.0.1"],
      accepted: false,
      refused: [/^a-web TXT: there is no such record set/],
    },
    {
      title: "a TXT with another order of labels blocks the delete",
      world: {
        have: [
          web,
          record(
            "a-web",
            "TXT",
            '"heritage=external-dns,external-dns/resource=service/apps/web,external-dns/owner=me"',
          ),
        ],
      },
      accepted: false,
      refused: [/^a-web TXT: the record set is another: it holds/],
    },
    {
      title: "a TXT whose TTL was edited blocks the delete",
      world: { have: [web, owns("a-web", "me", undefined, { ttl: 60 })] },
      accepted: false,
      refused: [/^a-web TXT: the record set is another: its TTL is 60/],
    },
    {
      title: "without an owner no TXT is read or written and everything goes",
      world: { have: [web, owns("a-web", "you")], want: [wants("new", "10.0.0.1")], with: { owner: "" } },
      changes: ["DELETE web A 10.0.0.1", "CREATE new A 10.0.0.1"],
      accepted: true,
    },
  ]);
});

describe("which TXTs a release writes", () => {
  const want = [wants("web", "10.0.0.1"), wants("six", "2001:db8::1", { type: "AAAA" })];
  it.each([
    ["0.14.2", ["a-web", "aaaa-six", "web"]],
    ["0.17.0", ["a-web", "aaaa-six", "web"]],
    ["0.18.0", ["a-web", "aaaa-six"]],
    ["0.22.0", ["a-web", "aaaa-six"]],
  ])("%s", (release, expected) => {
    const { changes } = forecastOf({ want, release });
    expect(
      changes
        .filter(({ set }) => set.type === "TXT")
        .map(({ set }) => set.name.split(".")[0])
        .sort(),
    ).toEqual(expected);
  });

  it.each([
    [
      "0.16.0",
      [
        "CREATE aaaa-lb TXT owner:me",
        "CREATE cname-lb TXT owner:me",
        "CREATE lb A x.elb.us-east-1.amazonaws.com",
        "CREATE lb AAAA x.elb.us-east-1.amazonaws.com",
        "CREATE lb TXT owner:me",
      ],
    ],
    [
      "0.21.0",
      [
        "CREATE aaaa-lb TXT owner:me",
        "CREATE cname-lb TXT owner:me",
        "CREATE lb A x.elb.us-east-1.amazonaws.com",
        "CREATE lb AAAA x.elb.us-east-1.amazonaws.com",
      ],
    ],
    [
      "0.22.0",
      [
        "CREATE a-lb TXT owner:me",
        "CREATE aaaa-lb TXT owner:me",
        "CREATE lb A x.elb.us-east-1.amazonaws.com",
        "CREATE lb AAAA x.elb.us-east-1.amazonaws.com",
      ],
    ],
  ])("of an alias, %s", (release, expected) => {
    const result = forecastOf({
      want: [wants("lb", "x.elb.us-east-1.amazonaws.com", { type: "CNAME" })],
      release,
    });
    expect(lines(result)).toEqual(expected);
    expect(result.accepted).toBe(true);
  });
});

describe("names that can never be owned", () => {
  const long = "a".repeat(62);
  holds([
    {
      title: "the apex: its TXT lies outside the zone and is dropped",
      world: { want: [wants("@", "10.0.0.1")] },
      changes: ["CREATE @ A 10.0.0.1"],
      accepted: true,
      silent: ["never-owned @ A"],
    },
    {
      title: "a templated prefix that ends in a dot owns the apex",
      world: { want: [wants("@", "10.0.0.1")], with: { ownership: { prefix: "%{record_type}-txt." } } },
      changes: ["CREATE a-txt TXT owner:me", "CREATE @ A 10.0.0.1"],
      silent: [],
    },
    {
      title: "an apex owned by an old TXT is rewritten in every round",
      world: {
        have: [record("@", "A", "10.0.0.1"), owns("@", "me")],
        want: [wants("@", "10.0.0.1")],
      },
      changes: ["UPSERT @ A 10.0.0.1"],
      accepted: true,
      silent: ["every-round @ A", "leftover-txt @ TXT"],
    },
    {
      title: "a label that grows over 63 bytes",
      world: { want: [wants(long, "10.0.0.1")] },
      changes: [`CREATE ${long} A 10.0.0.1`],
      accepted: true,
      silent: [`never-owned ${long} A`],
    },
    {
      title: "a host called like a typed TXT under a release that reads it so",
      world: {
        have: [web, owns("a-web", "me"), record("a-web", "A", "10.0.0.9"), owns("a-a-web", "me")],
        want: [wants("web", "10.0.0.1"), wants("a-web", "10.0.0.9")],
      },
      changes: [],
      silent: [],
    },
  ]);
});

describe("what the AWS provider sends", () => {
  const elb = fqdn("x.elb.us-east-1.amazonaws.com");
  holds([
    {
      title: "a type change is a delete and a create",
      world: {
        have: [record("web", "CNAME", "old.example.net"), owns("cname-web", "me")],
        want: [wants("web", "10.0.0.1")],
      },
      changes: [
        "DELETE cname-web TXT owner:me",
        "DELETE web CNAME old.example.net",
        "CREATE a-web TXT owner:me",
        "CREATE web A 10.0.0.1",
      ],
      accepted: true,
    },
    {
      title: "under upsert-only the new type stands beside the CNAME and is refused",
      world: {
        have: [record("web", "CNAME", "old.example.net"), owns("cname-web", "me")],
        want: [wants("web", "10.0.0.1")],
        with: { policy: "upsert-only" },
      },
      changes: ["CREATE a-web TXT owner:me", "CREATE web A 10.0.0.1"],
      accepted: false,
      refused: [/^web A: a CNAME cannot stand beside/],
    },
    {
      title: "an address that becomes an alias is deleted and created",
      world: {
        have: [web, owns("a-web", "me")],
        want: [wants("web", elb, { type: "CNAME" })],
      },
      changes: [
        "UPSERT a-web TXT owner:me",
        "DELETE web A 10.0.0.1",
        `CREATE aaaa-web TXT owner:me`,
        `CREATE web A ${elb}`,
        `CREATE web AAAA ${elb}`,
      ],
      accepted: true,
    },
    {
      title: "a routing policy of another kind is deleted and created, TXT too",
      world: {
        have: [
          record("web", "A", "10.0.0.1", {
            setIdentifier: "blue",
            routing: { policy: "weighted", weight: 10 },
          }),
          owns("a-web", "me", undefined, {
            setIdentifier: "blue",
            routing: { policy: "weighted", weight: 10 },
          }),
        ],
        want: [
          wants("web", "10.0.0.1", {
            setIdentifier: "blue",
            providerSpecific: [{ name: "aws/region", value: "eu-west-1" }],
          }),
        ],
      },
      changes: [
        "DELETE a-web TXT blue owner:me",
        "DELETE web A blue 10.0.0.1",
        "CREATE a-web TXT blue owner:me",
        "CREATE web A blue 10.0.0.1",
      ],
      accepted: true,
    },
    {
      title: "a weight is an UPSERT",
      world: {
        have: [
          record("web", "A", "10.0.0.1", {
            setIdentifier: "blue",
            routing: { policy: "weighted", weight: 10 },
          }),
          owns("a-web", "me", undefined, {
            setIdentifier: "blue",
            routing: { policy: "weighted", weight: 10 },
          }),
        ],
        want: [
          wants("web", "10.0.0.1", {
            setIdentifier: "blue",
            providerSpecific: [{ name: "aws/weight", value: "20" }],
          }),
        ],
      },
      changes: ["UPSERT a-web TXT blue owner:me", "UPSERT web A blue 10.0.0.1"],
      accepted: true,
    },
    {
      title: "a set identifier without a policy is refused",
      world: { want: [wants("web", "10.0.0.1", { setIdentifier: "blue" })] },
      accepted: false,
      refused: [/a-web TXT: a set identifier needs/, /web A: a set identifier needs/],
    },
    {
      title: "simple and weighted cannot stand together",
      world: {
        have: [...mine],
        want: [
          wants("web", "10.0.0.1"),
          wants("web", "10.0.0.2", {
            setIdentifier: "blue",
            providerSpecific: [{ name: "aws/weight", value: "1" }],
          }),
        ],
      },
      accepted: false,
      refused: [/a-web TXT: weighted and simple/, /web A: weighted and simple/],
    },
    {
      title: "the cname- TXT of an alias left by 0.21 is not deleted with it",
      world: { have: [alias("lb", "A", { name: elb }), owns("cname-lb", "me")] },
      changes: ["DELETE a-lb TXT owner:me", `DELETE lb A ${elb}`],
      accepted: false,
      refused: [/^a-lb TXT: there is no such record set/],
    },
    {
      title: "while the alias is wanted 0.22 adds its own name",
      world: {
        have: [
          alias("lb", "A", { name: elb }),
          owns("cname-lb", "me"),
          alias("lb", "AAAA", { name: elb }),
          owns("aaaa-lb", "me"),
        ],
        want: [wants("lb", elb, { type: "CNAME" })],
      },
      changes: ["UPSERT a-lb TXT owner:me", `UPSERT lb A ${elb}`],
      accepted: true,
      silent: ["leftover-txt cname-lb TXT"],
    },
    {
      title: "an alias in another hosted zone than its name says cannot be deleted",
      world: { have: [alias("lb", "A", { name: elb, hostedZoneId: "ZOTHER" }), owns("a-lb", "me")] },
      accepted: false,
      refused: [/^lb A: the record set is another: the alias is in hosted zone ZOTHER/],
    },
    {
      title: "--aws-prefer-cname keeps the CNAME",
      world: { want: [wants("lb", elb, { type: "CNAME" })], with: { preferCname: true } },
      changes: ["CREATE cname-lb TXT owner:me", `CREATE lb CNAME ${elb}`],
    },
    {
      title: "two hosts with one TXT name: the second is refused in every round",
      world: {
        want: [wants("*.w", "10.0.0.1"), wants("any.w", "10.0.0.2")],
        with: { ownership: { wildcardReplacement: "any" } },
      },
      accepted: false,
      refused: [/^a-any.w TXT: it already exists/],
    },
  ]);

  it("a batch over the limits is cut by groups, and a group over them is left out", () => {
    const want = [
      wants("a", "10.0.0.1"),
      wants("b", "10.0.0.1"),
      wants("c", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
    ];
    const result = forecastOf({ want, with: { batch: { changes: 3, bytes: 32_000, values: 3 } } });
    expect(lines(result)).toEqual([
      "CREATE a-a TXT owner:me",
      "CREATE a A 10.0.0.1",
      "CREATE a-b TXT owner:me",
      "CREATE b A 10.0.0.1",
    ]);
    expect(refusals(result).join()).toMatch(/c A: everything at c.example.com is over the batch limits/);
  });
});

describe("what stays wrong in silence", () => {
  holds([
    {
      title: "a TTL edited by hand",
      world: {
        have: [record("web", "A", "10.0.0.1", { ttl: 86_400 }), owns("a-web", "me")],
        want: [wants("web", "10.0.0.1")],
      },
      changes: [],
      silent: ["ttl web A"],
    },
    {
      title: "not a TTL that is configured",
      world: {
        have: [record("web", "A", "10.0.0.1", { ttl: 86_400 }), owns("a-web", "me")],
        want: [wants("web", "10.0.0.1", { ttl: 60 })],
      },
      changes: ["UPSERT a-web TXT owner:me", "UPSERT web A 10.0.0.1"],
      silent: [],
    },
    {
      title: "a resource label that names another object",
      world: { have: mine, want: [wants("web", "10.0.0.1", { resource: "service/other/web" })] },
      changes: [],
      silent: ["stale-resource web A"],
    },
    {
      title: "what upsert-only never deletes",
      world: { have: mine, with: { policy: "upsert-only" } },
      changes: [],
      silent: ["policy web A"],
    },
    {
      title: "what create-only never updates",
      world: { have: mine, want: [wants("web", "10.0.0.2")], with: { policy: "create-only" } },
      changes: [],
      silent: ["policy web A"],
    },
    {
      title: "a prefix changed after go-live orphans what was written before",
      world: { have: mine, want: [wants("web", "10.0.0.1")], with: { ownership: { prefix: "txt." } } },
      changes: [],
      silent: ["dangling-txt a-web TXT", "not-ours web A"],
    },
    {
      title: "the loser of a conflict",
      world: {
        have: mine,
        want: [wants("web", "10.0.0.1"), wants("web", "10.0.0.5", { resource: "ingress/apps/x" })],
      },
      changes: [],
      silent: ["lost-conflict web A"],
    },
  ]);

  it("names a TXT that makes the release stop, and sends nothing then", () => {
    const have = [...mine, record("@", "TXT", heritage("me"))];
    const result = forecastOf({ have, release: "0.21.0", with: { ownership: { suffix: ".a.b.txt" } } });
    expect([lines(result), result.accepted]).toEqual([[], null]);
    expect(silences(result)).toContain("crash @ TXT");
  });
});

describe("what nobody can know", () => {
  const elb = fqdn("x.elb.us-east-1.amazonaws.com");
  const world = {
    have: [web, owns("a-web", "me"), record("web", "AAAA", "2001:db8::1")],
    want: [wants("web", elb, { type: "CNAME" })],
  };
  it.each([
    ["0.18.0", 1],
    ["0.20.0", 1],
    ["0.21.0", 0],
  ])("%s: twins of an alias with different owners", (release, count) => {
    expect(forecastOf({ ...world, release }).unknown).toHaveLength(count);
  });
  it("aliases before 0.16", () => {
    expect(forecastOf({ ...world, release: "0.15.1" }).unknown).toHaveLength(1);
  });
});

describe("a release that stops on its own plan", () => {
  const long = "l".repeat(61);
  const elb = fqdn("x.elb.us-east-1.amazonaws.com");
  const world = {
    have: [alias(long, "A", { name: elb }), owns("a", "me"), owns(long, "me")],
    want: [wants(long, "10.0.0.1")],
  };
  it("before 0.19 sends nothing when an update needs more ownership records than there were", () => {
    const result = forecastOf({ ...world, release: "0.18.0" });
    expect([lines(result), result.accepted]).toEqual([[], null]);
    expect(silences(result)).toContain(`crash ${long} A`);
  });
  it("since 0.19 goes on", () => {
    expect(lines(forecastOf({ ...world, release: "0.19.0" }))).toContain(`CREATE ${long} A 10.0.0.1`);
  });
});

describe("migrating an owner", () => {
  const from = { migrateFromOwner: "old" };
  holds([
    {
      title: "the old owner's records are written with the new one",
      world: { have: [web, owns("a-web", "old")], want: [wants("web", "10.0.0.1")], with: from },
      changes: ["UPSERT a-web TXT owner:me", "UPSERT web A 10.0.0.1"],
      accepted: true,
    },
    {
      title: "equal to the last field nothing is written",
      world: {
        have: [web, owns("a-web", "old")],
        want: [wants("web", "10.0.0.1", { ttl: 300, providerSpecific: undefined })],
        with: from,
      },
      changes: [],
      accepted: null,
    },
    {
      title: "a delete rebuilds the TXT with the new owner and fails",
      world: { have: [web, owns("a-web", "old")], with: from },
      changes: ["DELETE a-web TXT owner:me", "DELETE web A 10.0.0.1"],
      accepted: false,
      refused: [/^a-web TXT: the record set is another/],
    },
  ]);
});

describe("encrypted ownership", () => {
  const key = readAesKey("0123456789abcdef0123456789abcdef");
  if (key === undefined) throw new Error("no key");
  const value = encryptOwnershipText(
    { owner: "me", resource: "service/apps/web" },
    key,
    new Uint8Array(12).fill(7),
  );
  const have = [web, record("a-web", "TXT", value)];
  const flags = { key, ownership: { encryptEnabled: true } };

  it("is deleted with the text the zone has", () => {
    const result = forecastOf({ have, with: flags });
    expect(result.accepted).toBe(true);
    expect(lines(result)).toEqual([`DELETE a-web TXT ${value}`, "DELETE web A 10.0.0.1"]);
  });

  it("is written with a value nobody can know", () => {
    expect(lines(forecastOf({ want: [wants("web", "10.0.0.1")], with: flags }))).toEqual([
      "CREATE a-web TXT ?",
      "CREATE web A 10.0.0.1",
    ]);
  });

  it("is nobody's without the key, and told as unreadable", () => {
    const result = forecastOf({ have, want: [wants("web", "10.0.0.2")] });
    expect(silences(result)).toEqual(["not-ours web A"]);
    expect(result.silent[0]?.why).toContain("a-web.example.com cannot be read");
  });

  it("cannot delete what was written in the clear", () => {
    const result = forecastOf({ have: mine, with: flags });
    expect(refusals(result)).toEqual([
      "a-web TXT: the record set is another: its encrypted text would be another",
    ]);
  });
});
