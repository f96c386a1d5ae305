import * as z from "zod";
import { text } from "../text.ts";
import { type Change, isIn, type Window } from "./change.ts";
import type { Collector } from "./collector.ts";
import type { Traced } from "./read-traces.ts";

const words = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

// Argo CD: pkg/apis/application/v1alpha1, Application.status.
const application = z.looseObject({
  status: z
    .looseObject({
      operationState: z
        .looseObject({
          phase: words,
          startedAt: words,
          finishedAt: words,
          operation: z
            .looseObject({
              initiatedBy: z.looseObject({ username: words, automated: z.boolean().nullish() }).nullish(),
            })
            .nullish(),
          syncResult: z.looseObject({ revision: words }).nullish(),
        })
        .nullish(),
      history: z.array(z.looseObject({ deployedAt: words, revision: words })).nullish(),
    })
    .nullish(),
});

// Flux: helm-controller api/v2, HelmRelease.status.history.
const helmRelease = z.looseObject({
  status: z
    .looseObject({
      history: z.array(z.looseObject({ lastDeployed: words, chartVersion: words, status: words })).nullish(),
    })
    .nullish(),
});

const short = (revision: string): string =>
  /^[0-9a-f]{40}$/.test(revision) ? revision.slice(0, 7) : revision || "an unnamed revision";

const parsed = (time: string): number | undefined => {
  const at = Date.parse(time);
  return Number.isNaN(at) ? undefined : at;
};

/** A sync writes its end and its deployment within the same seconds. */
const sameSyncMs = 10_000;

function argoSyncs({ object, subject }: Traced, window: Window): readonly Change[] {
  const status = application.safeParse(object).data?.status;
  const state = status?.operationState;
  const ended = state ? (parsed(state.finishedAt) ?? parsed(state.startedAt)) : undefined;
  const initiator = state?.operation?.initiatedBy;
  const by = initiator?.automated ? "Argo CD, automated" : initiator?.username || "Argo CD";
  const sync: readonly Change[] =
    state && isIn(window, ended)
      ? [
          {
            at: ended,
            subject,
            what: text`sync of ${short(state.syncResult?.revision ?? "")}: ${state.phase || "no phase"}`,
            by,
            source: "GitOps status",
          },
        ]
      : [];
  const deployments = (status?.history ?? []).flatMap(({ deployedAt, revision }): readonly Change[] => {
    const at = parsed(deployedAt);
    if (!isIn(window, at) || (ended !== undefined && Math.abs(at - ended) <= sameSyncMs)) return [];
    const what = text`deployed ${short(revision)}`;
    return [{ at, subject, what, by: "Argo CD", source: "GitOps status" }];
  });
  return [...sync, ...deployments];
}

function helmDeployments({ object, subject }: Traced, window: Window): readonly Change[] {
  return (helmRelease.safeParse(object).data?.status?.history ?? []).flatMap(
    ({ lastDeployed, chartVersion, status }): readonly Change[] => {
      const at = parsed(lastDeployed);
      if (!isIn(window, at)) return [];
      const what = text`chart ${chartVersion || "of unknown version"}: ${status || "no status"}`;
      return [{ at, subject, what, by: "Flux", source: "GitOps status" }];
    },
  );
}

/** What Argo CD and Flux keep about their own syncs. A Flux Kustomization keeps no time but its conditions'. */
export const gitOpsSyncs: Collector = {
  source: "GitOps status",
  collect: ({ traced }, window) =>
    traced.flatMap((each) =>
      each.kind === "applications"
        ? argoSyncs(each, window)
        : each.kind === "helmreleases"
          ? helmDeployments(each, window)
          : [],
    ),
};
