import { describe, expect, it } from "vitest";
import { createConsoleBoard } from "#bot/doors/console-board.ts";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import { type RunReplyOptions, runReply } from "#shared/runs/run-reply.ts";
import { plain } from "#shared/text.ts";
import { bgpSite } from "../steps/bgp-sites.ts";
import { runOnTwin } from "../steps/run-on-twin.ts";

describe("a run's message says where its plan is", () => {
  it.each<[RunReplyOptions["notes"], string, string]>([
    [undefined, "Read the plan in the thread, then:", "evidence in thread"],
    ["in the thread", "Read the plan in the thread, then:", "evidence in thread"],
    // A console has no threads: what would be there stands among its lines.
    [createConsoleBoard().notesAre, "Read the plan on this screen, then:", "evidence on this screen"],
    // A single command's answer holds it itself.
    ["below", "Read the plan below, then:", "evidence below"],
  ])("%s", async (notes, next, evidence) => {
    const at = runOnTwin(bgpSite("0.16.1"), bgpToL2, {});
    await at.start();
    const reply = runReply(await at.state(), {
      now: at.clock.now(),
      approvers: [],
      ref: (name) => ({ name }),
      ...(notes !== undefined && { notes }),
    });
    expect(reply.verdict.word).toBe("WAITS");
    expect((reply.next ?? []).map(plain).join()).toContain(next);
    const prose = reply.blocks.flatMap((block) => (block.kind === "prose" ? [plain(block.text)] : []));
    expect(prose.at(-1)).toContain(evidence);
  });
});
