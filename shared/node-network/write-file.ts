import type { Lines } from "../checks/fix.ts";

/** Lines that write a file, one quoted word for each line of it: pasted with an indentation they still do the same. */
export const writeFile = (path: string, lines: Lines): Lines => [
  "printf '%s\\n' \\",
  ...lines.map((line, i) => `  '${line}' ${i === lines.length - 1 ? "|" : "\\"}`),
  `  sudo tee ${path}`,
];
