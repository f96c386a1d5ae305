import { parseAllDocuments, stringify } from "yaml";
import type { Finding } from "../finding.ts";
import { unifiedDiff } from "../git/unified-diff.ts";
import type { Json } from "../json.ts";
import { holds } from "../kubernetes/holds.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { saysNoMore } from "../metallb/filled-in.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { managerText } from "../migration/managers.ts";
import { fileChanges, holdsPassword, type Manifest, manifestsOf } from "../migration/manifests.ts";
import { type MetalLbView, viewMetalLb } from "../migration/metallb-view.ts";
import { asJson, creation, deletion, patching, shown } from "../migration/objects.ts";
import { text } from "../text.ts";
import { fromSnapshot } from "./snapshot.ts";
import { noDeeds, type StepContext } from "./step.ts";
import { surveyed } from "./survey.ts";

type Written = Readonly<{ kind: ResourceKind; object: KubeObject; title: string }>;

/** Objects of the snapshot that are gone: Git must not have them either. */
function gone(context: StepContext, view: MetalLbView): readonly string[] {
  const noted = context.run.notes.snapshot as
    | { objects?: Readonly<Record<string, unknown>> }
    | null
    | undefined;
  const now = new Set(surveyed(view).map(({ title }) => title));
  return Object.keys(noted?.objects ?? {}).filter((title) => !now.has(title));
}

const kindOf: Readonly<Record<string, ResourceKind>> = {
  IPAddressPool: "ipaddresspools",
  L2Advertisement: "l2advertisements",
  BGPAdvertisement: "bgpadvertisements",
  BGPPeer: "bgppeers",
  BFDProfile: "bfdprofiles",
  Community: "communities",
};

const kept = (view: MetalLbView): readonly Written[] =>
  surveyed(view).map(({ kind, object, title }) => ({ kind, object, title }));

const specOf = (object: unknown): unknown => (object as { spec?: unknown } | null)?.spec ?? {};

/** Whether the manifest says what the cluster has, where the API server's own additions are no difference. */
const saysTheSame = (kind: ResourceKind, manifest: unknown, object: unknown): boolean =>
  holds(specOf(object), specOf(manifest)) && saysNoMore(kind, specOf(object), specOf(manifest));

/** Whoever wrote the object is no matter of Git's. */
function forGit(object: KubeObject): KubeObject {
  const { annotations = {}, ...metadata } = object.metadata;
  const own = Object.entries(annotations).filter(([key]) => !key.startsWith("arpeggio.dev/"));
  return {
    ...object,
    metadata: { ...metadata, ...(own.length > 0 && { annotations: Object.fromEntries(own) }) },
  } as KubeObject;
}

type Row = Readonly<{
  title: string;
  git: string;
  cluster: string;
  differs: boolean;
  tree: string;
  kind: ResourceKind;
  object: KubeObject;
  /** Where Git has it. */
  manifest?: Manifest;
}>;

type Found = Readonly<{ tree: string; manifest: Manifest }>;

/** Manifests of an object in each configured repository that has one. Throws FaultError. */
async function found(
  context: StepContext,
  kind: ResourceKind,
  object: KubeObject,
): Promise<readonly Found[]> {
  const all: Found[] = [];
  for (const { name, base } of context.ports.config.migration?.repositories ?? []) {
    const tree = context.ports.trees.get(name);
    const [manifest] = tree === undefined ? [] : await manifestsOf(tree, base, kind, object);
    if (manifest !== undefined) all.push({ tree: name, manifest });
  }
  return all;
}

/** Git beside the cluster, object by object, as far as plain manifests are in the configured repositories. */
async function compared(context: StepContext, view: MetalLbView): Promise<readonly Row[]> {
  const rows: (Omit<Row, "tree"> & Readonly<{ tree?: string }>)[] = [];
  const clones = (context.ports.config.migration?.repositories ?? []).filter(({ name }) =>
    context.ports.trees.has(name),
  );
  if (clones.length === 0) return [];
  for (const { kind, object, title } of kept(view)) {
    const all = await found(context, kind, object);
    if (all.length === 0)
      rows.push({ title, git: "no manifest", cluster: "there", differs: true, kind, object });
    for (const { tree, manifest } of all) {
      const inGit = parseAllDocuments(manifest.text)[manifest.index]?.toJS() as unknown;
      rows.push({
        title,
        git: `${tree} ${manifest.path}`,
        cluster: "there",
        differs: !saysTheSame(kind, inGit, shown(kind, object)),
        tree,
        kind,
        object,
        manifest,
      });
    }
  }
  for (const title of gone(context, view)) {
    const kind = kindOf[title.split(" ")[0] ?? ""];
    const old = fromSnapshot(context.run.notes, title);
    if (kind === undefined || old === undefined) continue;
    const object = old as unknown as KubeObject;
    for (const { tree, manifest } of await found(context, kind, object))
      rows.push({
        title,
        git: `${tree} ${manifest.path}`,
        cluster: "deleted",
        differs: true,
        tree,
        kind,
        object,
        manifest,
      });
  }
  // What is in no repository belongs beside what is.
  const home = rows.find(({ tree }) => tree !== undefined)?.tree ?? clones[0]?.name ?? "";
  return rows.map((row) => ({ ...row, tree: row.tree ?? home }));
}

