import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { FaultError } from "../fault.ts";
import { checkedPath } from "../git/checked-path.ts";
import { type Commit, type FileChange, fileState, type WorkingTree } from "../git/working-tree.ts";
import type { RepositoryConfig } from "../site/site.ts";
import { runGitIn } from "./run-git.ts";

type Entry = Readonly<{ mode: string; id: string; path: string }>;

const absent = "0".repeat(40);
const plainFile = "100644";
const executableFile = "100755";
const isFile = ({ mode }: Entry): boolean => mode === plainFile || mode === executableFile;

const fault = (tree: string, detail: string): FaultError =>
  new FaultError({ kind: "refused", what: `working tree ${tree}`, detail });

function textOf(tree: string, path: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FaultError({
      kind: "unreadable",
      what: `file ${path} of working tree ${tree}`,
      detail: "it is not UTF-8 text",
    });
  }
}

/**
 * A clone on this machine, read and written through git's object store with an index of our own: whatever somebody has
 * checked out or changed there stays as it is. Only a checkout of the very branch we commit to follows it, and when that
 * has changes of its own nothing is committed. Nothing is fetched and nothing is pushed.
 */
export function openWorkingTree(repository: RepositoryConfig): WorkingTree {
  const { name, base } = repository;
  const path = resolve(repository.path);
  const git = runGitIn(name, path);
  /** Commits of this process, one after the other; those of others are found out by compare-and-set. */
  let last: Promise<unknown> = Promise.resolve();

  async function checkedBranch(branch: string): Promise<string> {
    const { exitCode } = await git(["check-ref-format", `refs/heads/${branch}`], { answers: [0, 1] });
    if (exitCode === 0 && !branch.startsWith("-")) return `refs/heads/${branch}`;
    throw fault(name, `${JSON.stringify(branch)} is no name for a branch`);
  }

  async function commitOf(ref: string): Promise<string | undefined> {
    const { exitCode, stdout } = await git(["rev-parse", "--verify", "--quiet", `${ref}^{commit}`], {
      answers: [0, 1],
    });
    return exitCode === 0 ? stdout.toString().trim() : undefined;
  }

  /** Where the branch is, or where it would begin. */
  async function tipOf(branch: string): Promise<Readonly<{ ref: string; tip: string; exists: boolean }>> {
    const ref = await checkedBranch(branch);
    const own = await commitOf(ref);
    if (own !== undefined) return { ref, tip: own, exists: true };
    const start = await checkedBranch(base);
    const from = (await commitOf(start)) ?? (await commitOf(`refs/remotes/origin/${base}`));
    if (from !== undefined) return { ref, tip: from, exists: false };
    throw new FaultError({
      kind: "not-configured",
      what: `working tree ${name}`,
      detail: `there is neither a branch ${branch} nor its base ${base}`,
    });
  }

  async function entries(tip: string, paths: readonly string[]): Promise<readonly Entry[]> {
    const { stdout } = await git(["ls-tree", "-r", "-z", "--full-tree", tip, "--", ...paths]);
    return textOf(name, "list", stdout)
      .split("\0")
      .filter((line) => line !== "")
      .map((line) => {
        const [facts = "", file = ""] = line.split("\t");
        const [mode = "", , id = ""] = facts.split(" ");
        return { mode, id, path: file };
      });
  }

  const blob = async ({ id }: Entry): Promise<Buffer> => (await git(["cat-file", "blob", id])).stdout;

  /** The checkout that follows the branch, if there is one; throws when it has changes of its own. */
  async function checkoutOf(ref: string): Promise<string | undefined> {
    const { stdout } = await git(["worktree", "list", "--porcelain", "-z"]);
    const blocks = stdout.toString().split("\0\0");
    const block = blocks.find((lines) => lines.split("\0").includes(`branch ${ref}`));
    const checkout = block
      ?.split("\0")
      .find((line) => line.startsWith("worktree "))
      ?.slice("worktree ".length);
    if (checkout === undefined) return undefined;
    const status = await git(["-C", checkout, "status", "--porcelain", "--untracked-files=no"]);
    if (status.stdout.length > 0)
      throw fault(
        name,
        `${checkout} has ${ref.slice("refs/heads/".length)} checked out with changes that are not committed`,
      );
    return checkout;
  }

  async function treeWith(tip: string, changes: readonly FileChange[]): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "arpeggio-index-"));
    const env = { GIT_INDEX_FILE: join(folder, "index") };
    try {
      await git(["read-tree", tip], { env });
      const lines: string[] = [];
      for (const change of changes) {
        const { path: file, text } = change;
        const known = (await entries(tip, [file])).find((entry) => entry.path === file);
        if (known !== undefined && !isFile(known)) throw fault(name, `${file} is not a file`);
        const now = known === undefined ? undefined : textOf(name, file, await blob(known));
        if (fileState(change, now) === "other")
          throw fault(name, `${file} was changed by somebody else since it was read: nothing is committed`);
        if (text === null) lines.push(`0 ${absent}\t${file}\0`);
        else {
          const { stdout } = await git(["hash-object", "-w", "--stdin"], { input: text });
          lines.push(`${known?.mode ?? plainFile} ${stdout.toString().trim()}\t${file}\0`);
        }
      }
      await git(["update-index", "-z", "--index-info"], { env, input: lines.join("") });
      return (await git(["write-tree"], { env })).stdout.toString().trim();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The clone's own identity where it has one. */
  async function identity(): Promise<Readonly<Record<string, string>>> {
    const value = async (key: string, otherwise: string): Promise<string> => {
      const { exitCode, stdout } = await git(["config", "--get", key], { answers: [0, 1] });
      return exitCode === 0 ? stdout.toString().trim() : otherwise;
    };
    const [who, email] = [
      await value("user.name", "Arpeggio"),
      await value("user.email", "arpeggio@localhost"),
    ];
    return {
      GIT_AUTHOR_NAME: who,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: who,
      GIT_COMMITTER_EMAIL: email,
    };
  }

  const commitNow: WorkingTree["commit"] = async (branch, message, changes) => {
    for (const change of changes) checkedPath(name, change.path);
    const { ref, tip, exists } = await tipOf(branch);
    const checkout = await checkoutOf(ref);
    const tree = await treeWith(tip, changes);
    const before = (await git(["rev-parse", `${tip}^{tree}`])).stdout.toString().trim();
    if (tree === before) throw fault(name, `nothing to commit: ${branch} says the same already`);
    const { subject, body, trailer } = message;
    const text = [subject, body, trailer].filter((part) => part.trim() !== "").join("\n\n");
    const made = await git(["commit-tree", tree, "-p", tip], { input: `${text}\n`, env: await identity() });
    const id = made.stdout.toString().trim();
    // Whether the checkout can follow is asked first: after the branch has moved it would be too late.
    if (checkout !== undefined) await git(["-C", checkout, "read-tree", "-n", "-m", "-u", tip, id]);
    await git(["update-ref", "-m", `arpeggio: ${subject}`, ref, id, exists ? tip : absent]);
    if (checkout !== undefined) await git(["-C", checkout, "read-tree", "-m", "-u", tip, id]);
    return { id, branch, subject };
  };

  return {
    name,
    read: async (branch, file) => {
      checkedPath(name, file);
      const { tip } = await tipOf(branch);
      const entry = (await entries(tip, [file])).find((each) => each.path === file);
      if (entry === undefined) return undefined;
      if (!isFile(entry)) throw fault(name, `${file} is not a file`);
      return textOf(name, file, await blob(entry));
    },
    list: async (branch) => {
      const { tip } = await tipOf(branch);
      return (await entries(tip, [])).filter(isFile).map((entry) => entry.path);
    },
    find: async (branch, trailer): Promise<Commit | undefined> => {
      const ref = await checkedBranch(branch);
      if ((await commitOf(ref)) === undefined) return undefined;
      const { stdout } = await git([
        "log",
        "--fixed-strings",
        `--grep=${trailer}`,
        "--format=%H%x1f%s%x1f%B%x1e",
        ref,
        "--",
      ]);
      for (const record of stdout.toString().split("\x1e")) {
        const [id = "", subject = "", text = ""] = record.trimStart().split("\x1f");
        if (text.split("\n").includes(trailer)) return { id, branch, subject };
      }
      return undefined;
    },
    commit: (branch, message, changes) => {
      const turn = last.then(() => commitNow(branch, message, changes));
      last = turn.catch(() => {});
      return turn;
    },
  };
}
