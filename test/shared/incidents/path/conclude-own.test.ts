import { describe, expect, it } from "vitest";
import { unseen } from "#shared/incidents/make-link.ts";
import { conclude } from "#shared/incidents/path/conclude.ts";
import { fails, type Judged, only, type PathLink, type Reason } from "#shared/incidents/path/reason.ts";

const reason = (code: string, link: PathLink): Reason => ({
  code,
  link,
  certain: true,
  subject: { kind: "address", name: "10.4.11.1" },
  text: [code],
  next: [["look"]],
});
const failing = (code: string, link: PathLink) =>
  fails({ id: link, title: link }, [code], [reason(code, link)]);
const causesOf = (...judged: readonly Judged[]): readonly string[] => {
  const { conclusion } = conclude(judged, { summary: ["well"], needed: [] });
  return conclusion.kind === "cause"
    ? [conclusion.cause, ...conclusion.also].map(({ code }) => code)
    : [conclusion.kind];
};

describe("what nobody could see", () => {
  const fault = { kind: "denied", what: "list of endpointslices", detail: "forbidden" } as const;
  const blind = (link: PathLink) => only(unseen({ id: link, title: link }, fault));
  const possibly = (code: string, link: PathLink) =>
    fails({ id: link, title: link }, [code], [{ ...reason(code, link), certain: false }]);
  const readings = (...judged: Parameters<typeof conclude>[0][number][]): readonly string[] => {
    const { conclusion } = conclude(judged, { summary: ["well"], needed: [] });
    return conclusion.kind === "candidates" ? conclusion.causes.map(({ code }) => code) : [conclusion.kind];
  };

  it("stands among the readings where it comes before what is broken", () => {
    expect(readings(blind("endpoints"), possibly("leader-gone", "arp"))).toEqual([
      "leader-gone",
      "endpoints-unseen",
    ]);
  });

  it("is none where it comes after, or where a cause is certain", () => {
    expect(readings(blind("tls"), possibly("leader-gone", "arp"))).toEqual([
      "leader-gone",
      "arp-unexplained",
    ]);
    expect(causesOf(failing("foreign-mac", "arp"), blind("endpoints"))).toEqual(["foreign-mac"]);
  });

  it("does not crowd out what was read, nor does that crowd it out", () => {
    const many = ["a", "b", "c", "d", "e"].map((code) => ({ ...reason(code, "arp"), certain: false }));
    const [first, ...rest] = many;
    if (first === undefined) throw new Error("none");
    const judged = fails({ id: "arp", title: "arp" }, ["x"], [first, ...rest]);
    expect(readings(blind("pool"), blind("advertisement"), judged)).toEqual([
      "a",
      "b",
      "c",
      "pool-unseen",
      "advertisement-unseen",
    ]);
  });
});

describe("what was seen by itself", () => {
  it.each([
    ["two-nodes", "arp", "certificate-expired", "tls"],
    ["two-nics", "nic", "http-server-error", "http"],
    ["no-l2-advertisement", "advertisement", "proxy-arp", "arp"],
    ["announcer-exclude-label", "announcer-predicted", "foreign-mac", "arp"],
    ["name-not-wanted", "name", "dns-shadowed", "record"],
  ] as const)("%s does not account for %s %s %s", (before, at, after, link) => {
    expect(causesOf(failing(before, at), failing(after, link))).toEqual([before, after]);
  });

  it.each([
    ["no-l2-advertisement", "advertisement", "leader-gone", "announcer"],
    ["name-not-wanted", "name", "record-missing", "record"],
    ["leader-no-usable-nic", "nic", "http-silent", "http"],
    ["foreign-mac", "arp", "certificate-wrong-name", "tls"],
    ["proxy-arp", "arp", "http-server-error", "http"],
  ] as const)("%s accounts for %s %s %s", (before, at, after, link) => {
    expect(causesOf(failing(before, at), failing(after, link))).toEqual([before]);
  });
});
