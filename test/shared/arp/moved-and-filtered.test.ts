import { expect, it } from "vitest";
import { judge } from "#shared/arp/judge.ts";
import type { SilenceFacts } from "#shared/arp/silence.ts";
import { evidence } from "./evidence.ts";

const candidate = (more: Partial<SilenceFacts>) =>
  judge(evidence([], { silence: { ...evidence([]).silence, ...more } })).candidates.find(
    ({ id }) => id === "moved-and-filtered",
  );

it("stays open where an address changed hands and nothing is wrong with who has it", () => {
  expect(candidate({ announcedBefore: ["cargyll", "bettley"] })).toMatchObject({
    seen: false,
    text: expect.stringContaining("bettley took it over from cargyll"),
    test: expect.stringContaining("host 10.4.11.1"),
  });
});

it.each<[string, Partial<SilenceFacts>]>([
  ["nobody else announced it", { announcedBefore: ["bettley"] }],
  ["no event is left", { announcedBefore: [] }],
  ["events could not be read", {}],
  ["the leader is not Ready", { announcedBefore: ["cargyll"], notReady: new Set(["bettley"]) }],
  ["the leader's speaker is gone", { announcedBefore: ["cargyll"], speakers: ["cargyll"] }],
  ["nobody knows which speakers run", { announcedBefore: ["cargyll"], speakers: undefined }],
])("is no cause where %s", (_, facts) => {
  expect(candidate(facts)).toBeUndefined();
});
