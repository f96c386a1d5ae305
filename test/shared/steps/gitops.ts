import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { addObject, patchObject, type SiteFault } from "#shared/twin/sites/faults.ts";

/** An Application of Argo CD that tracks one object by its annotation. */
export const argoTracks =
  (kind: ResourceKind, name: string, automated: object | undefined, app = "metallb"): SiteFault =>
  (spec) =>
    addObject(
      "applications",
      { name: app, namespace: "argocd" },
      {
        spec: {
          source: { repoURL: "https://git.example/cluster.git", path: "metallb" },
          syncPolicy: automated === undefined ? {} : { automated },
        },
      },
    )(
      patchObject(kind, name, {
        metadata: {
          annotations: { "argocd.argoproj.io/tracking-id": `${app}:metallb.io/X:metallb/${name}` },
        },
      })(spec),
    );

export const fluxApplies =
  (kind: ResourceKind, name: string, suspend: boolean): SiteFault =>
  (spec) =>
    addObject(
      "kustomizations",
      { name: "infra", namespace: "flux-system" },
      {
        spec: {
          suspend,
          interval: "10m",
          path: "./infra",
          sourceRef: { kind: "GitRepository", name: "cluster" },
        },
      },
    )(
      patchObject(kind, name, {
        metadata: {
          labels: {
            "kustomize.toolkit.fluxcd.io/name": "infra",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
          },
        },
      })(spec),
    );

export const helmInstalled = (kind: ResourceKind, name: string): SiteFault =>
  patchObject(kind, name, {
    metadata: {
      labels: { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "metallb-config" },
      annotations: {
        "meta.helm.sh/release-name": "metallb-config",
        "meta.helm.sh/release-namespace": "metallb",
      },
    },
  });