/** What Git's manifest has to be told so that it says what the cluster has; what the server filled in stays out of it. */
function specPatch(kind: ResourceKind, manifest: unknown, object: KubeObject): Json {
  const [git, cluster] = [specOf(manifest), specOf(asJson(shown(kind, object)))] as readonly Record<
    string,
    Json
  >[];
  const wanted = Object.fromEntries(
    Object.entries(cluster ?? {}).filter(
      ([key, value]) => key in (git ?? {}) || !saysNoMore(kind, { [key]: value }, {}),
    ),
  );
  const gone = Object.keys(git ?? {}).filter((key) => !(key in (cluster ?? {})));
  return { spec: { ...wanted, ...Object.fromEntries(gone.map((key) => [key, null])) } };
}

/** The change of each repository that makes it say what the cluster has, for `git apply`. Throws FaultError. */
async function patches(
  context: StepContext,
  rows: readonly Row[],
): Promise<readonly Readonly<{ tree: string; text: string }>[]> {
  const found: Readonly<{ tree: string; text: string }>[] = [];
  for (const { name, base } of context.ports.config.migration?.repositories ?? []) {
    const tree = context.ports.trees.get(name);
    const own = rows.filter((row) => row.tree === name);
    // A new file goes beside one that is there; where there is none, nobody knows where it belongs.
    const neighbour = own.find(({ manifest }) => manifest !== undefined)?.manifest;
    if (tree === undefined || neighbour === undefined) continue;
    const edits = own
      .filter(({ differs }) => differs)
      .map(({ kind, object, manifest, cluster }) => {
        if (manifest === undefined) return { change: creation(kind, forGit(object)), manifest: neighbour };
        const document = parseAllDocuments(manifest.text)[manifest.index]?.toJS() as unknown;
        return {
          change:
            cluster === "deleted"
              ? deletion(kind, object)
              : patching(kind, object, specPatch(kind, document, object), "say what the cluster has"),
          manifest,
        };
      });
    const { changes, back } = await fileChanges(tree, base, edits);
    const parts = changes.map(({ path, text: after }, i) => {
      const before = back[i]?.text ?? null;
      return holdsPassword(before ?? "") || holdsPassword(after ?? "")
        ? `# ${path} is left out: it holds a password\n`
        : unifiedDiff(path, before, after);
    });
    if (parts.length > 0) found.push({ tree: name, text: parts.join("") });
  }
  return found;
}

/** Every manifest as it has to be in Git, and a list of what has to go from it. */
function patchText(context: StepContext, view: MetalLbView): string {
  const removed = gone(context, view);
  return [
    `# What ${context.run.id} left behind on ${context.run.cluster}. Put these into Git,`,
    removed.length === 0 ? "# nothing has to be removed." : "# and remove from it:",
    ...removed.map((title) => `#   ${title}`),
    kept(view)
      .map(({ kind, object }) => stringify(asJson(shown(kind, forGit(object)))))
      .join("---\n"),
  ].join("\n");
}

export const persist = defineStep({
  id: "persist",
  kind: "act",
  title: "Persist",
  reversibleWhile: text`nothing is changed: it hands over files`,
  ready: async () => [],
  plan: async (context) => {
    const view = await viewMetalLb(context);
    return {
      ...noDeeds,
      deeds: [
        {
          id: "hand-over-manifests",
          title: "hand over the manifests as they have to be in Git",
          kind: "document",
          name: `${context.run.id}-manifests.yaml`,
          text: patchText(context, view),
        },
        ...(await patches(context, await compared(context, view))).map((patch) => ({
          id: `hand-over-patch-${patch.tree}`,
          title: `hand over the difference to ${patch.tree} as a patch`,
          kind: "document" as const,
          name: `${context.run.id}-${patch.tree}.patch`,
          text: patch.text,
        })),
      ],
      instructions: [
        text`Put them where this cluster's objects come from; MetalLB's chart has no values for pools or advertisements, so values alone make none`,
      ],
      prediction: [text`once Git says what these files say, no sync and no new install brings BGP back`],
      predicted: kept(view).map(({ title }) => title),
    };
  },
  verify: async (context) => {
    const view = await viewMetalLb(context);
    const rows = await compared(context, view);
    const managed = surveyed(view).filter(({ manager }) => manager.by !== "nobody");
    const findings: Finding[] = rows
      .filter(({ differs }) => differs)
      .map(({ title, git, cluster }) =>
        finding(
          cluster === "deleted" ? "git-still-has-it" : git === "no manifest" ? "not-in-git" : "git-differs",
          "warning",
          { kind: "config", name: title },
          cluster === "deleted"
            ? text`${title} is deleted, and ${git} still has it: the next sync brings it back`
            : git === "no manifest"
              ? text`${title} is in the cluster and in no configured repository`
              : text`${title} differs between the cluster and ${git}`,
        ),
      );
    const blocks =
      rows.length === 0
        ? []
        : [
            {
              kind: "table" as const,
              title: "Git and cluster",
              columns: [{ title: "object" }, { title: "Git" }, { title: "cluster" }, { title: "" }],
              rows: rows.map(({ title, git, cluster, differs }) => [
                [title],
                [git],
                [cluster],
                [differs ? "differs" : "same"],
              ]),
            },
          ];
    const notes = { compared: rows.length, differing: findings.length };
    if (findings.length > 0)
      return verified(
        "failed",
        text`${findings.length} of ${rows.length} objects differ between Git and the cluster`,
        { findings, blocks, notes },
      );
    if (rows.length > 0)
      return verified("passed", text`Git and cluster say the same of ${rows.length} objects`, {
        blocks,
        notes,
      });
    return managed.length === 0
      ? verified("passed", text`nobody manages these objects; the manifests are attached, keep them`, {
          notes,
        })
      : verified(
          "unknown",
          text`${managerText(managed[0]?.manager ?? { by: "nobody" })} manages ${managed.length} objects, and no repository is configured: what Git says cannot be seen`,
          { notes },
        );
  },
});
