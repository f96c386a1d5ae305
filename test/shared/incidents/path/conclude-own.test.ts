import { describe, expect, it } from "vitest";
import { conclude } from "#shared/incidents/path/conclude.ts";
import { fails, type PathLink, type Reason } from "#shared/incidents/path/reason.ts";

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
const causesOf = (...judged: readonly ReturnType<typeof failing>[]): readonly string[] => {
  const { conclusion } = conclude(judged, { summary: ["well"], needed: [] });
  return conclusion.kind === "cause"
    ? [conclusion.cause, ...conclusion.also].map(({ code }) => code)
    : [conclusion.kind];
};

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
