import { parseAllDocuments, stringify } from "yaml";
import type { Finding } from "../finding.ts";
import { holds } from "../kubernetes/holds.ts";
import type { ResourceKind } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { saysNoMore } from "../metallb/filled-in.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { managerText } from "../migration/managers.ts";
import { manifestsOf } from "../migration/manifests.ts";
import { type MetalLbView, viewMetalLb } from "../migration/metallb-view.ts";
import { asJson, shown } from "../migration/objects.ts";
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

type Row = Readonly<{ title: string; git: string; cluster: string; differs: boolean }>;

/** Git beside the cluster, object by object, as far as plain manifests are in the configured repositories. */
async function compared(context: StepContext, view: MetalLbView): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { name, base } of context.ports.config.migration?.repositories ?? []) {
    const tree = context.ports.trees.get(name);
    if (tree === undefined) continue;
    for (const { kind, object, title } of kept(view)) {
      const found = await manifestsOf(tree, base, kind, object);
      const [first] = found;
      const inGit = first === undefined ? undefined : parseAllDocuments(first.text)[first.index]?.toJS();
      rows.push({
        title,
        git: first === undefined ? "no manifest" : `${name} ${first.path}`,
        cluster: "there",
        differs: first === undefined || !saysTheSame(kind, inGit, shown(kind, object)),
      });
    }
    for (const title of gone(context, view)) {
      const [word = "", path = ""] = title.split(" ");
      const kind = kindOf[word];
      const old = fromSnapshot(context.run.notes, title);
      if (kind === undefined || old === undefined) continue;
      const [first] = await manifestsOf(tree, base, kind, old as unknown as KubeObject);
      if (first !== undefined)
        rows.push({
          title: `${word} ${path}`,
          git: `${name} ${first.path}`,
          cluster: "deleted",
          differs: true,
        });
    }
  }
  return rows;
}

/** Every manifest as it has to be in Git, and a list of what has to go from it. */
function patchText(context: StepContext, view: MetalLbView): string {
  const removed = gone(context, view);
  return [
    `# What ${context.run.id} left behind on ${context.run.cluster}. Put these into Git,`,
    removed.length === 0 ? "# nothing has to be removed." : "# and remove from it:",
    ...removed.map((title) => `#   ${title}`),
    kept(view)
      .map(({ kind, object }) => stringify(asJson(shown(kind, object))))
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
      ],
      instructions: [
        text`Put them where this cluster's objects come from; MetalLB's chart has no values for pools or advertisements, so values alone make none`,
      ],
      prediction: [
        text`Git and cluster say the same, so that nobody brings BGP back by a sync or a new install`,
      ],
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
