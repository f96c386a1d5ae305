import type { Message } from "./message.ts";
import { type NameOf, readMessage } from "./render.ts";
import { messagesOf, type State } from "./state.ts";

const escapeHtml = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");

const timeOf = (ts: string): string => `${new Date(Number(ts) * 1_000).toISOString().slice(11, 19)} UTC`;

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem}
pre{white-space:pre-wrap;margin:.2rem 0 1rem;font-size:13px}.reply{margin-left:2rem}.only{background:#f3f3f3;padding:.3rem}
small{color:#555}`;

/** Name of whatever an id stands for, as mentions show it. */
export const namesOf =
  (state: State): NameOf =>
  (id) =>
    state.users.get(id)?.name ?? state.groups.get(id)?.handle ?? state.channels.get(id)?.name;

/** Channels and messages as plain HTML, for somebody who wants to look. Read only. */
export function renderPage(state: State): string {
  const nameOf = namesOf(state);
  const one = (message: Message, kind: "" | "reply" | "only"): string =>
    `<div class="${kind}"><small>${timeOf(message.ts)} <b>${escapeHtml(nameOf(message.user) ?? message.user)}</b>${
      message.onlyFor === undefined
        ? ""
        : ` only ${escapeHtml(nameOf(message.onlyFor) ?? message.onlyFor)} sees this`
    }${message.editedTs === undefined ? "" : " (edited)"}</small><pre>${escapeHtml(readMessage(message, nameOf))}</pre></div>`;
  const channels = [...state.channels.values()].map((channel) => {
    const all = [
      ...messagesOf(state, channel.id),
      ...state.ephemerals.filter((message) => message.channel === channel.id),
    ].toSorted((a, b) => Number(a.ts) - Number(b.ts));
    const top = all.filter(
      (message) => message.threadTs === undefined || !all.some((other) => other.ts === message.threadTs),
    );
    const body = top.flatMap((message) => [
      one(message, message.onlyFor === undefined ? "" : "only"),
      ...all
        .filter((reply) => reply.threadTs === message.ts && reply !== message)
        .map((reply) => one(reply, "reply")),
    ]);
    return `<h2>#${escapeHtml(channel.name)}${channel.isArchived ? " (archived)" : ""}</h2>${body.join("")}`;
  });
  const refused = state.violations.map(
    (v) => `<li>${escapeHtml([v.where, v.channel, v.error, ...v.reasons].filter(Boolean).join(" · "))}</li>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>${escapeHtml(state.spec.team.domain)}</title><style>${STYLE}</style>
<h1>${escapeHtml(state.spec.team.domain)}</h1>${channels.join("\n")}${
    refused.length === 0 ? "" : `<h2>Refused</h2><ul>${refused.join("")}</ul>`
  }</html>`;
}
