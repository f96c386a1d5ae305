import { type Document, parseAllDocuments } from "yaml";
import { readDeployment } from "../dns/deployment.ts";
import type { Finding } from "../finding.ts";
import { replacing } from "../git/working-tree.ts";
import { secretFlags } from "../kubernetes/secret-words.ts";
import { finding } from "../migration/define-step.ts";
import { managerText, putsBack } from "../migration/managers.ts";
import { type Manifest, manifestsOf, secretFinding, secretsIn } from "../migration/manifests.ts";
import { diffsOf, type ObjectChange, patchingByName, titleOf } from "../migration/objects.ts";
import type { Deed } from "../steps/deed.ts";
import type { Diff, StepContext } from "../steps/step.ts";
import { code, type Text, text } from "../text.ts";
import { containerPatch, editedValues, editManifest, type FlagEdit } from "./filter-change.ts";
import { containerAt, type Publisher, withFlags } from "./publishers.ts";

/** How the filters of some ExternalDNS come to be others. */
export type FilterWay = Readonly<{
  deeds: readonly Deed[];
  undo: readonly Deed[];
  diffs: readonly Diff[];
  findings: readonly Finding[];
  instructions: readonly Text[];
  /** As they will be. */
  after: readonly Publisher[];
  /** Something else than we has to act: a sync, or a person with Helm. */
  waits: boolean;
}>;

export type PublisherEdit = Readonly<{ publisher: Publisher; edits: readonly FlagEdit[] }>;

type Containers = Readonly<{
  template: {
    spec: { containers: readonly Readonly<{ command?: readonly string[]; args?: readonly string[] }>[] };
  };
}>;

type Found = Readonly<{ manifest: Manifest; branch: string; on: string }>;

async function manifestsIn(context: StepContext, publisher: Publisher): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const { name, branch, base } of context.ports.config.migration?.repositories ?? []) {
    const tree = context.ports.trees.get(name);
    if (tree === undefined) continue;
    // A branch that is not there yet is made from its base.
    const on = (await tree.list(branch)).length > 0 ? branch : base;
    for (const manifest of await manifestsOf(tree, on, "deployments", publisher.object))
      found.push({ manifest, branch, on });
  }
  return found;
}

function changeOf({ publisher, edits }: PublisherEdit): ObjectChange {
  const { object } = publisher;
  const { patch, inverse } = containerPatch(object, edits);
  const change = patchingByName("deployments", object, patch, inverse, "change the filters of");
  const id = `filter-${publisher.name.replace("/", "-")}`;
  return { ...change, deed: { ...change.deed, id }, undo: { ...change.undo, id: `undo-${id}` } };
}

/** The ExternalDNS as it will be. */
function changed({ publisher }: PublisherEdit, change: ObjectChange): Publisher {
  const read = readDeployment(JSON.stringify({ ...change.after, kind: "Deployment" }));
  return read.ok
    ? { ...withFlags(publisher, read.flags), object: change.after ?? publisher.object }
    : publisher;
}

function commitOf(found: Found, { publisher, edits }: PublisherEdit) {
  const { manifest, branch } = found;
  const read = parseAllDocuments(manifest.text);
  const documents = Array.isArray(read) ? (read as readonly Document[]) : [];
  const document = documents[manifest.index];
  if (document === undefined || !editManifest(document, edits)) return undefined;
  const after = documents.map((each) => String(each).replace(/^---\n/, "")).join("---\n");
  const words = edits.map(({ value, add }) => `${add ? "+" : "-"}${value}`).join(" ");
  const id = `commit-${publisher.name.replace("/", "-")}`;
  const common = { kind: "git", tree: manifest.tree, branch } as const;
  const deed: Deed = {
    ...common,
    id,
    title: `commit to ${manifest.tree} ${branch}: filters of ${publisher.name} ${words}`,
    subject: `external-dns: filters of ${publisher.name} ${words}`,
    body: "",
    changes: [replacing(manifest.path, manifest.text, after)],
  };
  const undo: Deed = {
    ...common,
    id: `undo-${id}`,
    title: `commit to ${manifest.tree} ${branch}: put ${manifest.path} back`,
    subject: `external-dns: take back: filters of ${publisher.name} ${words}`,
    body: "",
    changes: [replacing(manifest.path, after, manifest.text)],
  };
  return { deed, undo };
}

const wordsOf = ({ object }: Publisher): readonly string[] => {
  const { containers } = (object.spec as Containers).template.spec;
  const { command = [], args = [] } = containers[containerAt(object)] ?? {};
  return [...command, ...args];
};

/** The Helm release of a Deployment, by the marks Helm and its charts leave. */
const releaseOf = ({ object: { metadata } }: Publisher): string =>
  metadata.annotations?.["meta.helm.sh/release-name"] ??
  metadata.labels?.["app.kubernetes.io/instance"] ??
  metadata.name;

