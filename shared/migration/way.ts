import type { Finding } from "../finding.ts";
import type { Deed } from "../steps/deed.ts";
import type { Diff, StepContext } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { finding } from "./define-step.ts";
import { managerOf, managerText, putsBack } from "./managers.ts";
import { fileChanges, type Manifest, manifestsOf, secretFinding, secretsIn } from "./manifests.ts";
import type { MetalLbView } from "./metallb-view.ts";
import { diffsOf, type ObjectChange, titleOf } from "./objects.ts";

/** How the changes of a step come about: by writes, by a commit where GitOps would undo a write, or not at all. */
export type Way = Readonly<{
  deeds: readonly Deed[];
  /** The way back, last change first. */
  undo: readonly Deed[];
  diffs: readonly Diff[];
  /** Why some of them cannot be done. */
  findings: readonly Finding[];
  /** Trees that get a commit: their sync has to be awaited. */
  trees: readonly Readonly<{ tree: string; branch: string }>[];
}>;

/** The neighbour whose manager a new object gets: what it stands beside. */
type NewBeside = Readonly<{ kind: ObjectChange["kind"]; object: NonNullable<ObjectChange["before"]> }>;

async function manifestIn(
  context: StepContext,
  kind: ObjectChange["kind"],
  object: NonNullable<ObjectChange["before"]>,
): Promise<readonly Readonly<{ manifest: Manifest; branch: string }>[]> {
  const found: { manifest: Manifest; branch: string }[] = [];
  for (const { name, branch, base } of context.ports.config.migration?.repositories ?? []) {
    const tree = context.ports.trees.get(name);
    if (tree === undefined) continue;
    // A branch that is not there yet is made from its base.
    const on = (await tree.list(branch)).length > 0 ? branch : base;
    for (const manifest of await manifestsOf(tree, on, kind, object)) found.push({ manifest, branch });
  }
  return found;
}

/**
 * Decides for every change whether it is written or committed. What somebody puts back without being asked is never
 * written directly: it is committed where its manifest is in a configured repository, and refused otherwise.
 */
export async function wayOf(
  context: StepContext,
  view: Pick<MetalLbView, "gitOps">,
  changes: readonly ObjectChange[],
  beside?: NewBeside,
  /** What the commits are about, as their subjects begin. */
  about = "metallb",
): Promise<Way> {
  const findings: Finding[] = [];
  const direct: ObjectChange[] = [];
  const commits = new Map<
    string,
    { tree: string; branch: string; edits: { change: ObjectChange; manifest: Manifest }[] }
  >();
  for (const change of changes) {
    const kind = change.before === null ? (beside?.kind ?? change.kind) : change.kind;
    const object = change.before ?? beside?.object;
    const manager = object === undefined ? ({ by: "nobody" } as const) : managerOf(kind, object, view.gitOps);
    const back = putsBack(manager);
    if (object === undefined || back === false) {
      direct.push(change);
      continue;
    }
    const found = await manifestIn(context, kind, object);
    const [only, second] = found;
    if (only !== undefined && second === undefined) {
      const key = `${only.manifest.tree} ${only.branch}`;
      const commit = commits.get(key) ?? { tree: only.manifest.tree, branch: only.branch, edits: [] };
      commit.edits.push({ change, manifest: only.manifest });
      commits.set(key, commit);
      continue;
    }
    const title = titleOf(kind, object);
    // A new object is put back by nobody: it is only missing in Git, which `persist` tells.
    if (change.before === null) {
      direct.push(change);
      continue;
    }
    findings.push(
      finding(
        back === "unknown" ? "manager-unknown" : "managed-and-synced",
        back === "unknown" ? "unknown" : "warning",
        { kind: "config", name: title },
        second !== undefined
          ? text`${managerText(manager)} manages ${title}, and ${found.length} manifests of it are in the configured repositories: which one counts is not clear`
          : text`${managerText(manager)} puts ${title} back: a direct write would be undone, and no plain manifest of it is in a configured repository`,
        {
          facts: { manager: managerText(manager), manifests: found.map(({ manifest }) => manifest.path) },
          remedy: text`Name the clone under ${code("migration.repositories")}, or run step ${code(about === "metallb" ? "pause-sync" : "pause-dns-sync")} first`,
        },
      ),
    );
  }
  const gitDeeds: Deed[] = [];
  const gitUndo: Deed[] = [];
  for (const { tree, branch, edits } of commits.values()) {
    const working = context.ports.trees.get(tree);
    if (working === undefined) continue;
    const base =
      context.ports.config.migration?.repositories.find(({ name }) => name === tree)?.base ?? branch;
    const on = (await working.list(branch)).length > 0 ? branch : base;
    const edited = edits.flatMap(({ change, manifest }) => (change.before === null ? [] : [manifest]));
    const before = secretsIn(edited);
    const refused = (secrets: ReadonlyMap<string, string>) =>
      findings.push(...[...secrets].map(([path, what]) => secretFinding(tree, path, what)));
    if (before.size > 0) {
      refused(before);
      continue;
    }
    const { changes: files, back } = await fileChanges(working, on, edits);
    const secrets = secretsIn([...back, ...files]);
    if (secrets.size > 0) {
      refused(secrets);
      continue;
    }
    const titles = edits.map(({ change }) => change.deed.title);
    const id = `commit-${tree}`;
    gitDeeds.push({
      id,
      title: `commit to ${tree} ${branch}: ${titles.join(", ")}`,
      kind: "git",
      tree,
      branch,
      subject: `${about}: ${titles[0] ?? "change"}${titles.length > 1 ? ` and ${titles.length - 1} more` : ""}`,
      body: `${titles.map((title) => `- ${title}`).join("\n")}\n`,
      changes: files,
    });
    gitUndo.push({
      id: `undo-${id}`,
      title: `commit to ${tree} ${branch}: put ${back.length === 1 ? "one file" : `${back.length} files`} back`,
      kind: "git",
      tree,
      branch,
      subject: `${about}: take back: ${titles[0] ?? "change"}${titles.length > 1 ? ` and ${titles.length - 1} more` : ""}`,
      body: "",
      changes: back,
    });
  }
  return {
    deeds: [...gitDeeds, ...direct.map(({ deed }) => deed)],
    undo: [...direct.map(({ undo }) => undo).reverse(), ...gitUndo],
    diffs: diffsOf(changes),
    findings,
    trees: [...commits.values()].map(({ tree, branch }) => ({ tree, branch })),
  };
}

/** How often to look whether GitOps has brought a commit about. */
export const syncPollMs = 30_000;

/** Commits have to reach the cluster: what a person may have to do for it. */
export const syncInstructions = (way: Way): readonly ReturnType<typeof text>[] =>
  way.trees.map(
    ({ tree, branch }) =>
      text`Merge ${code(branch)} of ${tree} into what GitOps follows, unless it follows that branch; the run waits for the sync`,
  );
