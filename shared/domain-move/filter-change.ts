import { Document, isMap, isScalar, isSeq, parseDocument } from "yaml";
import { decodeName, isWithin } from "../dns/fqdn.ts";
import type { HostedZone } from "../dns/zones.ts";
import type { Json } from "../json.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { secretFlags } from "../kubernetes/secret-words.ts";
import { type Move, movedName } from "./move.ts";
import { containerAt, looksAt, type Publisher, withFlags, zoneIdsOf, zonesSeen } from "./publishers.ts";

/** One value of one flag that is added or taken away. */
export type FlagEdit = Readonly<{ flag: "domain-filter" | "zone-id-filter"; value: string; add: boolean }>;

export type FilterChange = Readonly<{
  edits: readonly FlagEdit[];
  /** Why it cannot be changed by adding or removing a value. */
  problem?: string;
}>;

const bare = (filter: string): string => decodeName(filter.replace(/^\./, ""));

const variableOf = (flag: string): string => `EXTERNAL_DNS_${flag.toUpperCase().replaceAll("-", "_")}`;

const filterFlags = ["domain-filter", "regex-domain-filter", "exclude-domains", "regex-domain-exclusion"];

/** A variable with a filter whose value stands in a Secret or ConfigMap. */
const hiddenFilter = ({ hidden }: Publisher): string | undefined =>
  hidden.find((name) => filterFlags.some((flag) => variableOf(flag) === name));

const withEdits = (publisher: Publisher, edits: readonly FlagEdit[]): Publisher =>
  withFlags(
    publisher,
    new Map([
      ...publisher.flags,
      ...(["domain-filter", "zone-id-filter"] as const).map((flag): [string, readonly string[]] => [
        flag,
        [
          ...(publisher.flags.get(flag) ?? []),
          ...edits.filter((each) => each.flag === flag).map(({ value }) => value),
        ],
      ]),
    ]),
  );

/** The domain filters that an ExternalDNS needs beside its own to look at the new domain as it does at the old one. */
export function coverChange(publisher: Publisher, move: Move, newZone: HostedZone): FilterChange {
  const { read, flags } = publisher;
  if (read === undefined) return { edits: [], problem: "its release is not known" };
  const secret = hiddenFilter(publisher);
  if (secret !== undefined) return { edits: [], problem: `the value of ${secret} is hidden` };
  const { include, regexInclude, regexExclude } = read.controller.domainFilter;
  const edits: FlagEdit[] = [];
  const covers = looksAt(publisher, move.to) && looksAt(publisher, `arpeggio.${move.to}`);
  if (!covers) {
    if (regexInclude !== undefined || regexExclude !== undefined)
      return {
        edits: [],
        problem: "its filter is a regular expression, beside which plain filters do not count",
      };
    const wanted = include.flatMap((filter) => {
      const dot = filter.startsWith(".") ? "." : "";
      if (isWithin(bare(filter), move.from)) return [`${dot}${movedName(bare(filter), move)}`];
      return isWithin(move.from, bare(filter)) ? [move.to] : [];
    });
    // The provider works on zones that its filter matches as a whole, so a filter below the zone's name hides the zone.
    const sees = zonesSeen(
      withFlags(publisher, new Map([...publisher.flags, ["domain-filter", [...include, ...wanted]]])),
      [newZone],
    );
    const enough = include.length === 0 || sees.length > 0 ? wanted : [newZone.name];
    const missing = [...new Set(enough)].filter((filter) => !include.includes(filter));
    edits.push(...missing.map((value) => ({ flag: "domain-filter" as const, value, add: true })));
    if (include.length > 0 && wanted.length === 0)
      return { edits: [], problem: "no filter of it names the old domain" };
    const excluded = read.controller.domainFilter.exclude.find((each) => isWithin(move.to, bare(each)));
    if (excluded !== undefined)
      return { edits: [], problem: `--exclude-domains=${excluded} leaves ${move.to} out` };
  }
  const ids = zoneIdsOf(publisher);
  if (ids.length > 0 && !ids.some((id) => newZone.id.endsWith(id)))
    edits.push({ flag: "zone-id-filter", value: newZone.id, add: true });
  if (zonesSeen(withEdits(publisher, edits), [newZone]).length === 0) {
    const kind = flags.get("aws-zone-type")?.at(-1) ?? "";
    return {
      edits: [],
      problem: `it would not work on zone ${newZone.name} (${newZone.id}) then either${kind === "" ? "" : `: it has --aws-zone-type=${kind}`}`,
    };
  }
  return { edits };
}

