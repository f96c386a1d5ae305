import { createHash } from "node:crypto";

/** A file of the repository and its whole new text; `null` removes it. Paths are relative, with forward slashes. */
export type FileChange = Readonly<{
  path: string;
  text: string | null;
  /** {@link digestOf} the text it replaces; `null` where there was no file. A file that says anything else is left alone. */
  replaces: string | null;
}>;

export type Commit = Readonly<{ id: string; branch: string; subject: string }>;

/**
 * A configured clone that GitOps reads from. Throws FaultError when git cannot be run, the tree is dirty, or a path
 * leaves it.
 */
export type WorkingTree = Readonly<{
  name: string;
  /** Text of a file on the branch, undefined when it is not there. */
  read: (branch: string, path: string) => Promise<string | undefined>;
  list: (branch: string) => Promise<readonly string[]>;
  /** The commit with this trailer (`Arpeggio-Deed: …`) on the branch, so that a repeated act finds what it did before. */
  find: (branch: string, trailer: string) => Promise<Commit | undefined>;
  /**
   * Commits the changes on the branch, made from its base when it is new. Throws FaultError, and commits nothing, where a
   * file says neither what a change replaces nor what it brings about.
   */
  commit: (
    branch: string,
    message: Readonly<{ subject: string; body: string; trailer: string }>,
    changes: readonly FileChange[],
  ) => Promise<Commit>;
}>;

/** SHA-256 of a file's text, hexadecimal; `null` of no file. */
export const digestOf = (text: string | null | undefined): string | null =>
  text === null || text === undefined ? null : createHash("sha256").update(text).digest("hex");

/** A file of one text becoming another; `null` is no file. */
export const replacing = (path: string, from: string | null, to: string | null): FileChange => ({
  path,
  text: to,
  replaces: digestOf(from),
});

/** Whether a file says what the change brings about, what it replaces, or something that somebody else wrote. */
export function fileState(change: FileChange, now: string | undefined): "after" | "before" | "other" {
  if (now === (change.text ?? undefined)) return "after";
  return digestOf(now) === change.replaces ? "before" : "other";
}

/** Files to be changed that say neither what the changes bring about nor what they replace: by their paths. */
export async function filesOfOthers(
  tree: Pick<WorkingTree, "read">,
  branch: string,
  changes: readonly FileChange[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const change of changes)
    if (fileState(change, await tree.read(branch, change.path)) === "other") found.push(change.path);
  return found;
}
