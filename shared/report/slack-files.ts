/** A file that goes with a message: the whole of what the message shows the first lines of. */
export type SlackFile = Readonly<{ filename: string; title: string; content: string | Uint8Array }>;

const slug = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60);

/** Hands out file names that are unique within one message: `dns-drift.txt`, `dns-drift-2.txt`. */
export function fileNames(): (title: string, extension: string) => string {
  const taken = new Set<string>();
  return (title, extension) => {
    const stem = slug(title) || "more";
    let name = `${stem}.${extension}`;
    for (let n = 2; taken.has(name); n++) name = `${stem}-${n}.${extension}`;
    taken.add(name);
    return name;
  };
}
