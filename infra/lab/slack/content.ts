import type { JsonObject } from "./message.ts";

const TEXT_LIMITS: Readonly<Record<string, number>> = { header: 150, section: 3_000 };

/** What Slack would refuse in a message, one line a problem, empty when it is fine. */
export function contentProblems(
  message: Readonly<{ text: string; blocks: readonly JsonObject[]; attachments: readonly JsonObject[] }>,
): string[] {
  const problems: string[] = [];
  if (message.blocks.length > 50)
    problems.push(`${message.blocks.length} blocks, at most 50 [json-pointer:/blocks]`);
  message.blocks.forEach((block, i) => {
    if (typeof block.type !== "string") problems.push(`no type [json-pointer:/blocks/${i}/type]`);
    const limit = TEXT_LIMITS[String(block.type)];
    const text = block.text as JsonObject | undefined;
    if (limit !== undefined && typeof text?.text === "string" && text.text.length > limit)
      problems.push(`${text.text.length} characters, at most ${limit} [json-pointer:/blocks/${i}/text/text]`);
  });
  return problems;
}
