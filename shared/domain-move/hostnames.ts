import type { WishKind } from "../dns/cluster-wishes.ts";
import { decodeName } from "../dns/fqdn.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import { resourceKinds } from "../kubernetes/kinds.ts";
import { mergePatch } from "../kubernetes/merge-patch.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { finding } from "../migration/define-step.ts";
import { type ObjectChange, patching, titleOf } from "../migration/objects.ts";
import { code, text } from "../text.ts";
import type { DnsView, SourceLists } from "./dns-view.ts";
import { isOld, type Move, movedName } from "./move.ts";
import { looksAt, type Publisher } from "./publishers.ts";

/** Kinds whose names can be moved: where ExternalDNS reads hostnames from the object itself. */
export const namedKinds = [
  "services",
  "ingresses",
  "httproutes",
  "dnsendpoints",
] as const satisfies WishKind[];
type NamedKind = (typeof namedKinds)[number];

const sourceOf: Readonly<Record<NamedKind, string>> = {
  services: "service",
  ingresses: "ingress",
  httproutes: "gateway-httproute",
  dnsendpoints: "crd",
};

/** `add`: the new names beside the old. `drop`: the old ones away, where the new one stands. */
export type Mode = "add" | "drop";

export type MovedName = Readonly<{ old: string; new: string }>;

export type HostnameChange = Readonly<{
  change: ObjectChange;
  names: readonly MovedName[];
  /** Old names that have no new one beside them: they are kept. */
  alone: readonly string[];
}>;

type Labelled = Readonly<Record<string, string>>;

/** The ExternalDNS that read this object at all: by source, namespace and selectors. */
const readersOf = (kind: NamedKind, { metadata }: KubeObject, movers: readonly Publisher[]) =>
  movers.filter(({ read }) => {
    if (read === undefined) return false;
    const { settings } = read;
    return (
      (settings.sources?.includes(sourceOf[kind]) ?? true) &&
      (settings.namespace === "" || settings.namespace === metadata.namespace) &&
      settings.labelFilter((metadata.labels ?? {}) as Labelled) &&
      settings.annotationFilter((metadata.annotations ?? {}) as Labelled)
    );
  });

type Edited<T> = Readonly<{ after: readonly T[]; names: readonly MovedName[]; alone: readonly string[] }>;

/** A list of things with names: a copy under the new name behind each old one, or the old ones out. */
function edited<T>(
  items: readonly T[],
  mode: Mode,
  { move, moves }: Readonly<{ move: Move; moves: (name: string) => boolean }>,
  nameOf: (item: T) => string | undefined,
  renamed: (item: T, name: string) => T,
): Edited<T> {
  const present = new Set(items.map((item) => decodeName((nameOf(item) ?? "").trim())));
  const names: MovedName[] = [];
  const alone: string[] = [];
  const after = items.flatMap((item): readonly T[] => {
    const name = nameOf(item);
    if (name === undefined || !moves(name)) return [item];
    const pair = { old: decodeName(name.trim()), new: movedName(name, move) };
    const stands = present.has(pair.new);
    if (mode === "add") {
      if (stands) return [item];
      present.add(pair.new);
      names.push(pair);
      return [item, renamed(item, pair.new)];
    }
    if (!stands) {
      alone.push(pair.old);
      return [item];
    }
    names.push(pair);
    return [];
  });
  return { after, names, alone };
}

type Rule = Readonly<{ host?: string }>;
type DnsName = Readonly<{ dnsName?: string }>;
type Spec = Readonly<{
  rules?: readonly Rule[];
  hostnames?: readonly string[];
  endpoints?: readonly DnsName[];
}>;

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

function changeOf(
  kind: NamedKind,
  object: KubeObject,
  readers: readonly Publisher[],
  move: Move,
  mode: Mode,
): HostnameChange | undefined {
  const scope = {
    move,
    moves: (name: string) => isOld(name, move) && readers.some((reader) => looksAt(reader, name)),
  };
  const names: MovedName[] = [];
  const alone: string[] = [];
  const take = <T>({ after, names: moved, alone: left }: Edited<T>): readonly T[] | undefined => {
    names.push(...moved);
    alone.push(...left);
    return moved.length === 0 ? undefined : after;
  };
  const annotations: Record<string, string> = {};
  const prefixes = [...new Set(readers.flatMap(({ read }) => read?.settings.annotationPrefix ?? []))];
  if (kind !== "dnsendpoints")
    for (const prefix of prefixes)
      for (const key of [`${prefix}hostname`, `${prefix}internal-hostname`]) {
        const given = object.metadata.annotations?.[key];
        if (given === undefined) continue;
        const words = given.split(",").map((each) => each.trim());
        const after = take(
          edited(
            words,
            mode,
            scope,
            (word) => word,
            (_, name) => name,
          ),
        );
        if (after !== undefined) annotations[key] = after.join(",");
      }
  const { rules, hostnames, endpoints } = (object.spec ?? {}) as Spec;
  const spec: Record<string, Json> = {};
  if (kind === "ingresses" && rules !== undefined) {
    const after = take(
      edited(
        rules,
        mode,
        scope,
        ({ host }) => host,
        (rule, host) => ({ ...rule, host }),
      ),
    );
    if (after !== undefined) spec.rules = asJson(after);
  }
  if (kind === "httproutes" && hostnames !== undefined) {
    const after = take(
      edited(
        hostnames,
        mode,
        scope,
        (name) => name,
        (_, name) => name,
      ),
    );
    if (after !== undefined) spec.hostnames = asJson(after);
  }
  if (kind === "dnsendpoints" && endpoints !== undefined) {
    const after = take(
      edited(
        endpoints,
        mode,
        scope,
        ({ dnsName }) => dnsName,
        (each, dnsName) => ({ ...each, dnsName }),
      ),
    );
    if (after !== undefined) spec.endpoints = asJson(after);
  }
  if (names.length === 0 && alone.length === 0) return undefined;
  const patch: Json = {
    ...(Object.keys(annotations).length === 0 ? {} : { metadata: { annotations } }),
    ...(Object.keys(spec).length === 0 ? {} : { spec }),
  };
  const what = mode === "add" ? "add new names to" : "take old names from";
  const change = patching(kind, object, patch, what);
  const id = `${mode}-names-${sourceOf[kind]}-${object.metadata.namespace ?? "default"}-${object.metadata.name}`;
  return {
    change: {
      ...change,
      after: mergePatch(object, patch) as KubeObject,
      deed: { ...change.deed, id },
      undo: { ...change.undo, id: `undo-${id}` },
    },
    names: [...new Map(names.map((each) => [each.old, each])).values()],
    alone: [...new Set(alone)],
  };
}

