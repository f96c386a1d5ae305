import { parseAllDocuments, stringify } from "yaml";
import { readDeployment } from "../dns/deployment.ts";
import { type DnsView, viewDns } from "../domain-move/dns-view.ts";
import { namedKinds } from "../domain-move/hostnames.ts";
import type { Finding } from "../finding.ts";
import { type ResourceKind, resourceKinds } from "../kubernetes/kinds.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { managerOf } from "../migration/managers.ts";
import { manifestsOf } from "../migration/manifests.ts";
import { titleOf } from "../migration/objects.ts";
import { text } from "../text.ts";
import { noDeeds, type StepContext } from "./step.ts";

type Held = Readonly<{ kind: ResourceKind; object: KubeObject; title: string; managed: boolean }>;

const hostnameKey = /\/(internal-)?hostname$/;

/** What of an object says which names it asks for. */
function namesOf(kind: ResourceKind, object: KubeObject): object {
  const annotations = Object.fromEntries(
    Object.entries(object.metadata.annotations ?? {})
      .filter(([key]) => hostnameKey.test(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const spec = (object.spec ?? {}) as Readonly<Record<string, unknown>>;
  const field = { ingresses: "rules", httproutes: "hostnames", dnsendpoints: "endpoints" }[kind as string];
  return { annotations, ...(field === undefined ? {} : { [field]: spec[field] ?? null }) };
}

/** What of a Deployment says which domains its ExternalDNS looks at. */
function filtersOf(object: unknown): object {
  const read = readDeployment(JSON.stringify({ ...(object as object), kind: "Deployment" }));
  if (!read.ok) return { problems: read.problems };
  return Object.fromEntries(
    ["domain-filter", "exclude-domains", "zone-id-filter"].map((flag) => [
      flag,
      [...(read.flags.get(flag) ?? [])].sort(),
    ]),
  );
}

const said = (kind: ResourceKind, object: KubeObject): object =>
  kind === "deployments" ? filtersOf(object) : namesOf(kind, object);

/** What a domain move touches: whoever asks for a name of the new domain, and those who publish it. */
const held = (view: DnsView): readonly Held[] =>
  [
    ...view.publishers.map(({ object }) => ({ kind: "deployments" as const, object })),
    ...namedKinds.flatMap((kind) =>
      view.lists[kind]
        .filter((object) => JSON.stringify(namesOf(kind, object)).includes(view.move.to))
        .map((object) => ({ kind, object })),
    ),
  ].map(({ kind, object }) => ({
    kind,
    object,
    title: titleOf(kind, object),
    managed: managerOf(kind, object, view.gitOps).by !== "nobody",
  }));

type Row = Readonly<{ title: string; git: string; differs: boolean; missing: boolean }>;

async function compared(context: StepContext, objects: readonly Held[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { name, base } of context.ports.config.migration?.repositories ?? []) {
    const tree = context.ports.trees.get(name);
    if (tree === undefined) continue;
    for (const { kind, object, title, managed } of objects) {
      const [first] = await manifestsOf(tree, base, kind, object);
      if (first === undefined) {
        if (managed) rows.push({ title, git: "no manifest", differs: true, missing: true });
        continue;
      }
      const inGit = parseAllDocuments(first.text)[first.index]?.toJS() as KubeObject;
      rows.push({
        title,
        git: `${name} ${first.path}`,
        differs: JSON.stringify(said(kind, inGit)) !== JSON.stringify(said(kind, object)),
        missing: false,
      });
    }
  }
  return rows;
}

const part = ({ kind, object }: Held): object => {
  const { group, version, kind: word } = resourceKinds[kind];
  const { name, namespace } = object.metadata;
  const { annotations, ...spec } = said(kind, object) as Readonly<Record<string, unknown>>;
  return {
    apiVersion: group === "" ? version : `${group}/${version}`,
    kind: word,
    metadata: { name, namespace, ...(annotations === undefined ? {} : { annotations }) },
    ...(kind === "deployments" ? { flags: spec } : Object.keys(spec).length === 0 ? {} : { spec }),
  };
};

const fileText = (context: StepContext, objects: readonly Held[]): string =>
  [
    `# What names and filters are on ${context.run.cluster} after ${context.run.id}. Put these parts into Git.`,
    "# The flags of a Deployment are its arguments, or domainFilters of the chart's values.",
    objects.map((each) => stringify(part(each))).join("---\n"),
  ].join("\n");

export const persistDns = defineStep({
  id: "persist-dns",
  kind: "act",
  title: "Persist names and filters",
  reversibleWhile: text`nothing is changed: it hands over a file`,
  ready: async () => [],
  plan: async (context) => {
    const objects = held(await viewDns(context));
    return {
      ...noDeeds,
      deeds: [
        {
          id: "hand-over-names",
          title: "hand over names and filters as they have to be in Git",
          kind: "document",
          name: `${context.run.id}-names.yaml`,
          text: fileText(context, objects),
        },
      ],
      instructions: [
        text`Put them where these objects come from, so that no sync or new install brings the old names back`,
      ],
      prediction: [text`Git and cluster ask for the same names`],
      predicted: objects.map(({ title }) => title),
    };
  },
  verify: async (context) => {
    const view = await viewDns(context);
    const objects = held(view);
    const rows = await compared(context, objects);
    const findings: Finding[] = rows
      .filter(({ differs }) => differs)
      .map(({ title, git, missing }) =>
        finding(
          missing ? "not-in-git" : "git-differs",
          "warning",
          { kind: "config", name: title },
          missing
            ? text`${title} is managed, and in no configured repository`
            : text`${title} asks for other names in ${git} than in the cluster: the next sync changes it back`,
        ),
      );
    const notes = { compared: rows.length, differing: findings.length };
    const blocks =
      rows.length === 0
        ? []
        : [
            {
              kind: "table" as const,
              title: "Git and cluster",
              columns: [{ title: "object" }, { title: "Git" }, { title: "" }],
              rows: rows.map(({ title, git, differs }) => [[title], [git], [differs ? "differs" : "same"]]),
            },
          ];
    if (findings.length > 0)
      return verified(
        "failed",
        text`${findings.length} of ${rows.length} objects differ between Git and the cluster`,
        {
          findings,
          notes,
          blocks,
        },
      );
    if (rows.length > 0)
      return verified("passed", text`Git and cluster say the same of ${rows.length} objects`, {
        notes,
        blocks,
      });
    return objects.some(({ managed }) => managed)
      ? verified(
          "unknown",
          text`somebody manages these objects and no repository is configured: whether Git says the same is not known. The file is attached`,
          { notes },
        )
      : verified("passed", text`nobody manages these objects; names and filters are attached, keep them`, {
          notes,
        });
  },
});
