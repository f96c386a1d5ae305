import { describe, expect, it } from "vitest";
import type { Json } from "#shared/json.ts";
import { askedAgain } from "#shared/migration/asked-again.ts";

const addresses = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    ip: `10.4.${11 + Math.floor(i / 250)}.${i % 250}`,
    order: [i % 2 === 0 ? "dalt" : "fenn", "jast"],
  }));
const proof = (of: readonly { ip: string; order: readonly string[] }[]): Record<string, Json> => ({
  "prove-on-wire": { announcers: Object.fromEntries(of.map(({ ip, order }) => [ip, order[0] ?? ""])) },
});

describe("addresses that are asked on the wire again", () => {
  it.each([
    ["all of few", addresses(100), proof(addresses(100))],
    ["all where nothing was proven in this run", addresses(300), {}],
  ])("are %s", (_, all, notes) => {
    expect(askedAgain(notes, all)).toBeUndefined();
  });

  it("are a sample over all of them where many were proven", () => {
    const all = addresses(300);
    const asked = askedAgain(proof(all), all) ?? [];
    expect(asked.length).toBeLessThanOrEqual(40);
    expect(asked.length).toBeGreaterThan(30);
    expect(asked.some((ip) => ip.startsWith("10.4.12."))).toBe(true);
  });

  it("always hold what came after the proof, what it did not see, and what another node announces now", () => {
    const all = addresses(300);
    const notes = proof(
      all.filter((_, i) => i !== 7).map((each, i) => (i === 11 ? { ...each, order: ["bettley"] } : each)),
    );
    const more = [...all, { ip: "10.4.15.1", order: ["dalt"] }, { ip: "10.4.15.2", order: [] }];
    expect(askedAgain(notes, more)).toEqual(
      expect.arrayContaining(["10.4.11.7", "10.4.11.12", "10.4.15.1", "10.4.15.2"]),
    );
  });
});
