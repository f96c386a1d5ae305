import type { Json } from "#shared/json.ts";
import type { Delivery, Payload } from "./delivery.ts";
import { type Element, elementsOf, isObject, objectsIn } from "./elements.ts";
import { type JsonObject, type Message, wireMessage } from "./message.ts";
import {
  type Act,
  knownChannel,
  knownUser,
  newTrigger,
  type Reach,
  type Sending,
  send,
  slackSays,
} from "./people.ts";
import { newResponseUrl } from "./response-url.ts";
import { isEmptyAck } from "./socket-mode.ts";
import type { UserSpec } from "./spec.ts";
import { addViolation, repliesTo, type State } from "./state.ts";
import { viewProblems, wireView } from "./views.ts";

export type Click = Sending &
  Readonly<{
    user: string;
    /** As the person sees it; an old value is a client that has not caught up. */
    message: Message;
    /** Which of its elements: by action id, by label, or by place (0 is the first). */
    actionId?: string;
    label?: string;
    index?: number;
    /** Value of the option, when the element is a menu. */
    option?: string;
  }>;

export type Shortcut = Sending & Readonly<{ user: string; message: Message; callbackId: string }>;

/** State values by block id, then action id, as Slack sends them: `{type: "plain_text_input", value: "prod"}`. */
export type ViewValues = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
export type Submit = Sending & Readonly<{ user: string; viewId: string; values?: ViewValues }>;

const common = (state: State, user: UserSpec, triggerId: string): JsonObject => ({
  token: "deprecated-verification-token",
  api_app_id: state.spec.app.id,
  team: { id: user.team ?? state.spec.team.id, domain: state.spec.team.domain },
  enterprise: null,
  is_enterprise_install: false,
  user: {
    id: user.id,
    username: user.name,
    name: user.name,
    team_id: user.team ?? state.spec.team.id,
  },
  trigger_id: triggerId,
});

function chosen(click: Click): Element {
  const all = elementsOf([
    ...click.message.blocks,
    ...click.message.attachments.flatMap((a) => objectsIn(a.blocks)),
  ]);
  const found =
    click.actionId !== undefined
      ? all.find((element) => element.actionId === click.actionId)
      : click.label !== undefined
        ? all.find((element) => element.label === click.label)
        : all[click.index ?? 0];
  if (found === undefined)
    throw new Error(
      `nothing to click for ${JSON.stringify({ actionId: click.actionId, label: click.label, index: click.index })}; the message offers ${
        all.map((element) => `${element.actionId} "${element.label}"`).join(", ") || "nothing"
      }`,
    );
  return found;
}

function actionOf(
  { element, blockId, actionId }: Element,
  option: string | undefined,
  ts: string,
): JsonObject {
  const base = { type: element.type, action_id: actionId, block_id: blockId, action_ts: ts };
  if (element.type === "button")
    return {
      ...base,
      text: element.text,
      ...(element.value === undefined ? {} : { value: element.value }),
      ...(element.style === undefined ? {} : { style: element.style }),
    };
  const options = objectsIn(element.options);
  const picked = options.find((candidate) => candidate.value === option);
  if (picked === undefined)
    throw new Error(
      `no option ${option ?? "(none given)"}; there are ${options.map((o) => String(o.value)).join(", ")}`,
    );
  return { ...base, selected_option: picked };
}

/** Delivers, once or twice, and shows the person Slack's warning when the app did not take it. */
async function deliver(
  state: State,
  reach: Reach,
  payload: Payload,
  about: Sending & Readonly<{ user: string; channel: string; what: string }>,
): Promise<Pick<Act, "deliveries" | "shown">> {
  const deliveries: Delivery[] = [];
  const shown: Message[] = [];
  for (let i = 0; i < (about.duplicate ? 2 : 1); i += 1) {
    const delivery = await send(state, reach, payload, about);
    deliveries.push(delivery);
    if (delivery.outcome !== "acked") {
      const error = delivery.outcome === "timed-out" ? "operation_timeout" : "dispatch_failed";
      addViolation(state, {
        where: "ack",
        channel: about.channel,
        error,
        reasons: [
          `${about.what}: ${delivery.outcome} after ${Math.round(delivery.ms)} ms, status ${delivery.status}`,
        ],
      });
      shown.push(
        slackSays(state, about.user, about.channel, `${about.what} failed with the error "${error}"`),
      );
    } else if (payload.body.type !== "view_submission" && !isEmptyAck(delivery.ack))
      addViolation(state, {
        where: "ack",
        channel: about.channel,
        error: "ack_body_ignored",
        reasons: [`${about.what}: Slack shows nobody ${JSON.stringify(delivery.ack).slice(0, 200)}`],
      });
  }
  return { deliveries, shown };
}

