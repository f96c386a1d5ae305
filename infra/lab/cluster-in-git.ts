import { parseAllDocuments, stringify } from "yaml";
import { digestOf, type WorkingTree } from "#shared/git/working-tree.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { type MemoryTree, memoryTree } from "./memory-tree.ts";

const metallbKinds: readonly ResourceKind[] = [
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "bfdprofiles",
];
/** What of a cluster is in Git as plain manifests, and in which file. */
const fileOf = (kind: ResourceKind, { metadata }: KubeObject): string | undefined => {
  if (kind === "deployments") return metadata.name === "external-dns" ? "external-dns.yaml" : undefined;
  if (kind === "services")
    return Object.keys(metadata.annotations ?? {}).some((key) => key.endsWith("/hostname"))
      ? `services/${metadata.namespace ?? "default"}.yaml`
      : undefined;
  // A run that finds no manifest of its advertisement hands one over as a file of its own.
  if (kind === "l2advertisements") return `l2advertisement-${metadata.name}.yaml`;
  return metallbKinds.includes(kind) ? "metallb.yaml" : undefined;
};

const kinds: readonly ResourceKind[] = [...metallbKinds, "services", "deployments"];

/** An object as somebody keeps it in Git. */
export const manifest = ({ apiVersion, kind, metadata, spec }: KubeObject): object => {
  const { name, namespace, labels, annotations } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
};

function filesOf(objects: readonly Readonly<{ kind: ResourceKind; object: KubeObject }>[]) {
  const files: Record<string, string> = {};
  for (const { kind, object } of objects) {
    const path = fileOf(kind, object);
    if (path !== undefined)
      files[path] = `${files[path] === undefined ? "" : `${files[path]}---\n`}${stringify(manifest(object))}`;
  }
  return files;
}

/** A clone with the manifests of the site, as its owner keeps them. */
export const clusterInGit = (spec: SiteSpec): MemoryTree =>
  memoryTree("cluster", "main", filesOf(spec.objects));

/** What a person does with the patches of a run: Git says afterwards what the cluster has of these kinds. */
export async function commitCluster(
  tree: Pick<WorkingTree, "list" | "read" | "commit">,
  store: ObjectStore,
  of: readonly ResourceKind[] = kinds,
): Promise<void> {
  const now = filesOf(of.flatMap((kind) => store.list(kind).items.map((object) => ({ kind, object }))));
  const before: Record<string, string | undefined> = {};
  for (const path of await tree.list("main")) before[path] = await tree.read("main", path);
  const changes = Object.entries(now)
    .filter(([path, text]) => !isSame(before[path], text))
    .map(([path, text]) => ({ path, text, replaces: digestOf(before[path]) }));
  if (changes.length > 0)
    await tree.commit(
      "main",
      { subject: "what the run left behind", body: "", trailer: "By: hand" },
      changes,
    );
}

const isSame = (a: string | undefined, b: string): boolean =>
  a !== undefined &&
  JSON.stringify(parseAllDocuments(a).map((each) => each.toJS() as unknown)) ===
    JSON.stringify(parseAllDocuments(b).map((each) => each.toJS() as unknown));
