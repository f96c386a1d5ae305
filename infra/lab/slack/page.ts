import { drawMessage, escapeHtml, type PictureOf } from "./draw.ts";
import type { Message } from "./message.ts";
import type { NameOf } from "./render.ts";
import { messagesOf, type State } from "./state.ts";

const timeOf = (ts: string): string => `${new Date(Number(ts) * 1_000).toISOString().slice(11, 19)} UTC`;

const STYLE = `body{font:15px/1.46 system-ui,"DejaVu Sans",sans-serif;max-width:46rem;margin:1rem auto;padding:0 .8rem;color:#1d1c1d}
.message{margin:.9rem 0}.reply{margin-left:1rem;border-left:3px solid #ddd;padding-left:.7rem}.only{background:#f3f3f3;padding:.3rem}
.block{margin:.25rem 0}small,.context{color:#616061;font-size:12px}pre,code{font:12px/1.5 "DejaVu Sans Mono",monospace}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid #ddd;background:#f8f8f8;border-radius:4px;padding:.5rem;margin:.2rem 0}
code{border:1px solid #ddd;background:#f8f8f8;border-radius:3px;padding:0 .2rem;color:#c01343}.mention,.link{color:#1264a3}
.wide{overflow-x:auto}table{border-collapse:collapse}td{border:1px solid #ddd;padding:.25rem .5rem;vertical-align:top}tr:first-child td{font-weight:700}
details{border:1px solid #ddd;border-radius:8px;padding:.4rem .7rem}summary{font-weight:700;cursor:pointer}
.plan{border:1px solid #ddd;border-radius:8px;padding:.4rem .7rem}.plan ol{list-style:none;margin:.2rem 0;padding:0}.sign{display:inline-block;width:1.4rem}
.error{color:#b3123c}.complete .sign{color:#1b6b45}.details{margin-left:1.4rem;color:#616061;font-size:13px}
button{font:700 13px system-ui,sans-serif;border:1px solid #bbb;border-radius:4px;background:#fff;padding:.3rem .7rem;margin:.15rem .3rem .15rem 0}
button.primary{background:#007a5a;color:#fff;border-color:#007a5a}button.danger{background:#e01e5a;color:#fff;border-color:#e01e5a}
img{max-width:100%;border:1px solid #ddd}figure{margin:.3rem 0}.file{border:1px solid #ddd;border-radius:8px;padding:.4rem .7rem;display:inline-block}`;

/** Name of whatever an id stands for, as mentions show it. */
export const namesOf =
  (state: State): NameOf =>
  (id) =>
    state.users.get(id)?.name ?? state.groups.get(id)?.handle ?? state.channels.get(id)?.name;

/** Channels and messages as plain HTML, for somebody who wants to look. Read only. */
export function renderPage(state: State): string {
  const nameOf = namesOf(state);
  const pictureOf: PictureOf = (id) => {
    const entry = state.files.get(id);
    return entry?.name.endsWith(".png") === true ? entry.bytes : undefined;
  };
  const one = (message: Message, kind: "" | "reply" | "only"): string =>
    `<div class="message ${kind}"><small>${timeOf(message.ts)} <b>${escapeHtml(nameOf(message.user) ?? message.user)}</b>${
      message.onlyFor === undefined
        ? ""
        : ` only ${escapeHtml(nameOf(message.onlyFor) ?? message.onlyFor)} sees this`
    }${message.editedTs === undefined ? "" : " (edited)"}</small>${drawMessage(message, nameOf, pictureOf)}</div>`;
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
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5"><title>${escapeHtml(state.spec.team.domain)}</title><style>${STYLE}</style>
<h1>${escapeHtml(state.spec.team.domain)}</h1>${channels.join("\n")}${
    refused.length === 0 ? "" : `<h2>Refused</h2><ul>${refused.join("")}</ul>`
  }</html>`;
}
