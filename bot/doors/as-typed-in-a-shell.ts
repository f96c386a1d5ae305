import type { Finding } from "#shared/finding.ts";
import type { Block, Reply } from "#shared/reply.ts";
import type { Inline, Text } from "#shared/text.ts";
import type { Command } from "../commands/command.ts";
import { typed } from "../help.ts";

/** Where a reply names one of our commands as Slack types it, a shell gets it as a shell types it. */
export function asTypedInAShell(reply: Reply, commands: readonly Command[]): Reply {
  const names = new Set(commands.map(({ name }) => name));
  const leaf = (part: Inline): Inline => {
    if (typeof part === "string" || !("code" in part) || !part.code.startsWith("/")) return part;
    const words = part.code.slice(1);
    return names.has(words.split(" ")[0] as string) ? { code: typed("cli", words) } : part;
  };
  const told = (text: Text): Text => text.map(leaf);
  const block = (each: Block): Block => {
    switch (each.kind) {
      case "prose":
        return { ...each, text: told(each.text) };
      case "table":
        return { ...each, rows: each.rows.map((row) => row.map(told)) };
      case "steps":
        return {
          ...each,
          steps: each.steps.map((step) => (step.note ? { ...step, note: told(step.note) } : step)),
        };
      default:
        return each;
    }
  };
  const finding = (each: Finding): Finding => ({
    ...each,
    text: told(each.text),
    ...(each.remedy ? { remedy: told(each.remedy) } : {}),
  });
  return {
    ...reply,
    verdict: { ...reply.verdict, text: told(reply.verdict.text) },
    ...(reply.why ? { why: told(reply.why) } : {}),
    ...(reply.next ? { next: reply.next.map(told) } : {}),
    findings: reply.findings.map(finding),
    blocks: reply.blocks.map(block),
  };
}