/** The domain filters of the old domain taken away. */
export function narrowChange(publisher: Publisher, move: Move): FilterChange {
  const { read } = publisher;
  if (read === undefined) return { edits: [], problem: "its release is not known" };
  const secret = hiddenFilter(publisher);
  if (secret !== undefined) return { edits: [], problem: `the value of ${secret} is hidden` };
  const { include, regexInclude, regexExclude } = read.controller.domainFilter;
  if (regexInclude !== undefined || regexExclude !== undefined)
    return looksAt(publisher, move.from) || looksAt(publisher, `arpeggio.${move.from}`)
      ? { edits: [], problem: "its filter is a regular expression, beside which plain filters do not count" }
      : { edits: [] };
  const old = include.filter((filter) => isWithin(bare(filter), move.from));
  if (old.length > 0 && old.length === include.length)
    return { edits: [], problem: "it has no other filter: without one it would look at every zone" };
  return { edits: old.map((value) => ({ flag: "domain-filter", value, add: false })) };
}

export const inverse = (edits: readonly FlagEdit[]): readonly FlagEdit[] =>
  edits.map((edit) => ({ ...edit, add: !edit.add }));

/** `--flag=value` or `--flag value`, wherever the words have it. */
function wordsAt(words: readonly string[], { flag, value }: Pick<FlagEdit, "flag" | "value">): number[] {
  const joined = words.indexOf(`--${flag}=${value}`);
  if (joined >= 0) return [joined];
  const at = words.findIndex((word, i) => word === `--${flag}` && words[i + 1] === value);
  return at < 0 ? [] : [at, at + 1];
}

const lastOf = (words: readonly string[], flag: string): number =>
  words.findLastIndex((word) => word.startsWith(`--${flag}=`) || word === `--${flag}`);

/** The words of a command line with the edits made, beside what is there already. */
export function editedWords(words: readonly string[], edits: readonly FlagEdit[]): readonly string[] {
  return edits.reduce<readonly string[]>((now, edit) => {
    const there = wordsAt(now, edit);
    if (!edit.add) return now.filter((_, i) => !there.includes(i));
    if (there.length > 0) return now;
    const last = lastOf(now, edit.flag);
    const at = last < 0 ? now.length : last + (now[last] === `--${edit.flag}` ? 2 : 1);
    return [...now.slice(0, at), `--${edit.flag}=${edit.value}`, ...now.slice(at)];
  }, words);
}

/** A list of values with those that are added, each once, and without those that are taken away. */
function withValues(given: readonly string[], edits: readonly FlagEdit[]): readonly string[] {
  const values = new Set(given.filter((each) => each !== ""));
  for (const { value, add } of edits)
    if (add) values.add(value);
    else values.delete(value);
  return [...values];
}

type Env = Readonly<{ name: string; value?: string | undefined }>;
type Container = Readonly<{
  name?: string;
  command?: readonly string[] | undefined;
  args?: readonly string[] | undefined;
  env?: readonly Env[] | undefined;
}>;

const inWords = (container: Container, flag: string): boolean =>
  [...(container.command ?? []), ...(container.args ?? [])].some(
    (word) => word === `--${flag}` || word.startsWith(`--${flag}=`),
  );

function withFlagEdits<T extends Container>(container: T, flag: string, edits: readonly FlagEdit[]): T {
  const env = container.env?.find(({ name, value }) => name === variableOf(flag) && value !== undefined);
  if (!inWords(container, flag) && env !== undefined) {
    const value = withValues((env.value ?? "").split("\n"), edits).join("\n");
    return {
      ...container,
      env: (container.env ?? []).map((each) => (each === env ? { ...each, value } : each)),
    };
  }
  return lastOf(container.command ?? [], flag) >= 0
    ? { ...container, command: editedWords(container.command ?? [], edits) }
    : { ...container, args: editedWords(container.args ?? [], edits) };
}

/** A container with the edits where its flag stands: in `command`, `args`, or one value a line in its environment. */
export function editedContainer<T extends Container>(container: T, edits: readonly FlagEdit[]): T {
  let now = container;
  for (const flag of new Set(edits.map((edit) => edit.flag)))
    now = withFlagEdits(
      now,
      flag,
      edits.filter((edit) => edit.flag === flag),
    );
  return now;
}

type Containers = Readonly<{ template: { spec: { containers: readonly Container[] } } }>;

