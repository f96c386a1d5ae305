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

type Hosts = Readonly<{
  rules?: readonly Readonly<{ host?: string }>[];
  hostnames?: readonly string[];
  endpoints?: readonly Readonly<{ dnsName?: string; recordType?: string; targets?: readonly string[] }>[];
}>;

const sorted = (words: readonly string[]): readonly string[] =>
  words.map((word) => word.trim().toLowerCase()).toSorted();

/**
 * The names and filters alone, in one order: how Git writes them, and what the API server fills in beside them, is no
 * difference.
 */
function compares(kind: ResourceKind, object: KubeObject): string {
  if (kind === "deployments") return JSON.stringify(filtersOf(object));
  const annotations = Object.entries(object.metadata.annotations ?? {})
    .filter(([key]) => hostnameKey.test(key))
    .map(([key, value]) => `${key} ${sorted(value.split(",")).join()}`)
    .toSorted();
  const { rules, hostnames, endpoints } = (object.spec ?? {}) as Hosts;
  return JSON.stringify([
    annotations,
    kind === "ingresses" ? sorted((rules ?? []).map(({ host }) => host ?? "")) : [],
    kind === "httproutes" ? sorted(hostnames ?? []) : [],
    kind === "dnsendpoints"
      ? sorted(
          (endpoints ?? []).map(
            ({ dnsName = "", recordType = "", targets = [] }) =>
              `${dnsName} ${recordType} ${sorted(targets).join()}`,
          ),
        )
      : [],
  ]);
}

/** Each object beside every manifest of it; it is missing where no repository at all has one. */
async function compared(context: StepContext, objects: readonly Held[]): Promise<readonly Row[]> {
  const trees = (context.ports.config.migration?.repositories ?? []).flatMap(({ name, base }) => {
    const tree = context.ports.trees.get(name);
    return tree === undefined ? [] : [{ name, base, tree }];
  });
  if (trees.length === 0) return [];
  const rows: Row[] = [];
  for (const { kind, object, title, managed } of objects) {
    let isThere = false;
    for (const { name, base, tree } of trees)
      for (const { path, text: file, index } of await manifestsOf(tree, base, kind, object)) {
        isThere = true;
        const inGit = parseAllDocuments(file)[index]?.toJS() as KubeObject;
        const differs = compares(kind, inGit) !== compares(kind, object);
        rows.push({ title, git: `${name} ${path}`, differs, missing: false });
      }
    if (!isThere && managed) rows.push({ title, git: "no manifest", differs: true, missing: true });
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
      prediction: [text`once Git says what this file says, Git and cluster ask for the same names`],
      predicted: objects.map(({ title }) => title),
    };
  },
  verify: async (context) => {
    const view = await viewDns(context);
    const objects = held(view);
    const rows = await compared(context, objects);
    const differing = rows.filter(({ differs, missing }) => differs && !missing);
    const unseen = rows.filter(({ missing }) => missing);
    const findings: Finding[] = [
      ...differing.map(({ title, git }) =>
        finding(
          "git-differs",
          "warning",
          { kind: "config", name: title },
          text`${title} asks for other names in ${git} than in the cluster: the next sync changes it back`,
        ),
      ),
      ...unseen.map(({ title }) =>
        finding(
          "not-in-git",
          "unknown",
          { kind: "config", name: title },
          text`${title} is managed, and no plain manifest of it is in a configured repository (a chart may make it): what its source says cannot be seen`,
          { remedy: text`See that its source, or the values of its release, say what the file says` },
        ),
      ),
    ];
    const notes = { compared: rows.length, differing: differing.length, unseen: unseen.length };
    const blocks =
      rows.length === 0
        ? []
        : [
            {
              kind: "table" as const,
              title: "Git and cluster",
              columns: [{ title: "object" }, { title: "Git" }, { title: "" }],
              rows: rows.map(({ title, git, differs, missing }) => [
                [title],
                [git],
                [missing ? "not seen" : differs ? "differs" : "same"],
              ]),
            },
          ];
    if (differing.length > 0)
      return verified(
        "failed",
        text`${differing.length} of ${rows.length} objects differ between Git and the cluster`,
        { findings, notes, blocks },
      );
    if (unseen.length > 0)
      return verified(
        "unknown",
        text`what Git says of ${unseen.length} managed objects cannot be seen; of the other ${rows.length - unseen.length} it says the same`,
        { findings, notes, blocks },
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
