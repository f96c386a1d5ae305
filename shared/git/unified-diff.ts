/** Lines around a change, as `diff -u` shows them. */
const context = 3;
const noNewline = "\\ No newline at end of file";

const linesOf = (text: string | null): readonly string[] => {
  if (text === null || text === "") return [];
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : [...lines.slice(0, -1), `${lines.at(-1)}\n${noNewline}`];
};

const range = (start: number, count: number): string => `${count === 0 ? start : start + 1},${count}`;

/**
 * One file's change for `git apply` or `patch -p1`: a single hunk from the first line that differs to the last. `null`
 * is no file. Empty when nothing differs.
 */
export function unifiedDiff(path: string, before: string | null, after: string | null): string {
  if (before === after) return "";
  const [a, b] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail++;
  const from = Math.max(0, head - context);
  const kept = Math.max(0, tail - context);
  const old = a.slice(from, a.length - kept);
  const fresh = b.slice(from, b.length - kept);
  const lead = head - from;
  const trail = tail - kept;
  const middle = (lines: readonly string[]) => lines.slice(lead, lines.length - trail);
  return [
    `diff --git a/${path} b/${path}`,
    ...(before === null ? ["new file mode 100644"] : after === null ? ["deleted file mode 100644"] : []),
    `--- ${before === null ? "/dev/null" : `a/${path}`}`,
    `+++ ${after === null ? "/dev/null" : `b/${path}`}`,
    `@@ -${range(from, old.length)} +${range(from, fresh.length)} @@`,
    ...old.slice(0, lead).map((line) => ` ${line}`),
    ...middle(old).map((line) => `-${line}`),
    ...middle(fresh).map((line) => `+${line}`),
    ...old.slice(old.length - trail, old.length).map((line) => ` ${line}`),
    "",
  ].join("\n");
}
