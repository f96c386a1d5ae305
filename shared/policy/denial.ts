import type { Reply } from "../reply.ts";
import type { Text } from "../text.ts";
import { code, join, person, text } from "../text.ts";
import type { Denied } from "./roles.ts";

/** `@operator and @approver can`, `Nobody can yet`: who could do what was denied. */
function whoCan({ whoCould }: Denied): Text {
  if (whoCould.length === 0) return [];
  const refs = whoCould.slice(0, 5).map(person);
  const last = refs.at(-1);
  const named =
    refs.length === 1 || last === undefined ? refs : [...join(refs.slice(0, -1), ", "), " and ", last];
  const more = whoCould.length - refs.length;
  return more > 0 ? [...named, ` and ${more} more can`] : [...named, " can"];
}

/**
 * The answer to somebody who may not: what was asked, what it takes, who could.
 * `words` as typed, without the slash; `askIn` is a place for questions, `#platform`.
 */
export function denialReply(
  denied: Denied,
  asked: Readonly<{ words: string; cluster: string | undefined; askIn?: string }>,
): Reply {
  const who = whoCan(denied);
  const tail: Text =
    who.length > 0
      ? [" ", ...who, asked.askIn === undefined ? "." : `, or ask in ${asked.askIn}.`]
      : asked.askIn === undefined
        ? []
        : [` Ask in ${asked.askIn}.`];
  const place = asked.cluster === undefined ? "" : ` on ${asked.cluster}`;
  return {
    verdict: {
      word: "Not allowed",
      outcome: "denied",
      text: text`${code(`/${asked.words}`)}${place} ${denied.why}${tail}`,
    },
    ...(asked.cluster !== undefined && { cluster: asked.cluster }),
    findings: [],
    blocks: [],
    actions: [],
  };
}
