import { stringify } from "yaml";
import { pluralOf, type ResourceKind, resourceKinds } from "#shared/kubernetes/kinds.ts";
import type { AccessCall } from "#shared/steps/recording.ts";

export type AccessRule = Readonly<{
  apiGroups: readonly string[];
  resources: readonly string[];
  verbs: readonly string[];
}>;

/** A Role of a namespace, or a ClusterRole where there is none. */
export type AccessRole = Readonly<{ name: string; namespace?: string; rules: readonly AccessRule[] }>;

/** Where the parts of a cluster live; the generated files have the usual names, to be changed by whoever applies them. */
export type Namespaces = Readonly<{
  metallb: string;
  argoCd: string;
  flux: string;
  canary: string;
  externalDns: string;
}>;

/** Objects that live in no namespace. */
const everywhere = "cluster";

export const usualNamespaces: Namespaces = {
  metallb: "metallb-system",
  argoCd: "argocd",
  flux: "flux-system",
  canary: "default",
  externalDns: "external-dns",
};

type Grant = Readonly<{
  in: keyof Namespaces | typeof everywhere;
  /** What the right is for, for whoever reviews the file. */
  why: string;
  verbs: readonly AccessCall["verb"][];
  kinds: readonly ResourceKind[];
}>;

const bgpToL2: readonly Grant[] = [
  {
    in: "metallb",
    why: "the advertisement that takes over, and its way back",
    verbs: ["create", "delete"],
    kinds: ["l2advertisements"],
  },
  {
    in: "metallb",
    why: "one address goes first, then all; the way back makes them again",
    verbs: ["create", "patch", "delete"],
    kinds: ["bgpadvertisements"],
  },
  {
    in: "metallb",
    why: "what belongs to BGP alone; the way back makes it again",
    verbs: ["create", "delete"],
    kinds: ["bgppeers", "bfdprofiles", "communities"],
  },
  {
    in: "metallb",
    why: "the pool of the echo that goes first before MetalLB 0.16",
    verbs: ["create", "delete"],
    kinds: ["ipaddresspools"],
  },
  {
    in: "canary",
    why: "the namespace of migration.canary: a label on its Service, or an echo beside it",
    verbs: ["create", "patch", "delete"],
    kinds: ["services"],
  },
  { in: "argoCd", why: "pausing and resuming a sync", verbs: ["patch"], kinds: ["applications"] },
  {
    in: "flux",
    why: "pausing and resuming a sync",
    verbs: ["patch"],
    kinds: ["kustomizations", "helmreleases"],
  },
];

const dnsDomainMove: readonly Grant[] = [
  {
    in: "externalDns",
    why: "the domain filters of ExternalDNS, and their way back",
    verbs: ["patch"],
    kinds: ["deployments"],
  },
  {
    in: everywhere,
    why: "new names beside the old ones, and the old ones away; RBAC cannot tell annotations apart",
    verbs: ["patch"],
    kinds: ["services", "ingresses", "httproutes", "dnsendpoints"],
  },
  { in: "argoCd", why: "pausing and resuming a sync", verbs: ["patch"], kinds: ["applications"] },
  {
    in: "flux",
    why: "pausing and resuming a sync",
    verbs: ["patch"],
    kinds: ["kustomizations", "helmreleases"],
  },
];

/** What a run of each runbook writes. Reading has a role of its own, which every run needs too. */
export const writesOfRunbooks: Readonly<Record<string, readonly Grant[]>> = {
  "bgp-to-l2": bgpToL2,
  "dns-domain-move": dnsDomainMove,
  // It hands over files and changes nothing.
  "wildcard-tls": [],
  goldentooth: [...bgpToL2, ...dnsDomainMove],
  // What it changes is on a node, over SSH: `arpeggio sudoers` has its rights.
  "fix-node": [],
  drill: [
    {
      in: everywhere,
      why: "one label on the announcing node, for half a minute; RBAC cannot tell labels apart",
      verbs: ["patch"],
      kinds: ["nodes"],
    },
  ],
};

/** The rule that allows one call and nothing else. */
export const ruleOf = ({ verb, group, resource }: AccessCall): AccessRule => ({
  apiGroups: [group],
  resources: [resource],
  verbs: [verb],
});

const allows = (role: AccessRole, call: AccessCall): boolean =>
  (role.namespace === undefined || role.namespace === call.namespace) &&
  role.rules.some(
    ({ apiGroups, resources, verbs }) =>
      apiGroups.includes(call.group) && resources.includes(call.resource) && verbs.includes(call.verb),
  );

/** The calls that none of the roles allows: none are left where they cover them. */
export const covers = (roles: readonly AccessRole[], calls: readonly AccessCall[]): readonly AccessCall[] =>
  calls.filter((call) => !roles.some((role) => allows(role, call)));

