import type { Json } from "../json.ts";
import type { Reply } from "../reply.ts";
import { plain } from "../text.ts";
import { ranked } from "./wording.ts";

const sorted = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const object = value as Readonly<Record<string, Json | undefined>>;
  return Object.fromEntries(
    Object.keys(object)
      .toSorted()
      .flatMap((key) => {
        const item = object[key];
        return item === undefined ? [] : [[key, sorted(item)] as const];
      }),
  );
};

/**
 * What `--json` prints. A command with a format of its own (`reply.json`) is printed exactly so; any other reply is
 * verdict, findings, pictures that were saved and data, in this order, with the keys of facts and data sorted: equal replies, equal documents.
 */
export function renderJson(reply: Reply): Json {
  if (reply.json !== undefined) return reply.json;
  const { word, outcome, text } = reply.verdict;
  const pictures = reply.blocks.flatMap((block) =>
    block.kind === "image" && block.file !== undefined
      ? [{ title: block.title, alt: block.alt, file: block.file }]
      : [],
  );
  return {
    verdict: { word, outcome, text: plain(text) },
    ...(reply.cluster !== undefined && { cluster: reply.cluster }),
    ...(reply.why !== undefined && { why: plain(reply.why) }),
    findings: ranked(reply.findings).map((finding) => ({
      code: finding.code,
      severity: finding.severity,
      subject: { kind: finding.subject.kind, name: finding.subject.name },
      text: plain(finding.text),
      facts: sorted(finding.facts),
      ...(finding.remedy !== undefined && { remedy: plain(finding.remedy) }),
    })),
    ...(reply.next !== undefined && { next: reply.next.map(plain) }),
    ...(pictures.length > 0 && { pictures }),
    ...(reply.data !== undefined && { data: sorted(reply.data) }),
  };
}
