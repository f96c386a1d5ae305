import { describe, expect, it } from "vitest";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { plain } from "#shared/text.ts";
import { alias, owns, record, wants } from "../dns/zones.ts";
import { drifts, planOf, steps } from "./scans.ts";

const web = record("web", "A", "10.0.0.1");

describe("an ownership record of ours under another affix", () => {
  it.each<[string, RecordSet, RecordSet, object]>([
    ["a prefix we have not", owns("txt.a-web", "me"), web, {}],
    ["a prefix without a dot", owns("exta-web", "me"), web, {}],
    ["a prefix with the type in it", owns("a-txt.web", "me"), web, {}],
    ["a suffix we have not", owns("a-web-txt", "me"), web, {}],
    ["a suffix with the type in it", owns("web-a", "me"), web, {}],
    ["none, where we have a prefix", owns("a-web", "me"), web, { txtPrefix: "txt." }],
    ["none, in the legacy format", owns("web", "me"), record("web", "A", "10.0.0.1"), { txtPrefix: "txt." }],
    ["another prefix in the legacy format", owns("txt.web", "me"), web, {}],
    [
      "another prefix for an alias",
      owns("txt.cname-web", "me"),
      alias("web", "A", { name: "lb.example.net" as never }),
      {},
    ],
  ])("is not offered for removal while its record stands: %s", (_, txt, set, more) => {
    const affixes = "txtPrefix" in more ? { ownership: { prefix: "txt." } } : {};
    const site = { have: [set, txt], with: affixes };
    expect(steps(planOf(site))).toEqual([]);
    for (const drift of drifts(site, "txt-dangling")) {
      expect(drift).toMatchObject({ ownership: "ambiguous", repair: "nobody" });
      expect(plain(drift.because)).toContain("wrong name format or another affix");
      expect(plain(drift.because)).not.toContain("its record is gone");
    }
  });

  it("is ambiguous when its name fits no affix of ours, whatever else stands", () => {
    const site = { have: [owns("a-web", "me")], with: { ownership: { prefix: "txt." } } };
    expect(drifts(site, "txt-dangling")).toMatchObject([{ ownership: "ambiguous", repair: "nobody" }]);
  });

  it("is still removed where nothing is like it", () => {
    const have = [record("web", "A", "10.0.0.2"), owns("a-web", "me"), owns("a-web-2", "me")];
    expect(steps(planOf({ have, want: [wants("web", "10.0.0.2")] }))).toEqual(["DELETE a-web-2 TXT"]);
  });

  it.each<[string, RecordSet, object]>([
    ["to another prefix", owns("old.a-web", "me"), { ownership: { prefix: "txt." } }],
    ["from none", owns("a-web", "me"), { ownership: { prefix: "txt." } }],
    ["to none", owns("txt.a-web", "me"), {}],
    ["of another owner", owns("txt.a-web", "you"), {}],
  ])("leaves its record alone when --txt-prefix was changed: %s", (_, txt, more) => {
    const site = { have: [web, txt], want: [wants("web", "10.0.0.1")], with: more };
    expect(steps(planOf(site))).toEqual([]);
    expect(drifts(site, "record-unowned")).toMatchObject([{ ownership: "ambiguous", repair: "nobody" }]);
  });
});
