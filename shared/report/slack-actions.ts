import type { ActionsBlock, Button } from "@slack/types";
import type { Action } from "../reply.ts";
import type { Piece } from "./slack-pieces.ts";
import { noted } from "./slack-pieces.ts";
import { cut, visible, visibleLines } from "./visible.ts";
import { counted } from "./wording.ts";

const actionPrefix = "arpeggio:";

/** The id our own buttons carry; a second button with the same id in a message gets `#2` behind it. */
export const slackActionId = (action: string, nth = 1): string =>
  `${actionPrefix}${action}${nth > 1 ? `#${nth}` : ""}`;

/** Back from `slackActionId`; undefined for a button that is not ours. */
export const actionOf = (actionId: string): string | undefined =>
  actionId.startsWith(actionPrefix) ? actionId.slice(actionPrefix.length).replace(/#\d+$/, "") : undefined;

const buttonFits = (action: Action): boolean =>
  action.value.length <= 2_000 && slackActionId(action.id, 9).length <= 255;

/** Three buttons at most. What cannot be a button is named, so that nobody thinks there is no such choice. */
export function buttons(actions: readonly Action[]): Piece {
  const offered = actions.filter(buttonFits).slice(0, 3);
  const others = actions.filter((action) => !offered.includes(action));
  const seen = new Map<string, number>();
  const elements = offered.map((action): Button => {
    const nth = (seen.get(action.id) ?? 0) + 1;
    seen.set(action.id, nth);
    const label = visible(action.label).trim() || "Go on";
    const confirm = visibleLines(action.confirm ?? "").trim();
    return {
      type: "button",
      action_id: slackActionId(action.id, nth),
      text: { type: "plain_text", text: cut(label, 75), emoji: false },
      ...(action.value !== "" && { value: action.value }),
      ...(action.style !== undefined && { style: action.style }),
      ...(confirm !== "" && {
        confirm: {
          title: { type: "plain_text", text: cut(label, 100), emoji: false },
          text: { type: "plain_text", text: cut(confirm, 300), emoji: false },
          confirm: { type: "plain_text", text: cut(label, 30), emoji: false },
          deny: { type: "plain_text", text: "Not now", emoji: false },
          ...(action.style !== undefined && { style: action.style }),
        },
      }),
    };
  });
  const row: ActionsBlock[] = elements.length > 0 ? [{ type: "actions", elements }] : [];
  const long = offered.filter((action) => visibleLines(action.confirm ?? "").trim().length > 300);
  const notes = [
    ...long.map((action) => `${visible(action.label)}: ${visibleLines(action.confirm ?? "")}`),
    ...(others.length > 0
      ? [
          `${counted(others.length, "more choice")} without a button here: ${others.map((a) => visible(a.label)).join(", ")}`,
        ]
      : []),
  ];
  return { blocks: [...notes.map((note) => noted(cut(note, 400))), ...row], files: [] };
}
