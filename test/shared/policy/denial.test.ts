import { describe, expect, it } from "vitest";
import { denialReply } from "#shared/policy/denial.ts";
import { exitCode } from "#shared/reply.ts";
import { renderSlack } from "#shared/report/slack.ts";
import { checkMessage } from "#shared/report/slack-limits.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { text } from "#shared/text.ts";

const operator = { name: "operator", slack: "U0OPER" };
const approver = { name: "approver", slack: "U0APPR" };
const asked = { words: "migrate next", cluster: "goldentooth" };

describe("denialReply", () => {
  it.each([
    [[operator, approver], "#platform", "needs operator. @operator and @approver can, or ask in #platform."],
    [[operator], undefined, "needs operator. @operator can."],
    [
      [operator, approver, { name: "platform", slack: "S0PLATFORM" }],
      undefined,
      "needs operator. @operator, @approver and @platform can.",
    ],
    [[], "#platform", "needs operator. Ask in #platform."],
    [[], undefined, "needs operator."],
  ])("names %j, ask in %s", (whoCould, askIn, end) => {
    const reply = denialReply(
      { allowed: false, why: text`needs operator.`, whoCould },
      { ...asked, ...(askIn !== undefined && { askIn }) },
    );
    expect(renderTerminal(reply, { columns: 200, colour: false })).toBe(
      `⊘ Not allowed: /migrate next on goldentooth ${end}\n`,
    );
    expect(exitCode(reply)).toBe(1);
  });

  it("counts those beyond five", () => {
    const whoCould = Array.from({ length: 8 }, (_, i) => ({ name: `p${i}` }));
    const reply = denialReply({ allowed: false, why: text`needs operator.`, whoCould }, asked);
    expect(renderTerminal(reply, { columns: 200, colour: false })).toContain("@p3 and @p4 and 3 more can.");
  });

  it("mentions in Slack those who could", () => {
    const message = renderSlack(
      denialReply({ allowed: false, why: text`needs operator.`, whoCould: [operator] }, asked),
    );
    expect(message.text).toBe("⊘ Not allowed: /migrate next on goldentooth needs operator. <@U0OPER> can.");
    expect(checkMessage(message)).toEqual([]);
  });

  it("leaves out the cluster where there is none", () => {
    const reply = denialReply(
      { allowed: false, why: text`needs operator.`, whoCould: [] },
      { words: "arpeggio doctor", cluster: undefined },
    );
    expect(renderTerminal(reply, { columns: 80, colour: false })).toBe(
      "⊘ Not allowed: /arpeggio doctor needs operator.\n",
    );
  });
});