const responseUrl = (reach: Reach, id: string): string => `${reach.base()}/response/${id}`;

/** Presses a button or picks from a menu of a message. */
export async function actClick(state: State, reach: Reach, click: Click): Promise<Act> {
  const user = knownUser(state, click.user);
  const channel = knownChannel(state, click.message.channel);
  const element = chosen(click);
  const { message } = click;
  const onlyForOne = message.onlyFor !== undefined;
  const triggerId = newTrigger(state, user.id);
  const url = responseUrl(
    reach,
    newResponseUrl(state, {
      user: user.id,
      channel: channel.id,
      original: message,
      ...(message.threadTs === undefined ? {} : { threadTs: message.threadTs }),
    }),
  );
  const payload: Payload = {
    kind: "interactive",
    body: {
      type: "block_actions",
      ...common(state, user, triggerId),
      container: {
        type: "message",
        message_ts: message.ts,
        channel_id: channel.id,
        is_ephemeral: onlyForOne,
        ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
      },
      channel: { id: channel.id, name: channel.isPrivate ? "privategroup" : channel.name },
      ...(onlyForOne
        ? {}
        : { message: { ...wireMessage(message, repliesTo(state, message)), app_id: state.spec.app.id } }),
      state: { values: {} },
      response_url: url,
      actions: [actionOf(element, click.option, state.newTs())],
    },
  };
  const came = await deliver(state, reach, payload, {
    ...click,
    channel: channel.id,
    what: `the button "${element.label}"`,
  });
  return { payload, triggerId, responseUrl: url, ...came };
}

/** Uses a message shortcut. Slack offers none on messages that one person alone sees. */
export async function actShortcut(state: State, reach: Reach, used: Shortcut): Promise<Act> {
  const user = knownUser(state, used.user);
  const channel = knownChannel(state, used.message.channel);
  if (used.message.onlyFor !== undefined) throw new Error("Slack offers no shortcuts on ephemeral messages");
  const triggerId = newTrigger(state, user.id);
  const { threadTs } = used.message;
  const url = responseUrl(
    reach,
    newResponseUrl(state, {
      user: user.id,
      channel: channel.id,
      ...(threadTs === undefined ? {} : { threadTs }),
    }),
  );
  const payload: Payload = {
    kind: "interactive",
    body: {
      type: "message_action",
      ...common(state, user, triggerId),
      callback_id: used.callbackId,
      action_ts: state.newTs(),
      message_ts: used.message.ts,
      channel: { id: channel.id, name: channel.isPrivate ? "privategroup" : channel.name },
      message: wireMessage(used.message, repliesTo(state, used.message)),
      response_url: url,
    },
  };
  const came = await deliver(state, reach, payload, {
    ...used,
    channel: channel.id,
    what: `the shortcut ${used.callbackId}`,
  });
  return { payload, triggerId, responseUrl: url, ...came };
}

/** Sends a modal off. The acknowledgement may close it, show errors in it or replace it. */
export async function actSubmit(state: State, reach: Reach, submit: Submit): Promise<Act> {
  const user = knownUser(state, submit.user);
  const view = state.views.get(submit.viewId);
  if (view === undefined || !view.open) throw new Error(`no open view ${submit.viewId}`);
  if (view.user !== user.id) throw new Error(`view ${view.id} is open for ${view.user}, not for ${user.id}`);
  const triggerId = newTrigger(state, user.id);
  const payload: Payload = {
    kind: "interactive",
    body: {
      type: "view_submission",
      ...common(state, user, triggerId),
      view: { ...wireView(state, view), state: { values: submit.values ?? {} } },
      response_urls: [],
    },
  };
  const { deliveries, shown } = await deliver(state, reach, payload, {
    ...submit,
    channel: "",
    what: `the form ${view.id}`,
  });
  for (const delivery of deliveries)
    if (delivery.outcome === "acked") takeViewAck(state, submit.viewId, delivery.ack);
  return { payload, triggerId, responseUrl: "", deliveries, shown };
}

function takeViewAck(state: State, id: string, ack: Json | undefined): void {
  const view = state.views.get(id)!;
  const said = isObject(ack) ? ack : {};
  if (said.response_action === "errors" && isObject(said.errors)) return;
  if ((said.response_action === "update" || said.response_action === "push") && isObject(said.view)) {
    const problems = viewProblems(said.view, "modal");
    if (problems.length > 0) addViolation(state, { where: "ack", error: "invalid_view", reasons: problems });
    else state.views.set(id, { ...view, view: said.view, hash: `${view.hash}.1` });
    return;
  }
  if (!isEmptyAck(ack) && said.response_action !== "clear")
    addViolation(state, {
      where: "ack",
      error: "invalid_view",
      reasons: [JSON.stringify(ack).slice(0, 200)],
    });
  state.views.set(id, { ...view, open: false });
}
