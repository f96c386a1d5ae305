const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** `4 s`, `3 min 4 s`, `2 h 5 min`, `61 d`: the two largest units, whole seconds. */
export function lasted(ms: number): string {
  let rest = Math.max(0, Math.floor(ms / 1_000));
  const first = units.findIndex(([, size]) => rest >= size);
  if (first < 0) return "0 s";
  return units
    .slice(first, first + 2)
    .flatMap(([word, size]) => {
      const n = Math.floor(rest / size);
      rest -= n * size;
      return n > 0 ? [`${n} ${word}`] : [];
    })
    .join(" ");
}
