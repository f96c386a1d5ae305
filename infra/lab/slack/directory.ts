import * as z from "zod";
import type { JsonObject } from "./message.ts";
import { type Args, field, type Method, parse, visibleChannel } from "./method.ts";
import { findMessage, isMember, Refusal, type State, setReactions } from "./state.ts";

const group = z.object({ usergroup: field.needed });
const groups = z.object({ include_users: field.yes });
const aUser = z.object({ user: field.needed });
const reaction = z.object({ channel: field.needed, timestamp: field.needed, name: field.needed });

const listGroups = (args: Args, state: State): JsonObject => {
  const asked = parse(groups, args);
  return {
    usergroups: [...state.groups.values()].map((known) => ({
      id: known.id,
      team_id: state.spec.team.id,
      is_usergroup: true,
      name: known.handle,
      handle: known.handle,
      date_delete: 0,
      user_count: known.members.length,
      ...(asked.include_users ? { users: known.members } : {}),
    })),
  };
};

/** By id alone: a handle can be renamed, and Slack does not take one here. */
function listGroupUsers(args: Args, state: State): JsonObject {
  const known = state.groups.get(parse(group, args).usergroup);
  if (known === undefined) throw new Refusal("no_such_subteam");
  return { users: known.members };
}

function userInfo(args: Args, state: State): JsonObject {
  const user = state.users.get(parse(aUser, args).user);
  if (user === undefined) throw new Refusal("user_not_found");
  return {
    user: {
      id: user.id,
      team_id: user.team ?? state.spec.team.id,
      name: user.name,
      real_name: user.realName,
      deleted: false,
      is_bot: user.isBot ?? false,
      is_restricted: user.isRestricted ?? false,
      is_ultra_restricted: false,
      is_stranger: user.isStranger ?? false,
      is_app_user: false,
      tz: "Etc/UTC",
      tz_offset: 0,
      profile: { real_name: user.realName, display_name: user.name },
    },
  };
}

function react(args: Args, state: State): JsonObject {
  const asked = parse(reaction, args);
  const channel = visibleChannel(state, asked.channel);
  const { botUserId } = state.spec.app;
  if (channel.isArchived) throw new Refusal("is_archived");
  if (!isMember(channel, botUserId)) throw new Refusal("not_in_channel");
  const message = findMessage(state, channel.id, asked.timestamp);
  if (message === undefined) throw new Refusal("message_not_found");
  if (!/^[a-z0-9_+'-]+(::skin-tone-[2-6])?$/.test(asked.name)) throw new Refusal("invalid_name");
  const users = message.reactions.find((known) => known.name === asked.name)?.users ?? [];
  if (users.includes(botUserId)) throw new Refusal("already_reacted");
  setReactions(state, message, [
    ...message.reactions.filter((known) => known.name !== asked.name),
    { name: asked.name, users: [...users, botUserId] },
  ]);
  return {};
}

export const directoryMethods: Readonly<Record<string, Method>> = {
  "usergroups.list": { tier: 2, token: "bot", scopes: ["usergroups:read"], answer: listGroups },
  "usergroups.users.list": { tier: 2, token: "bot", scopes: ["usergroups:read"], answer: listGroupUsers },
  "users.info": { tier: 4, token: "bot", scopes: ["users:read"], answer: userInfo },
  "reactions.add": { tier: 3, token: "bot", scopes: ["reactions:write"], answer: react },
};