async function valuesOf(context: StepContext, { publisher, edits }: PublisherEdit) {
  const release = releaseOf(publisher);
  const file = context.ports.config.migration?.helmValues[release];
  const given = file === undefined ? undefined : await context.ports.readFile(file);
  const filters = publisher.read?.controller.domainFilter.include ?? [];
  return { release, file, made: editedValues(given, edits, filters) };
}

const byHelm = ({ manager, chart }: Publisher): boolean =>
  manager.by === "helm" || (chart !== undefined && putsBack(manager) !== false);

/**
 * Decides for each ExternalDNS: a write where nobody puts it back, a commit where its manifest is in a configured
 * repository, values for a person where a chart makes it. Anything else is refused with its reason.
 */
export async function filterWay(
  context: StepContext,
  publisherEdits: readonly PublisherEdit[],
): Promise<FilterWay> {
  const deeds: Deed[] = [];
  const undo: Deed[] = [];
  const diffs: Diff[] = [];
  const findings: Finding[] = [];
  const instructions: Text[] = [];
  const after: Publisher[] = [];
  let waits = false;
  for (const each of publisherEdits) {
    const { publisher } = each;
    const back = putsBack(publisher.manager);
    const change = changeOf(each);
    after.push(changed(each, change));
    diffs.push(...diffsOf([change]));
    if (back === false && !byHelm(publisher)) {
      const [secret] = secretFlags(wordsOf(publisher));
      if (secret !== undefined) {
        findings.push(
          finding(
            "flag-holds-secret",
            "warning",
            { kind: "config", name: titleOf("deployments", publisher.object) },
            text`${publisher.name} has the value of ${code(secret)} as plain text among its arguments, and what is written is kept in the ledger: it is not touched`,
            {
              remedy: text`Move the value to a Secret, and refer to it by a variable: ${code(`${secret}=$(NAME)`)}`,
            },
          ),
        );
        continue;
      }
      deeds.push(change.deed);
      undo.unshift(change.undo);
      continue;
    }
    const found = back === false ? [] : await manifestsIn(context, publisher);
    const [only, second] = found;
    const [secret] = only !== undefined && second === undefined ? secretsIn([only.manifest]) : [];
    if (only !== undefined && secret !== undefined) {
      findings.push(secretFinding(only.manifest.tree, ...secret));
      continue;
    }
    const commit = only !== undefined && second === undefined ? commitOf(only, each) : undefined;
    if (commit !== undefined) {
      waits = true;
      deeds.push(commit.deed);
      undo.unshift(commit.undo);
      instructions.push(
        text`Merge ${code(only?.branch ?? "")} of ${only?.manifest.tree ?? ""} into what GitOps follows, unless it follows that branch; the run waits for the sync`,
      );
      continue;
    }
    const title = titleOf("deployments", publisher.object);
    if (byHelm(publisher)) {
      const { release, file, made } = await valuesOf(context, each);
      if ("problem" in made) {
        findings.push(
          finding(
            "helm-values-unreadable",
            "warning",
            { kind: "config", name: file ?? "values" },
            text`${file ?? ""}: ${made.problem}`,
            { remedy: text`Correct the file under ${code("migration.helmValues")}` },
          ),
        );
        continue;
      }
      waits = true;
      deeds.push({
        id: `values-${publisher.name.replace("/", "-")}`,
        title: `hand over values for release ${release}`,
        kind: "document",
        name: `${release}-values.yaml`,
        text: made.text,
      });
      instructions.push(
        text`Apply the values to release ${code(release)} in ${code(publisher.object.metadata.namespace ?? "default")} beside those it has (they say only what changes: ${code("helm upgrade --reuse-values")}, or the same keys in its values${file === undefined ? "" : ` ${file}`}), with the chart that is installed${publisher.chart === undefined ? [] : ` (${publisher.chart})`}; ${managerText(publisher.manager)} manages it. The run waits until the Deployment has them. Way back: the old values`,
      );
      continue;
    }
    findings.push(
      finding(
        back === "unknown" ? "manager-unknown" : "managed-and-synced",
        back === "unknown" ? "unknown" : "warning",
        { kind: "config", name: title },
        second !== undefined
          ? text`${managerText(publisher.manager)} manages ${title}, and ${found.length} manifests of it are in the configured repositories: which one counts is not clear`
          : text`${managerText(publisher.manager)} puts ${title} back: a direct write would be undone, and no plain manifest of it is in a configured repository`,
        {
          facts: {
            manager: managerText(publisher.manager),
            manifests: found.map(({ manifest }) => manifest.path),
          },
          remedy: text`Name the clone under ${code("migration.repositories")}, or run step ${code("pause-dns-sync")} first`,
        },
      ),
    );
  }
  return { deeds, undo, diffs, findings, instructions, after, waits };
}
