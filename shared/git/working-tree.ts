/** A file of the repository and its whole new text; `null` removes it. Paths are relative, with forward slashes. */
export type FileChange = Readonly<{ path: string; text: string | null }>;

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
  /** Commits the changes on the branch, made from its base when it is new. */
  commit: (
    branch: string,
    message: Readonly<{ subject: string; body: string; trailer: string }>,
    changes: readonly FileChange[],
  ) => Promise<Commit>;
}>;
