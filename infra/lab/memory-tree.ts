import { FaultError } from "#shared/fault.ts";
import { type Commit, filesOfOthers, type WorkingTree } from "#shared/git/working-tree.ts";

export type MemoryTree = WorkingTree &
  Readonly<{
    /** Files of a branch by path. */
    files: (branch: string) => Readonly<Record<string, string>>;
    commits: readonly (Commit & Readonly<{ body: string; trailer: string }>)[];
  }>;

/** A working tree without git: branches start as the base is. */
export function memoryTree(name: string, base: string, start: Readonly<Record<string, string>>): MemoryTree {
  const branches = new Map<string, Record<string, string>>([[base, { ...start }]]);
  const commits: (Commit & { body: string; trailer: string })[] = [];
  const of = (branch: string): Record<string, string> => branches.get(branch) ?? branches.get(base) ?? {};
  return {
    name,
    files: of,
    commits,
    read: async (branch, path) => of(branch)[path],
    list: async (branch) => Object.keys(of(branch)).sort(),
    find: async (branch, trailer) =>
      commits.find((each) => each.branch === branch && each.trailer === trailer),
    commit: async (branch, { subject, body, trailer }, changes) => {
      const files = { ...(branches.get(branch) ?? of(base)) };
      const others = await filesOfOthers({ read: async (_, path) => files[path] }, branch, changes);
      if (others.length > 0)
        throw new FaultError({ kind: "refused", what: `working tree ${name}`, detail: others.join(", ") });
      for (const { path, text } of changes)
        if (text === null) delete files[path];
        else files[path] = text;
      branches.set(branch, files);
      const commit = { id: `c${commits.length + 1}`, branch, subject, body, trailer };
      commits.push(commit);
      return commit;
    },
  };
}
