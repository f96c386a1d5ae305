import * as z from "zod";
import { isFault } from "../fault.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject, Listed } from "../kubernetes/read.ts";

/**
 * Who else writes an object. `automated` says whether that somebody puts it back without being asked; "unknown" where
 * the evidence names a manager that cannot be looked at.
 */
export type Manager =
  | Readonly<{ by: "nobody" }>
  | Readonly<{ by: "helm"; name: string; automated: false }>
  | Readonly<{
      by: "argo-cd";
      name: string;
      /** `namespace/name` of the Application, where it is in this cluster. */
      found: string | undefined;
      automated: boolean | "unknown";
      selfHeal: boolean;
      source: string;
    }>
  | Readonly<{
      by: "flux";
      kind: "Kustomization" | "HelmRelease";
      name: string;
      found: string | undefined;
      automated: boolean | "unknown";
      /** Seconds between two reconciliations; undefined when it is not known. */
      intervalSeconds: number | undefined;
      source: string;
    }>;

/** The lists that tell: a kind the server does not know is a cluster without that program. */
export type GitOpsLists = Readonly<{ applications: Listed; kustomizations: Listed; helmreleases: Listed }>;

const source = z.looseObject({
  repoURL: z.string().nullish(),
  path: z.string().nullish(),
  chart: z.string().nullish(),
});
const application = z.looseObject({
  spec: z
    .looseObject({
      source: source.nullish(),
      sources: z.array(source).nullish(),
      syncPolicy: z
        .looseObject({
          automated: z
            .looseObject({ enabled: z.boolean().nullish(), selfHeal: z.boolean().nullish() })
            .nullish(),
        })
        .nullish(),
    })
    .nullish(),
  status: z
    .looseObject({
      resources: z
        .array(
          z.looseObject({
            group: z.string().nullish(),
            kind: z.string(),
            namespace: z.string().nullish(),
            name: z.string(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});
const flux = z.looseObject({
  spec: z
    .looseObject({
      suspend: z.boolean().nullish(),
      interval: z.string().nullish(),
      path: z.string().nullish(),
      sourceRef: z.looseObject({ kind: z.string().nullish(), name: z.string().nullish() }).nullish(),
      chart: z
        .looseObject({
          spec: z.looseObject({ chart: z.string().nullish(), version: z.string().nullish() }).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

const objects = (listed: Listed): readonly KubeObject[] => (isFault(listed) ? [] : listed);
const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ""}/${metadata.name}`;

/** `1m30s` in seconds. */
export function seconds(interval: string | null | undefined): number | undefined {
  if (interval === undefined || interval === null || !/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(interval))
    return undefined;
  const unit: Readonly<Record<string, number>> = { h: 3_600, m: 60, s: 1, ms: 0.001 };
  return [...interval.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)].reduce(
    (sum, [, amount, name]) => sum + Number(amount) * (unit[name as string] as number),
    0,
  );
}

const listsIt = (app: KubeObject, kind: ResourceKind, object: KubeObject): boolean =>
  (application.safeParse(app).data?.status?.resources ?? []).some(
    (each) =>
      (each.group ?? "") === resourceKinds[kind].group &&
      each.kind === resourceKinds[kind].kind &&
      (each.namespace ?? undefined) === object.metadata.namespace &&
      each.name === object.metadata.name,
  );

function argo(name: string, app: KubeObject | undefined): Manager {
  const read = app === undefined ? undefined : application.safeParse(app).data;
  const automated = read?.spec?.syncPolicy?.automated;
  const sources = [read?.spec?.source, ...(read?.spec?.sources ?? [])].flatMap((each) =>
    each ? [`${each.repoURL ?? ""} ${each.path ?? each.chart ?? ""}`.trim()] : [],
  );
  return {
    by: "argo-cd",
    name,
    found: app === undefined ? undefined : keyOf(app),
    // `enabled: false` under `automated` came with Argo CD 3.1 and switches it off without forgetting the rest.
    automated: read === undefined ? "unknown" : Boolean(automated) && automated?.enabled !== false,
    selfHeal: automated?.selfHeal === true,
    source: sources.join(", "),
  };
}

function fluxManager(
  kind: "Kustomization" | "HelmRelease",
  name: string,
  owner: KubeObject | undefined,
): Manager {
  const spec = owner === undefined ? undefined : flux.safeParse(owner).data?.spec;
  return {
    by: "flux",
    kind,
    name,
    found: owner === undefined ? undefined : keyOf(owner),
    automated: owner === undefined ? "unknown" : spec?.suspend !== true,
    intervalSeconds: seconds(spec?.interval),
    source:
      kind === "Kustomization"
        ? `${spec?.sourceRef?.kind ?? ""} ${spec?.sourceRef?.name ?? ""} ${spec?.path ?? ""}`.trim()
        : `chart ${spec?.chart?.spec?.chart ?? ""} ${spec?.chart?.spec?.version ?? ""}`.trim(),
  };
}

const wroteIt = (object: KubeObject, manager: RegExp): boolean => {
  const fields = object.metadata.managedFields;
  return (
    Array.isArray(fields) && fields.some((each: { manager?: unknown }) => manager.test(String(each.manager)))
  );
};

/**
 * Who manages an object, from the marks that Flux (labels), Argo CD (tracking id, the Application's own list, and its
 * label only with an Application of that name, since charts set the same label) and Helm (annotations) leave, and last
 * from the writers that the API server remembers.
 */
export function managerOf(kind: ResourceKind, object: KubeObject, lists: GitOpsLists): Manager {
  const { labels = {}, annotations = {} } = object.metadata;
  for (const [prefix, name, list] of [
    ["helm.toolkit.fluxcd.io", "HelmRelease", lists.helmreleases],
    ["kustomize.toolkit.fluxcd.io", "Kustomization", lists.kustomizations],
  ] as const) {
    const owner = labels[`${prefix}/name`];
    if (owner === undefined) continue;
    const key = `${labels[`${prefix}/namespace`] ?? ""}/${owner}`;
    return fluxManager(
      name,
      key,
      objects(list).find((each) => keyOf(each) === key),
    );
  }
  const apps = objects(lists.applications);
  const tracked = annotations["argocd.argoproj.io/tracking-id"]?.split(":")[0];
  if (tracked !== undefined) {
    // `namespace_name` where Applications may live in any namespace.
    const named = apps.find(
      ({ metadata }) =>
        metadata.name === tracked || `${metadata.namespace ?? ""}_${metadata.name}` === tracked,
    );
    return argo(tracked, named);
  }
  const listing = apps.find((app) => listsIt(app, kind, object));
  if (listing !== undefined) return argo(listing.metadata.name, listing);
  const release = annotations["meta.helm.sh/release-name"];
  const instance = labels["app.kubernetes.io/instance"];
  const labelled =
    release === undefined ? apps.find(({ metadata }) => metadata.name === instance) : undefined;
  if (labelled !== undefined) return argo(labelled.metadata.name, labelled);
  if (release !== undefined)
    return {
      by: "helm",
      name: `${annotations["meta.helm.sh/release-namespace"] ?? ""}/${release}`,
      automated: false,
    };
  if (wroteIt(object, /^argocd-(controller|application-controller)$/)) return argo("unknown", undefined);
  if (wroteIt(object, /^kustomize-controller$/)) return fluxManager("Kustomization", "unknown", undefined);
  if (wroteIt(object, /^helm-controller$/)) return fluxManager("HelmRelease", "unknown", undefined);
  return { by: "nobody" };
}

/** Whether somebody puts it back without being asked. */
export const putsBack = (manager: Manager): boolean | "unknown" =>
  manager.by === "nobody" ? false : manager.automated;

/** `Argo CD metallb, auto-sync` as a table shows it. */
export function managerText(manager: Manager): string {
  if (manager.by === "nobody") return "nobody";
  if (manager.by === "helm") return `Helm ${manager.name}`;
  const sync =
    manager.automated === "unknown" ? "auto-sync unknown" : manager.automated ? "auto-sync" : "no auto-sync";
  if (manager.by === "argo-cd")
    return `Argo CD ${manager.name}, ${sync}${manager.automated === true && manager.selfHeal ? " and self-heal" : ""}`;
  return `Flux ${manager.kind} ${manager.name}, ${manager.automated === false ? "suspended" : sync}`;
}
