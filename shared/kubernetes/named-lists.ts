import type { Json } from "../json.ts";

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const nameOf = (item: unknown): unknown => (isFields(item) ? item.name : undefined);
const isNamed = (list: unknown): list is readonly Fields[] =>
  Array.isArray(list) && list.length > 0 && list.every((item) => typeof nameOf(item) === "string");

/**
 * The JSON merge patch that does to this object what a strategic merge patch with lists by name does: items of the
 * patch go into those of the same name, the others stay, and lists without names are replaced.
 */
export function asMergePatch(patch: Json, there: unknown): Json {
  if (isNamed(patch)) {
    const old = isNamed(there) ? there : [];
    const added = patch.filter((item) => !old.some((each) => nameOf(each) === nameOf(item)));
    return [
      ...old.map((item) => {
        const wanted = patch.find((each) => nameOf(each) === nameOf(item));
        return (wanted === undefined ? item : within(wanted as Json, item)) as Json;
      }),
      ...(added as readonly Json[]),
    ];
  }
  if (!isFields(patch)) return patch;
  return Object.fromEntries(
    Object.entries(patch).map(([key, value]) => [
      key,
      asMergePatch(value as Json, isFields(there) ? there[key] : undefined),
    ]),
  );
}

/** An item of a list with what the patch says of it: a list is replaced whole, so null cannot stay in it. */
function within(wanted: Json, item: Fields): Json {
  const patched = asMergePatch(wanted, item);
  const entries = new Map(Object.entries(item));
  for (const [key, value] of Object.entries(patched as Fields))
    if (value === null) entries.delete(key);
    else entries.set(key, isFields(value) && isFields(item[key]) ? within(value as Json, item[key]) : value);
  return Object.fromEntries(entries) as Json;
}
