import { describe, expect, it } from "vitest";
import { exitCode } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";
import { runDns } from "./run-dns.ts";

const a = (name: string, target: string, more: Record<string, unknown> = {}) => ({
  name,
  type: "A",
  targets: [target],
  ...more,
});

const request = (given: Record<string, unknown> = {}): string =>
  JSON.stringify({
    config: { ownerId: "me", policy: "sync", managedTypes: ["A", "AAAA", "CNAME"] },
    current: [
      a("web.example.com", "10.0.0.1", { ttl: 300, labels: { owner: "me" } }),
      a("old.example.com", "10.0.0.1", { labels: { owner: "me" } }),
      a("theirs.example.com", "10.0.0.1", { labels: { owner: "you" } }),
    ],
    desired: [
      a("web.example.com", "10.0.0.2"),
      a("new.example.com", "10.0.0.3", {
        setIdentifier: "",
        providerSpecific: [{ name: "aws/weight", value: "1" }],
      }),
      { ...a("theirs.example.com", "2001:db8::1"), type: "AAAA" },
    ],
    ...given,
  });

describe("dns plan-endpoints", () => {
  it("prints creates, updates, deletes and what an owner blocks, as endpoints and nothing else", async () => {
    const reply = await runDns("plan-endpoints plan.json", { "plan.json": request() });
    expect(exitCode(reply)).toBe(0);
    expect(reply.json).toEqual({
      create: [a("new.example.com", "10.0.0.3", { providerSpecific: [{ name: "aws/weight", value: "1" }] })],
      update: [a("web.example.com", "10.0.0.2", { labels: { owner: "me" } })],
      delete: [a("old.example.com", "10.0.0.1", { labels: { owner: "me" } })],
      createsBlockedByOwner: [{ name: "theirs.example.com", type: "AAAA", targets: ["2001:db8::1"] }],
    });
    expect(JSON.stringify(reply.blocks)).toContain("blocked by A of you");
    expect(plain(reply.verdict.text)).toBe(
      "would create 1, update 1 and delete 1; 1 blocked by another owner",
    );
  });

  it.each([
    ["a domain", "example.com", 1],
    ["a list", ["other.net"], 0],
    ["lists", { include: ["example.com"], exclude: ["new.example.com"] }, 0],
    ["a regex", { regexInclude: "^new" }, 1],
  ])("domainFilter as %s", async (_, domainFilter, creates) => {
    const config = { ownerId: "me", policy: "create-only", managedTypes: ["A"], domainFilter };
    const reply = await runDns("plan-endpoints plan.json", { "plan.json": request({ config }) });
    expect((reply.json as { create: unknown[] }).create).toHaveLength(creates);
  });

  it("reads standard input when no file is named", async () => {
    const reply = await runDns("plan-endpoints --", { "-": request() });
    expect(exitCode(reply)).toBe(0);
  });

  it.each([
    ["not JSON", "{", "not JSON"],
    [
      "another policy",
      request({ config: { ownerId: "me", policy: "all", managedTypes: ["A"] } }),
      "config.policy",
    ],
    ["an endpoint without targets", request({ current: [{ name: "x", type: "A" }] }), "current[0].targets"],
    ["an unknown field", request({ wanted: [] }), "wanted"],
    [
      "a broken regex",
      request({ config: { ownerId: "", policy: "sync", domainFilter: { regexInclude: "(" } } }),
      "domainFilter",
    ],
  ])("refuses %s with its place", async (_, content, place) => {
    const reply = await runDns("plan-endpoints plan.json", { "plan.json": content });
    expect(exitCode(reply)).toBe(2);
    expect(JSON.stringify(reply.json)).toContain(place);
  });

  it("a file that is not there is a usage fault", async () => {
    expect(exitCode(await runDns("plan-endpoints plan.json", {}))).toBe(2);
  });
});
