import type { ResourceKind } from "../../kubernetes/kinds.ts";
import { type GitContent, type GitObject, tracked } from "../git-ops.ts";
import type { SiteFault } from "./faults.ts";
import { object } from "./stored-object.ts";

const revision = "4f2c8d7b1a9e3560c2d84f7719be06a5d3c1f8e2";

type Choice = Readonly<{ kinds: readonly ResourceKind[]; name?: string; namespace?: string }>;

/** The objects of these kinds come from git, followed by what is added to the site. */
const managed =
  (kind: GitContent["kind"], choice: Required<Choice>, spec: unknown, status: unknown): SiteFault =>
  (site) => {
    const chosen = (each: GitObject) => choice.kinds.includes(each.kind);
    const content: GitContent = {
      kind,
      namespace: choice.namespace,
      name: choice.name,
      revision,
      objects: site.objects.filter(chosen),
    };
    return {
      ...site,
      objects: [
        ...site.objects.map((each) =>
          chosen(each)
            ? {
                ...each,
                object: {
                  ...each.object,
                  metadata: { ...each.object.metadata, ...tracked(content, each).metadata },
                },
              }
            : each,
        ),
        object("namespaces", { name: choice.namespace }, { status: { phase: "Active" } }),
        object(kind, { name: choice.name, namespace: choice.namespace }, { spec, status }),
      ].filter(
        (each, i, all) =>
          all.findIndex(
            (other) =>
              other.kind === each.kind &&
              other.object.metadata.name === each.object.metadata.name &&
              other.object.metadata.namespace === each.object.metadata.namespace,
          ) === i,
      ),
      gitOps: [...(site.gitOps ?? []), content],
    };
  };

/** An Argo CD Application that syncs by itself, and heals unless told otherwise. */
export const managedByArgo = (
  choice: Choice & Readonly<{ automated?: Readonly<{ selfHeal?: boolean; prune?: boolean }> | null }>,
): SiteFault => {
  const { kinds, name = "metallb-config", namespace = "argocd" } = choice;
  const automated = choice.automated === undefined ? { selfHeal: true, prune: true } : choice.automated;
  return managed(
    "applications",
    { kinds, name, namespace },
    {
      project: "default",
      source: {
        repoURL: "https://git.goldentooth.net/goldentooth/gitops.git",
        path: name,
        targetRevision: "main",
      },
      destination: { server: "https://kubernetes.default.svc", namespace: "metallb" },
      syncPolicy: automated === null ? {} : { automated },
    },
    { sync: { status: "Synced", revision }, health: { status: "Healthy" } },
  );
};

/** A Flux Kustomization with its interval. */
export const managedByFlux = (
  choice: Choice & Readonly<{ interval?: string; prune?: boolean }>,
): SiteFault => {
  const {
    kinds,
    name = "metallb-config",
    namespace = "flux-system",
    interval = "10m",
    prune = true,
  } = choice;
  return managed(
    "kustomizations",
    { kinds, name, namespace },
    {
      interval,
      prune,
      path: `./${name}`,
      sourceRef: { kind: "GitRepository", name: "gitops" },
    },
    { lastAppliedRevision: `main@sha1:${revision}` },
  );
};
