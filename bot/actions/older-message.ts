import type { Reply } from "#shared/reply.ts";
import type { Text } from "#shared/text.ts";

/** To a press on a button whose thing is gone, done, or of another release. */
export const olderMessage = (next: Text): Reply => ({
  verdict: {
    word: "Not understood",
    outcome: "usage",
    text: ["this button is from an older message; it does nothing any more."],
  },
  findings: [],
  blocks: [],
  next: [next],
  actions: [],
});