export type ContainerPatch = Readonly<{ patch: Json; inverse: Json }>;

/**
 * What the edits change of a Deployment, and its inverse, by names: the container's words, and variables whose values
 * they are. Its other variables may hold secrets and are no part of it.
 */
export function containerPatch(object: KubeObject, edits: readonly FlagEdit[]): ContainerPatch {
  const at = containerAt(object);
  const before = (object.spec as Containers).template.spec.containers[at] as Container;
  const after = editedContainer(before, edits);
  const changed = (after.env ?? []).filter(({ value }, i) => value !== before.env?.[i]?.value);
  const part = (of: Container): Json => {
    const env = (of.env ?? []).filter(({ name }) => changed.some((each) => each.name === name));
    return JSON.parse(
      JSON.stringify({
        name: before.name,
        ...(after.args === before.args ? {} : { args: of.args ?? [] }),
        ...(after.command === before.command ? {} : { command: of.command ?? [] }),
        ...(env.length === 0 ? {} : { env: env.map(({ name, value }) => ({ name, value })) }),
      }),
    ) as Json;
  };
  const around = (container: Json): Json => ({ spec: { template: { spec: { containers: [container] } } } });
  return { patch: around(part(after)), inverse: around(part(before)) };
}

/** Sequence nodes that say the same as before stay, with their comments. */
function replaceItems(
  document: Document,
  path: readonly (string | number)[],
  words: readonly string[],
): void {
  const there = document.getIn(path);
  if (!isSeq(there)) {
    document.setIn(path, document.createNode([...words]));
    return;
  }
  const old = [...there.items];
  there.items = words.map(
    (word) => old.find((item) => isScalar(item) && item.value === word) ?? document.createNode(word),
  );
}

/** The same edits in a manifest of the Deployment; false when its container is not in there. */
export function editManifest(document: Document, edits: readonly FlagEdit[]): boolean {
  const read = document.toJS() as KubeObject;
  const at = containerAt(read);
  const before = at < 0 ? undefined : (read.spec as Containers).template.spec.containers[at];
  if (before === undefined) return false;
  const after = editedContainer(before, edits);
  const path = ["spec", "template", "spec", "containers", at];
  if (after.args !== before.args) replaceItems(document, [...path, "args"], after.args ?? []);
  if (after.command !== before.command) replaceItems(document, [...path, "command"], after.command ?? []);
  after.env?.forEach((each, i) => {
    if (each.value !== before.env?.[i]?.value) document.setIn([...path, "env", i, "value"], each.value);
  });
  return true;
}

export type EditedValues = Readonly<{ text: string }> | Readonly<{ problem: string }>;

/**
 * Values of the external-dns chart with the edits: `domainFilters` is a list of its own, other flags are words of
 * `extraArgs` (charts/external-dns/values.yaml). Only what changes is returned.
 */
export function editedValues(
  given: string | undefined,
  edits: readonly FlagEdit[],
  filters: readonly string[],
): EditedValues {
  const document = parseDocument(given === undefined || given.trim() === "" ? "{}" : given);
  const [error] = document.errors;
  if (error !== undefined) return { problem: error.message.split("\n")[0] ?? "not YAML" };
  if (!isMap(document.contents)) return { problem: "not a mapping of values" };
  const words = (document.toJS() as { extraArgs?: unknown }).extraArgs;
  const inExtra = Array.isArray(words) && words.some((word) => String(word).startsWith("--domain-filter"));
  const extra = edits.filter(({ flag }) => flag !== "domain-filter" || inExtra);
  const edited = new Set<string>();
  if (extra.length > 0) {
    const [secret] = secretFlags(Array.isArray(words) ? words.map(String) : []);
    if (secret !== undefined) return { problem: `extraArgs holds the value of ${secret} as plain text` };
    edited.add("extraArgs");
    replaceItems(document, ["extraArgs"], editedWords(Array.isArray(words) ? words.map(String) : [], extra));
  }
  const own = edits.filter(({ flag }) => flag === "domain-filter");
  if (own.length > 0 && !inExtra) {
    edited.add("domainFilters");
    replaceItems(document, ["domainFilters"], withValues(filters, own));
  }
  // Other values may hold secrets, and what is handed over is shown and kept.
  const changed = new Document({});
  for (const key of ["extraArgs", "domainFilters"])
    if (edited.has(key)) changed.set(key, document.get(key, true));
  return { text: String(changed) };
}
