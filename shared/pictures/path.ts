import type { Diagnosis } from "../incidents/diagnosis.ts";
import type { Link } from "../incidents/link.ts";
import { plain } from "../text.ts";
import { box, ink, label, type Mark, margin, mark, stroke, svgOf, width, wrapped } from "./draw.ts";
import type { Picture } from "./picture.ts";

const markOf: Readonly<Record<Link["outcome"], Mark>> = {
  passed: "passed",
  failed: "failed",
  skipped: "skipped",
  unknown: "unknown",
};
const wordOf: Readonly<Record<Link["outcome"], string>> = {
  passed: "holds",
  failed: "broken",
  skipped: "not asked",
  unknown: "could not look",
};

const axis = margin + 18;
const textAt = axis + 38;
const room = width - textAt - margin;
const size = { head: 32, title: 26, because: 24 } as const;
const line = { head: 40, title: 34, because: 32 } as const;
const gap = 22;

type Row = Readonly<{ parts: (y: number) => string; height: number; bad: boolean }>;

const mostLines = 4;

/** What is left out is marked as such; the words beside the picture have all of it. */
const shortened = (lines: readonly string[]): readonly string[] =>
  lines.length <= mostLines
    ? lines
    : [...lines.slice(0, mostLines - 1), `${lines[mostLines - 1]?.slice(0, -1)}…`];

/** Only what is broken or could not be seen says why; what holds needs no more than its claim. */
function rowOf(link: Link): Row {
  const loud = link.outcome === "failed" || link.outcome === "unknown";
  const title = wrapped(link.title, size.title, room, loud);
  const because = loud ? shortened(wrapped(plain(link.because), size.because, room)) : [];
  const height = title.length * line.title + because.length * line.because + gap;
  const fill = link.outcome === "failed" ? ink.bad : link.outcome === "unknown" ? ink.open : ink.text;
  return {
    height,
    bad: link.outcome === "failed",
    parts: (y) =>
      [
        mark(markOf[link.outcome], axis, y + 16),
        ...title.map((words, i) =>
          label(words, textAt, y + 26 + i * line.title, {
            size: size.title,
            fill: link.outcome === "skipped" ? ink.quiet : fill,
            bold: loud,
          }),
        ),
        ...because.map((words, i) =>
          label(words, textAt, y + 24 + title.length * line.title + i * line.because, { size: size.because }),
        ),
      ].join(""),
  };
}

/** The chain in words: what is broken first, then each link as it was found. */
function altOf(diagnosis: Diagnosis, verdict: string): string {
  const count = (outcome: Link["outcome"]): number =>
    diagnosis.links.filter((link) => link.outcome === outcome).length;
  const told = diagnosis.links
    .map(({ title, outcome, because }) =>
      outcome === "passed" || outcome === "skipped"
        ? `${title}: ${wordOf[outcome]}`
        : `${title}: ${wordOf[outcome]}, ${plain(because)}`,
    )
    .join(". ");
  const numbers = (Object.keys(wordOf) as Link["outcome"][])
    .filter((outcome) => count(outcome) > 0)
    .map((outcome) => `${count(outcome)} ${wordOf[outcome]}`)
    .join(", ");
  return `Path of ${diagnosis.title}: ${verdict}. ${numbers}. ${told}.`;
}

/** From the name down to the pods, each link with what it came to; the broken one is where the line is cut. */
export function pathPicture(diagnosis: Diagnosis, verdict: string, cluster: string): Picture {
  const head = [
    ...wrapped(diagnosis.title, size.head, width - 2 * margin, true).map((words) => ({ words, bold: true })),
    ...wrapped(verdict, size.because, width - 2 * margin).map((words) => ({ words, bold: false })),
  ];
  const parts: string[] = [];
  let y = margin + 30;
  for (const { words, bold } of head) {
    parts.push(label(words, margin, y, { size: bold ? size.head : size.because, bold }));
    y += bold ? line.head : line.because;
  }
  y += 8;
  const rows = diagnosis.links.map(rowOf);
  rows.forEach((row, i) => {
    const last = i === rows.length - 1;
    if (row.bad)
      parts.push(
        box(margin - 12, y - 10, width - 2 * margin + 24, row.height - 4, ink.badGround, { radius: 10 }),
      );
    if (!last)
      parts.push(
        stroke(`M${axis} ${y + 40}V${y + row.height - 6}`, row.bad ? ink.bad : ink.line, 3, {
          dashed: row.bad,
        }),
      );
    parts.push(row.parts(y));
    y += row.height;
  });
  // A picture that is passed on alone still says where and when.
  const seen = `${cluster}, seen ${new Date(diagnosis.endedAt).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  for (const words of wrapped(seen, size.because, width - 2 * margin)) {
    parts.push(label(words, margin, y + line.because, { size: size.because, fill: ink.quiet }));
    y += line.because;
  }
  return {
    title: `${cluster}: path of ${diagnosis.title}`,
    alt: `${altOf(diagnosis, verdict)} ${seen}.`,
    svg: svgOf(y + margin, parts),
  };
}
