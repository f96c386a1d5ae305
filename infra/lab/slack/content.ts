import { checkMessage } from "#shared/report/slack-limits.ts";
import type { JsonObject } from "./message.ts";

/** Stands in where the words themselves are judged elsewhere or do not exist. */
const SOME_TEXT = "-";

/** What Slack would refuse in blocks and attachments, one line a problem, empty when they are fine. */
export function contentProblems(
  message: Readonly<{ blocks: readonly JsonObject[]; attachments: readonly JsonObject[] }>,
): string[] {
  const { blocks, attachments } = message;
  return [
    ...checkMessage({ text: SOME_TEXT, blocks, attachments }),
    ...attachments.flatMap((attachment, i) =>
      attachment.blocks === undefined
        ? []
        : checkMessage({ text: SOME_TEXT, blocks: attachment.blocks }).map((p) => `attachments[${i}].${p}`),
    ),
  ];
}

/** What Slack would refuse in metadata. */
export const metadataProblems = (metadata: JsonObject): string[] =>
  checkMessage({ text: SOME_TEXT, metadata });
