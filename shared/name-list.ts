/** `a, b and c`; of more than five the first five and how many more: a line of a hundred names says nothing. */
export function nameList(names: readonly string[]): string {
  if (names.length > 5) return `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
