import { expect, it } from "vitest";
import { tellInSlack } from "#infra/lab/slack-story.ts";
import { bgpSite } from "../../shared/steps/bgp-sites.ts";

it("tells a run through signed HTTP on a clock that stands still between", async () => {
  const began = Date.UTC(2026, 10, 24, 18);
  const story = await tellInSlack(bgpSite("0.16.1"), began);
  const { read, message, said, thread } = story;
  await story.type("operator", "migrate start bgp-to-l2");
  expect(read(message())).toMatch(/step 5 of 17 waits for @approver/);
  expect(thread().map((each) => read(each).split("\n")[0])).toContain(
    "✓ PROVEN  goldentooth · step 2, Snapshot: 4 objects kept",
  );
  said();
  const asked = message();
  await story.press("operator", "Approve and run");
  expect(said().map(read).join()).toMatch(/you asked for step 5 of R-\d+ yourself/);
  const before = story.clock.now();
  await story.press("approver", "Approve and run");
  expect(read(message())).toMatch(/step 8 of 17 waits/);
  // People take minutes, and so does what the bot waits for; none of it is the machine's time.
  expect(story.clock.now() - before).toBeGreaterThan(120_000);
  await story.press("approver", "Approve and run", asked);
  expect(said().map(read).join()).toMatch(/was approved by @approver/);
  await story.mention("operator", "rollback");
  expect(read(message())).toMatch(/everything it changed was taken back/);
  expect(story.workspace.violations()).toEqual([]);
  await story.close();
});
