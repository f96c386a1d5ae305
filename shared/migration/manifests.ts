import { type Document, isMap, isSeq, parseAllDocuments, parseDocument, stringify } from "yaml";
import { FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { heldSecret } from "../git/held-secret.ts";
import { type FileChange, replacing, type WorkingTree } from "../git/working-tree.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { code, text } from "../text.ts";
import type { ObjectChange } from "./objects.ts";
import { withoutServerFields } from "./objects.ts";

/** A manifest in a working tree: the file, and which of its documents. */
export type Manifest = Readonly<{ tree: string; path: string; text: string; index: number }>;

const isYaml = (path: string): boolean => /\.ya?ml$/.test(path);

const documentsOf = (text: string): readonly Document[] => {
  const read = parseAllDocuments(text);
  return Array.isArray(read) ? (read as readonly Document[]) : [];
};

function isManifestOf(document: Document, kind: ResourceKind, { metadata }: KubeObject): boolean {
  if (document.errors.length > 0 || !isMap(document.contents)) return false;
  const { group, kind: name } = resourceKinds[kind];
  const namespace = document.getIn(["metadata", "namespace"]);
  return (
    document.get("kind") === name &&
    String(document.get("apiVersion") ?? "").startsWith(group === "" ? "v1" : `${group}/`) &&
    document.getIn(["metadata", "name"]) === metadata.name &&
    // A kustomization or the Application may set the namespace.
    (namespace === undefined || namespace === metadata.namespace)
  );
}

/** Every plain manifest of an object in the tree, on its branch. Templates of a chart are none. Throws FaultError. */
export async function manifestsOf(
  tree: WorkingTree,
  branch: string,
  kind: ResourceKind,
  object: KubeObject,
): Promise<readonly Manifest[]> {
  const found: Manifest[] = [];
  for (const path of await tree.list(branch)) {
    if (!isYaml(path)) continue;
    const text = await tree.read(branch, path);
    if (
      text === undefined ||
      !text.includes(object.metadata.name) ||
      !text.includes(resourceKinds[kind].kind)
    )
      continue;
    documentsOf(text).forEach((document, index) => {
      if (isManifestOf(document, kind, object)) found.push({ tree: tree.name, path, text, index });
    });
  }
  return found;
}

/** Whether a file holds what may be a secret: such a file goes into no deed, no ledger and no thread. */
export const holdsPassword = (text: string): boolean => heldSecret(text) !== undefined;

/** Which of the files may hold a secret, before or after: what may be one, by path. */
export function secretsIn(
  files: readonly Readonly<{ path: string; text: string | null }>[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { path, text } of files) {
    const what = text === null ? undefined : heldSecret(text);
    if (what !== undefined && !found.has(path)) found.set(path, what);
  }
  return found;
}

export const secretFinding = (tree: string, path: string, what: string): Finding => ({
  code: "git-file-has-secret",
  severity: "warning",
  subject: { kind: "config", name: `${tree} ${path}` },
  facts: { holds: what },
  text: text`${path} of ${tree} holds ${what}, and what is committed is kept in the ledger: the file is not touched`,
  remedy: text`Move that to a file of its own in Git (a BGPPeer takes ${code("passwordSecret")}), or make this change there yourself`,
});

const folderOf = (path: string): string => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");

const written = (documents: readonly Document[]): string =>
  documents.map((document) => String(document).replace(/^---\n/, "")).join("---\n");

function applyPatch(document: Document, patch: unknown, path: readonly string[]): void {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) {
    if (patch === null) document.deleteIn(path);
    else document.setIn(path, document.createNode(patch));
    return;
  }
  for (const [key, value] of Object.entries(patch)) applyPatch(document, value, [...path, key]);
}

/** Takes a file's name out of the `resources` of the kustomization beside it, or puts it in. */
function listed(text: string, name: string, present: boolean): string {
  const document = parseDocument(text);
  const resources = document.get("resources");
  if (!isSeq(resources)) return text;
  const at = resources.items.findIndex((item) => String(item) === name || String(item) === `./${name}`);
  if (present === at >= 0) return text;
  if (present) resources.add(name);
  else resources.delete(at);
  return String(document);
}

type Edit = Readonly<{ change: ObjectChange; manifest: Manifest }>;

/**
 * The files as they have to become so that GitOps brings about what the changes would have done directly. `manifest` of
 * a created object is one of its neighbours: the new file goes beside it. Throws FaultError where a file cannot be read.
 */
export async function fileChanges(
  tree: WorkingTree,
  branch: string,
  edits: readonly Edit[],
): Promise<Readonly<{ changes: readonly FileChange[]; back: readonly FileChange[] }>> {
  const before = new Map<string, string | null>();
  const after = new Map<string, string | null>();
  const read = async (path: string): Promise<string | null> => {
    if (!before.has(path)) before.set(path, (await tree.read(branch, path)) ?? null);
    return after.has(path) ? (after.get(path) ?? null) : (before.get(path) ?? null);
  };
  const register = async (path: string, present: boolean): Promise<void> => {
    const folder = folderOf(path);
    const name = path.slice(folder === "" ? 0 : folder.length + 1);
    for (const file of ["kustomization.yaml", "kustomization.yml"]) {
      const at = folder === "" ? file : `${folder}/${file}`;
      const text = await read(at);
      if (text === null) continue;
      const changed = listed(text, name, present);
      if (changed !== text) after.set(at, changed);
    }
  };
  for (const { change, manifest } of edits) {
    const { write } = change.deed;
    if (write.verb === "create") {
      const folder = folderOf(manifest.path);
      const file = `${resourceKinds[change.kind].kind.toLowerCase()}-${write.object.metadata.name}.yaml`;
      const path = folder === "" ? file : `${folder}/${file}`;
      await read(path);
      after.set(path, stringify(withoutServerFields(change.kind, write.object)));
      await register(path, true);
      continue;
    }
    const text = await read(manifest.path);
    if (text === null) continue;
    const documents = documentsOf(text);
    if (documents.some(({ errors }) => errors.length > 0))
      throw new FaultError({
        kind: "unreadable",
        what: `file ${manifest.path} of working tree ${tree.name}`,
        detail: "one of its documents is not YAML that can be read",
      });
    const index = documents.findIndex((each) => isManifestOf(each, change.kind, change.before as KubeObject));
    const document = documents[index];
    if (document === undefined) continue;
    if (write.verb === "patch") {
      applyPatch(document, write.patch, []);
      after.set(manifest.path, written(documents));
      continue;
    }
    const left = documents.filter((_, i) => i !== index);
    after.set(manifest.path, left.length === 0 ? null : written(left));
    if (left.length === 0) await register(manifest.path, false);
  }
  const changed = [...after].map(([path, to]) => [path, before.get(path) ?? null, to] as const);
  return {
    changes: changed.map(([path, from, to]) => replacing(path, from, to)),
    back: changed.map(([path, from, to]) => replacing(path, to, from)),
  };
}