/** Every single right that the roles give; what is never called is one too many. */
export const rightsOf = (roles: readonly AccessRole[]): readonly AccessCall[] =>
  roles.flatMap(({ namespace, rules }) =>
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.map(
            (verb): AccessCall => ({
              verb: verb as AccessCall["verb"],
              group,
              resource,
              ...(namespace === undefined ? {} : { namespace }),
            }),
          ),
        ),
      ),
    ),
  );

/** Rules with the same verbs in the same group as one. */
function merged(rules: readonly AccessRule[]): readonly AccessRule[] {
  const byRight = new Map<string, AccessRule>();
  for (const rule of rules) {
    const key = `${rule.apiGroups.join()} ${rule.verbs.join()}`;
    const resources = [...new Set([...(byRight.get(key)?.resources ?? []), ...rule.resources])].sort();
    byRight.set(key, { ...rule, resources });
  }
  return [...byRight.values()].sort((a, b) => (a.apiGroups.join() < b.apiGroups.join() ? -1 : 1));
}

const kinds = Object.keys(resourceKinds) as ResourceKind[];

/** Looking: every command lists over all namespaces, and some read what speakers wrote. */
export const readingRoles = (namespaces: Namespaces): readonly AccessRole[] => [
  {
    name: "arpeggio-reading",
    rules: merged(
      kinds.map((kind) =>
        ruleOf({ verb: "list", group: resourceKinds[kind].group, resource: pluralOf(kind) }),
      ),
    ),
  },
  {
    name: "arpeggio-speaker-logs",
    namespace: namespaces.metallb,
    rules: [ruleOf({ verb: "get", group: "", resource: "pods/log" })],
  },
];

/** The roles of one runbook, one for each namespace it writes to. Throws for a runbook that is not in the table. */
export function rolesOf(runbook: string, namespaces: Namespaces): readonly AccessRole[] {
  const grants = writesOfRunbooks[runbook];
  if (grants === undefined)
    throw new Error(`infra/rbac.ts does not say what ${runbook} writes: add it to writesOfRunbooks`);
  const places = [...new Set(grants.map((grant) => grant.in))];
  return places.map((place) => ({
    name: `arpeggio-${runbook}`,
    ...(place === everywhere ? {} : { namespace: namespaces[place] }),
    rules: merged(
      grants
        .filter((grant) => grant.in === place)
        .flatMap((grant) =>
          grant.kinds.map((kind) => ({
            apiGroups: [resourceKinds[kind].group],
            resources: [pluralOf(kind)],
            verbs: grant.verbs,
          })),
        ),
    ),
  }));
}

const subject = { kind: "ServiceAccount", name: "arpeggio", namespace: "arpeggio" };

/** A role and the binding that gives it to Arpeggio. */
function documents({ name, namespace, rules }: AccessRole): readonly object[] {
  const kind = namespace === undefined ? "ClusterRole" : "Role";
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  const apiVersion = "rbac.authorization.k8s.io/v1";
  return [
    { apiVersion, kind, metadata, rules },
    {
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name },
      subjects: [subject],
    },
  ];
}

const page = (comments: readonly string[], parts: readonly object[]): string =>
  `${comments.map((line) => `# ${line}`).join("\n")}\n---\n${parts.map((part) => stringify(part, { lineWidth: 120 })).join("---\n")}`;

const made = "Made by npm run generate from infra/rbac.ts; change it there.";
const adapt = "The namespaces are the usual ones: change them to yours before you apply this.";

/** `infra/k8s/`: one file for reading, and one a runbook. No Secrets, no exec; nodes are written to by a drill alone. */
export const rbacFiles: readonly Readonly<{ path: string; make: () => Promise<string> }>[] = [
  {
    path: "infra/k8s/reading.yaml",
    make: async () =>
      page(
        [
          "What Arpeggio needs to look at a cluster: diagnosis, plans, rehearsals, and the checks of every run.",
          "Lists go over all namespaces, ConfigMaps and Pods included; Secrets are never read.",
          made,
          adapt,
        ],
        [
          { apiVersion: "v1", kind: "Namespace", metadata: { name: subject.namespace } },
          {
            apiVersion: "v1",
            kind: subject.kind,
            metadata: { name: subject.name, namespace: subject.namespace },
          },
          ...readingRoles(usualNamespaces).flatMap(documents),
        ],
      ),
  },
  ...Object.entries(writesOfRunbooks)
    .filter(([, grants]) => grants.length > 0)
    .map(([runbook, grants]) => ({
      path: `infra/k8s/${runbook}.yaml`,
      make: async () =>
        page(
          [
            `What a run of ${runbook} writes, beside reading.yaml. Bind it for the evening and take it away after.`,
            ...grants.map(
              (grant) =>
                `- ${grant.in === everywhere ? "cluster" : usualNamespaces[grant.in]}: ${grant.verbs.join(", ")} ${grant.kinds.map(pluralOf).join(", ")}: ${grant.why}`,
            ),
            made,
            adapt,
          ],
          rolesOf(runbook, usualNamespaces).flatMap(documents),
        ),
    })),
];
