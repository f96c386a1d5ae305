import { createHash } from "node:crypto";
import * as z from "zod";
import { contentProblems } from "./content.ts";
import type { JsonObject } from "./message.ts";
import { type Args, field, type Method, parse } from "./method.ts";
import { Refusal, refusalWith, type State, type View } from "./state.ts";

const opening = z.object({ trigger_id: field.needed, view: field.object });
const updating = z.object({ view_id: field.needed, hash: field.text, view: field.object });
const publishing = z.object({ user_id: field.needed, hash: field.text, view: field.object });

/** Characters of a modal's parts, bytes of the whole view, blocks of any view. */
const TITLE = 24;
const PRIVATE_METADATA = 3_000;
const CALLBACK_ID = 255;
const VIEW_BYTES = 250_000;
const VIEW_BLOCKS = 100;

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null;

/** What Slack would refuse in a view, one line a problem. */
export function viewProblems(view: JsonObject, kind: "modal" | "home"): string[] {
  const problems: string[] = [];
  const blocks = Array.isArray(view.blocks) ? (view.blocks as JsonObject[]) : undefined;
  if (view.type !== kind) problems.push(`must be ${kind} [json-pointer:/view/type]`);
  if (blocks === undefined) problems.push("missing required field: blocks [json-pointer:/view/blocks]");
  else if (blocks.length > VIEW_BLOCKS)
    problems.push(`${blocks.length} blocks, at most ${VIEW_BLOCKS} [json-pointer:/view/blocks]`);
  if (kind === "modal") {
    if (view.title === undefined) problems.push("missing required field: title [json-pointer:/view/title]");
    for (const part of ["title", "submit", "close"]) {
      const text = view[part];
      if (text === undefined) continue;
      if (!isObject(text) || text.type !== "plain_text" || typeof text.text !== "string" || text.text === "")
        problems.push(`must be plain_text [json-pointer:/view/${part}]`);
      else if (text.text.length > TITLE)
        problems.push(`must be no more than ${TITLE} characters [json-pointer:/view/${part}/text]`);
    }
    if (blocks?.some((block) => block.type === "input") && view.submit === undefined)
      problems.push("submit is required when there is an input [json-pointer:/view/submit]");
  }
  if (String(view.private_metadata ?? "").length > PRIVATE_METADATA)
    problems.push(
      `must be no more than ${PRIVATE_METADATA} characters [json-pointer:/view/private_metadata]`,
    );
  if (String(view.callback_id ?? "").length > CALLBACK_ID)
    problems.push(`must be no more than ${CALLBACK_ID} characters [json-pointer:/view/callback_id]`);
  // A view may hold twice what a message may, and alerts, which messages may not.
  for (let start = 0; start < (blocks?.length ?? 0); start += 50)
    problems.push(
      ...contentProblems({
        blocks: blocks!.slice(start, start + 50).filter((block) => block.type !== "alert"),
        attachments: [],
      }),
    );
  return problems;
}

function checkedView(view: JsonObject | undefined, kind: "modal" | "home"): JsonObject {
  if (view === undefined) throw refusalWith("invalid_arguments", ["[ERROR] missing required field: view"]);
  if (JSON.stringify(view).length > VIEW_BYTES) throw new Refusal("view_too_large");
  const problems = viewProblems(view, kind);
  if (problems.length > 0)
    throw refusalWith(
      "invalid_arguments",
      problems.map((problem) => `[ERROR] ${problem}`),
    );
  return view;
}

/** A trigger opens one view, within about three seconds of the person's act. */
export function useTrigger(state: State, id: string): Readonly<{ user: string }> {
  const trigger = state.triggers.get(id);
  if (trigger === undefined) throw new Refusal("invalid_trigger_id");
  if (trigger.used) throw new Refusal("exchanged_trigger_id");
  if (state.clock.now() > trigger.expiresAt) throw new Refusal("expired_trigger_id");
  state.triggers.set(id, { ...trigger, used: true });
  return trigger;
}

const hashOf = (state: State, view: JsonObject): string =>
  `${Math.floor(state.clock.now() / 1_000)}.${createHash("sha256").update(JSON.stringify(view)).digest("hex").slice(0, 8)}`;

export const wireView = (state: State, view: View): JsonObject => ({
  private_metadata: "",
  callback_id: "",
  ...view.view,
  id: view.id,
  hash: view.hash,
  team_id: state.spec.team.id,
  app_id: state.spec.app.id,
  bot_id: state.spec.app.botId,
  root_view_id: view.id,
  previous_view_id: null,
  state: { values: {} },
});

function open(args: Args, state: State): JsonObject {
  const asked = parse(opening, args);
  const view = checkedView(asked.view, "modal");
  const { user } = useTrigger(state, asked.trigger_id);
  const kept: View = { id: state.newId("V"), hash: hashOf(state, view), user, view, open: true };
  state.views.set(kept.id, kept);
  return { view: wireView(state, kept) };
}

function update(args: Args, state: State): JsonObject {
  const asked = parse(updating, args);
  const known = state.views.get(asked.view_id);
  if (known === undefined || !known.open) throw new Refusal("not_found");
  if (asked.hash !== undefined && asked.hash !== known.hash) throw new Refusal("hash_conflict");
  const view = checkedView(asked.view, "modal");
  const kept: View = { ...known, hash: hashOf(state, view), view };
  state.views.set(kept.id, kept);
  return { view: wireView(state, kept) };
}

function publish(args: Args, state: State): JsonObject {
  const asked = parse(publishing, args);
  if (!state.users.has(asked.user_id)) throw new Refusal("user_not_found");
  const known = state.homes.get(asked.user_id);
  if (asked.hash !== undefined && known !== undefined && asked.hash !== known.hash)
    throw new Refusal("hash_conflict");
  const view = checkedView(asked.view, "home");
  const kept: View = {
    id: known?.id ?? state.newId("V"),
    hash: hashOf(state, view),
    user: asked.user_id,
    view,
    open: true,
  };
  state.homes.set(asked.user_id, kept);
  return { view: wireView(state, kept) };
}

export const viewMethods: Readonly<Record<string, Method>> = {
  "views.open": { tier: 4, token: "bot", scopes: [], answer: open },
  "views.update": { tier: 4, token: "bot", scopes: [], answer: update },
  "views.publish": { tier: 4, token: "bot", scopes: [], answer: publish },
};
