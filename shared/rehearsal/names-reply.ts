import type { Json } from "../json.ts";
import { nameList } from "../name-list.ts";
import type { Block } from "../reply.ts";
import type { VantagePlace } from "../site/site.ts";
import { type Text, text } from "../text.ts";
import type { NamesAt, NamesFelt, Worked } from "./names-felt.ts";
import { placeNames, places, seconds } from "./places.ts";
import type { Rehearsal } from "./rehearse.ts";

/** `13 of 13`, and how many resolve where more do than open. */
const worked = ({ resolve, open }: Worked, of: number): string =>
  resolve === 0
    ? "none"
    : open === resolve
      ? `${open} of ${of}`
      : `${resolve} of ${of} resolve, ${open} open`;

/** The longest time in which a client could use neither the old name nor the new one. */
export const longestNameGap = (names: NamesFelt | undefined): number =>
  Math.max(0, ...places.map((place) => names?.at[place]?.gapMs ?? 0));

export const worstNamePlace = (names: NamesFelt | undefined): VantagePlace =>
  places.find((place) => (names?.at[place]?.gapMs ?? 0) === longestNameGap(names)) ?? "behind-router";

const gapText = ({ gapMs, lost }: NamesAt): string =>
  lost > 0 ? `${lost} for ${seconds(gapMs)} and on` : gapMs > 0 ? seconds(gapMs) : "never";

/** Of clients that see the same one row. */
function cellsOf({ at, pairs }: NamesFelt): readonly (readonly string[])[] {
  const rows: { where: string[]; cells: readonly string[] }[] = [];
  for (const place of places) {
    const felt = at[place];
    if (felt === undefined) continue;
    const cells = [worked(felt.old, pairs), worked(felt.new, pairs), gapText(felt)];
    const same = rows.find((row) => row.cells.join("|") === cells.join("|"));
    if (same === undefined) rows.push({ where: [placeNames[place]], cells });
    else same.where.push(placeNames[place]);
  }
  return rows.map(({ where, cells }) => [
    where.length === places.length ? "everywhere" : where.join(", "),
    ...cells,
  ]);
}

/** Names before the first step, and after each step that changed what clients can use of them. */
export function namesBlocks({ names, steps, afterwards }: Rehearsal): readonly Block[] {
  if (names === undefined) return [];
  let last = "";
  const rows: (readonly Text[])[] = [];
  for (const { id, felt } of [
    { id: "before", felt: names },
    ...steps.map((step) => ({ id: step.id, felt: step.names })),
    { id: "an hour later", felt: afterwards },
  ]) {
    if (felt === undefined) continue;
    const cells = cellsOf(felt);
    const now = JSON.stringify(cells);
    if (now === last) continue;
    last = now;
    rows.push(...cells.map((row): readonly Text[] => [[id], ...row.map((cell): Text => [cell])]));
  }
  const left = afterwards?.unseen ?? [];
  return [
    {
      kind: "table",
      title: "Names that clients resolve and open",
      columns: ["after", "clients", "old names", "new names", "neither works"].map((title) => ({ title })),
      rows,
    },
    ...(left.length === 0
      ? []
      : [
          {
            kind: "evidence" as const,
            title: "Left in the old zone, and no ExternalDNS looks there any more",
            lines: left,
          },
        ]),
  ];
}

/** What is left in the end that nobody will ever delete, for the verdict. */
export function leftText({ afterwards }: Rehearsal): Text | undefined {
  const left = afterwards?.unseen ?? [];
  return left.length === 0
    ? undefined
    : text`${left.length} records are left in the old zone that nobody looks after (${nameList(left)})`;
}

export const namesJson = (names: NamesFelt | undefined): Json =>
  names === undefined
    ? null
    : {
        pairs: names.pairs,
        unseen: [...names.unseen],
        at: Object.fromEntries(
          places.map((place): [string, Json] => {
            const felt = names.at[place];
            return [
              place,
              felt === undefined ? null : { ...felt, old: { ...felt.old }, new: { ...felt.new } },
            ];
          }),
        ),
      };