/**
 * What has to be written on every Service, Ingress, HTTPRoute and DNSEndpoint that asks for a name of the old domain,
 * under the prefixes that the releases here read.
 */
export const hostnameChanges = (view: DnsView, mode: Mode): readonly HostnameChange[] =>
  namedKinds.flatMap((kind) =>
    view.lists[kind].flatMap((object) => {
      const readers = readersOf(kind, object, view.movers);
      const change = readers.length === 0 ? undefined : changeOf(kind, object, readers, view.move, mode);
      return change === undefined ? [] : [change];
    }),
  );

/** Those that change something. */
export const written = (changes: readonly HostnameChange[]): readonly HostnameChange[] =>
  changes.filter(({ names }) => names.length > 0);

const same = (a: KubeObject, b: KubeObject | null): boolean =>
  a.metadata.namespace === b?.metadata.namespace && a.metadata.name === b?.metadata.name;

/** The objects as they will be. */
export const listsWith = (lists: SourceLists, changes: readonly HostnameChange[]): SourceLists => ({
  ...lists,
  ...Object.fromEntries(
    namedKinds.map((kind) => [
      kind,
      lists[kind].map((object) => {
        const found = changes.find(({ change }) => change.kind === kind && same(object, change.before));
        return found?.change.after ?? object;
      }),
    ]),
  ),
});

const wordOf = (value: unknown): string => (typeof value === "string" ? value : "");

type Listener = Readonly<{ name?: unknown; hostname?: unknown }>;
type Tls = Readonly<{ hosts?: readonly unknown[] }>;

/** Gateways that let only the old domain in: the new names of their routes get neither record nor traffic. */
export function listenerFindings(view: DnsView): readonly Finding[] {
  const { move } = view;
  return view.lists.gateways.flatMap((gateway) => {
    const listeners = ((gateway.spec as { listeners?: readonly Listener[] } | undefined)?.listeners ??
      []) as readonly Listener[];
    const hosts = listeners.map(({ hostname }) => wordOf(hostname).replace(/^\*\./, ""));
    const open = hosts.some((host) => host === "" || isNewHost(host, move));
    const old = listeners.filter((_, i) => isOld(hosts[i] ?? "", move) && hosts[i] !== "");
    return old.length === 0 || open
      ? []
      : [
          finding(
            "listener-leaves-out",
            "warning",
            { kind: "config", name: titleOf("gateways", gateway) },
            text`${titleOf("gateways", gateway)} has listeners for ${old.map(({ hostname }) => wordOf(hostname)).join(", ")} and none for ${move.to}: new names of its routes get neither record nor traffic`,
            {
              remedy: text`Add a listener for ${code(`*.${move.to}`)} with its certificate (runbook wildcard-tls)`,
            },
          ),
        ];
  });
}

/** A host of the new domain, or of one above it. */
const isNewHost = (host: string, { to }: Move): boolean =>
  to === host || to.endsWith(`.${host}`) || host.endsWith(`.${to}`);

/** Ingresses whose TLS still names old hosts: ExternalDNS publishes those too. */
export function tlsFindings(view: DnsView): readonly Finding[] {
  const ignores = view.movers.every(({ read }) => read?.settings.ignoreIngressTls === true);
  if (ignores) return [];
  return view.lists.ingresses.flatMap((ingress) => {
    const tls = ((ingress.spec as { tls?: readonly Tls[] } | undefined)?.tls ?? []) as readonly Tls[];
    const hosts = tls
      .flatMap(({ hosts: all }) => (all ?? []).map(wordOf))
      .filter((host) => isOld(host, view.move));
    return hosts.length === 0
      ? []
      : [
          finding(
            "ingress-tls-old",
            "warning",
            { kind: "config", name: titleOf("ingresses", ingress) },
            text`${titleOf("ingresses", ingress)} names ${hosts.join(", ")} under tls, which ExternalDNS publishes too: their records would stay`,
            { remedy: text`Give its tls the new hosts and a Secret that covers them (runbook wildcard-tls)` },
          ),
        ];
  });
}

/** `Service httpbin/httpbin` for a table: kind, place, the names. */
export const rowsOf = (changes: readonly HostnameChange[]) =>
  changes.flatMap(({ change, names }) =>
    names.map((each) => [
      [
        `${resourceKinds[change.kind].kind} ${change.before?.metadata.namespace ?? ""}/${change.before?.metadata.name ?? ""}`,
      ],
      [each.old],
      [each.new],
    ]),
  );
