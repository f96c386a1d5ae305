import ipaddr from "ipaddr.js";
import { type KnownRunbook, readRoutes } from "#shared/alerts/routes.ts";
import { nearest } from "#shared/nearest.ts";
import type { Person, RoleRule } from "#shared/policy/identity.ts";
import {
  type ClusterConfig,
  type DnsConfig,
  defaultMigration,
  type MigrationConfig,
  type SshAccess,
  type Vantage,
} from "#shared/site/site.ts";
import { type AlertsConfig, type HeartbeatConfig, toAlerts, toHeartbeat, toRoutes } from "./config-alerts.ts";
import { type ConfigFile, configSchema } from "./config-schema.ts";
import { type FileProblem, type Issue, type Path, quote, readYaml, schemaIssues } from "./yaml-places.ts";

export type NodeAccessRules = Readonly<{
  /** For nodes that are not listed; `host` is then the node's InternalIP. */
  defaults?: Omit<SshAccess, "host"> & Readonly<{ host?: string }>;
}>;

export type Config = Readonly<{
  clusters: readonly (ClusterConfig & Readonly<{ nodeDefaults?: NodeAccessRules["defaults"] }>)[];
  people: readonly Person[];
  roles: readonly RoleRule[];
  slack?: Readonly<{ team: string; prefix: string; reportChannel?: string }>;
  ledgerFile?: string;
  /** DynamoDB table of the ledger, instead of a file. */
  ledgerTable?: string;
  aws?: AwsConfig;
  /** The door for machines. */
  http?: Readonly<{ host: string; port: number }>;
  alerts?: AlertsConfig;
  heartbeat?: HeartbeatConfig;
  /** Files with the site's own runbooks, absolute. */
  runbookFiles: readonly string[];
}>;

export type AwsConfig = Readonly<{
  region: string;
  applyFunction?: string;
  scanFunction?: string;
  snapshots?: Readonly<{ bucket: string }>;
}>;

export type ConfigResult =
  | Readonly<{ ok: true; config: Config }>
  | Readonly<{ ok: false; problems: readonly FileProblem[] }>;

function duplicates(values: readonly string[]): number[] {
  return values.flatMap((value, i) => (values.indexOf(value) < i ? [i] : []));
}

/** Malformed ones are told by the schema; here they count as fine. */
const within = (address: string, prefix: string): boolean => {
  if (!ipaddr.isValid(address) || !ipaddr.isValidCIDR(prefix)) return true;
  const [network, bits] = ipaddr.parseCIDR(prefix);
  const parsed = ipaddr.parse(address);
  return parsed.kind() === network.kind() && parsed.match([network, bits] as never);
};

type Loose = Readonly<Record<string, unknown>>;

const record = (value: unknown): Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const word = (value: unknown): string => (typeof value === "string" ? value : "");
const words = (value: unknown): readonly string[] => list(value).map(word);

/** What the rules across keys look at, read from a file that may be wrong elsewhere: all problems are told in one go. */
function outline(root: unknown) {
  const file = record(root);
  const optional = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const jump = (ssh: unknown): string | undefined => optional(record(ssh).jumpHost);
  return {
    clusters: list(file.clusters)
      .map(record)
      .map((cluster) => {
        const nodes = record(cluster.nodes);
        const site = record(cluster.site);
        return {
          name: word(cluster.name),
          site: {
            lanPrefix: word(site.lanPrefix),
            routerIp: optional(site.routerIp),
            unusedAddress: optional(site.unusedAddress),
          },
          vantages: list(cluster.vantages)
            .map(record)
            .map((vantage) => ({ name: word(vantage.name), jumpHost: jump(vantage.ssh) })),
          askFrom: optional(record(cluster.dns).askFrom),
          nodes: {
            ssh: nodes.ssh !== undefined,
            jumpHost: jump(nodes.ssh),
            list: list(nodes.list).map((node) => word(record(node).name)),
          },
        };
      }),
    lambdas: ["applyFunction", "scanFunction"].filter((key) => record(file.aws)[key] !== undefined),
    ledgerFile: optional(record(file.ledger).file),
    ledgerTable: record(file.ledger).dynamodb !== undefined,
    aws: file.aws !== undefined,
    http: file.http !== undefined,
    alerts: file.alerts !== undefined,
    people: list(file.people)
      .map(record)
      .map((p) => ({ name: word(p.name), slack: optional(p.slack), os: optional(p.os) })),
    roles: list(file.roles)
      .map(record)
      .map((rule) => ({
        people: words(rule.people),
        groups: words(rule.groups),
        clusters: words(rule.clusters),
      })),
  };
}

/** Rules that span keys: names that must exist, addresses that must lie in the segment. */
function crossIssues(root: unknown): Issue[] {
  const file = outline(root);
  const issues: Issue[] = [];
  const reference = (path: Path, value: string, valid: readonly string[], what: string) => {
    if (valid.includes(value)) return;
    const near = nearest(value, valid);
    issues.push({
      path,
      message: `is ${quote(value)}, which is no ${what}${near ? `; nearest: "${near}"` : ""}`,
    });
  };
  const clusters = file.clusters.map((cluster) => cluster.name);
  for (const i of duplicates(clusters))
    issues.push({ path: ["clusters", i, "name"], message: `${quote(clusters[i])} is used twice` });
  const people = file.people.map((p) => p.name);
  for (const i of duplicates(people))
    issues.push({ path: ["people", i, "name"], message: `${quote(people[i])} is used twice` });
  for (const field of ["slack", "os"] as const) {
    const ids = file.people.map((p, i) => p[field] ?? `\u0000${i}`);
    for (const i of duplicates(ids))
      issues.push({ path: ["people", i, field], message: `${quote(ids[i])} belongs to two people` });
  }
  file.roles.forEach((rule, i) => {
    rule.people.forEach((who, j) => {
      reference(["roles", i, "people", j], who, people, "name under people");
    });
    rule.clusters.forEach((which, j) => {
      if (which !== "*") reference(["roles", i, "clusters", j], which, clusters, "cluster");
    });
    if (rule.people.length === 0 && rule.groups.length === 0) {
      issues.push({ path: ["roles", i], message: 'names nobody; expected "people" or "groups"' });
    }
  });
  if (file.ledgerFile !== undefined && file.lambdas.length > 0) {
    issues.push({
      path: ["ledger", "file"],
      message: `is ${quote(file.ledgerFile)}; the Lambdas of aws: cannot read a file here, expected ledger: { dynamodb: { table } }`,
    });
  }
  if (file.ledgerTable && !file.aws) {
    issues.push({
      path: ["ledger", "dynamodb"],
      message: "needs to know where the table is; expected aws: { region } beside ledger:",
    });
  }
  if (file.alerts && !file.http) {
    issues.push({
      path: ["alerts"],
      message: "needs a door to come in by; expected http: { port } beside alerts:",
    });
  }
  file.clusters.forEach((cluster, i) => {
    const at = (...rest: PropertyKey[]): Path => ["clusters", i, ...rest];
    const machines = [...cluster.vantages.map((v) => v.name), ...cluster.nodes.list];
    for (const j of duplicates(machines)) {
      const isVantage = j < cluster.vantages.length;
      const path = isVantage
        ? at("vantages", j, "name")
        : at("nodes", "list", j - cluster.vantages.length, "name");
      issues.push({ path, message: `${quote(machines[j])} is used twice` });
    }
    cluster.vantages.forEach((vantage, j) => {
      if (vantage.jumpHost)
        reference(
          at("vantages", j, "ssh", "jumpHost"),
          vantage.jumpHost,
          machines,
          "vantage or node of this cluster",
        );
    });
    if (cluster.askFrom !== undefined)
      reference(
        at("dns", "askFrom"),
        cluster.askFrom,
        cluster.vantages.map((v) => v.name),
        "vantage of this cluster",
      );
    if (cluster.nodes.jumpHost)
      reference(
        at("nodes", "ssh", "jumpHost"),
        cluster.nodes.jumpHost,
        machines,
        "vantage or node of this cluster",
      );
    if (cluster.nodes.list.length > 0 && !cluster.nodes.ssh) {
      issues.push({
        path: at("nodes", "list"),
        message: 'needs "ssh" beside it: user, identityFile and knownHostsFile',
      });
    }
    const { site } = cluster;
    for (const key of ["routerIp", "unusedAddress"] as const) {
      const address = site[key];
      if (address !== undefined && !within(address, site.lanPrefix)) {
        issues.push({
          path: at("site", key),
          message: `is ${quote(address)}, which lies outside lanPrefix ${site.lanPrefix}`,
        });
      }
    }
  });
  return issues;
}

/** Routes are judged where they are well-formed; the schema tells the rest. */
function routeIssues(root: unknown, runbooks: readonly KnownRunbook[] | undefined): Issue[] {
  const { alerts } = configSchema.shape;
  const parsed = alerts.safeParse(record(root).alerts);
  if (!parsed.success || parsed.data === undefined) return [];
  const clusters = outline(root).clusters.map(({ name }) => name);
  const read = readRoutes(toRoutes(parsed.data.routes), { clusters, ...(runbooks && { runbooks }) });
  return read.ok
    ? []
    : read.problems.map(({ path, message }) => ({ path: ["alerts", "routes", ...path], message }));
}

function toVantage(
  vantage: ConfigFile["clusters"][number]["vantages"][number],
  resolve: (path: string) => string,
): Vantage {
  return {
    name: vantage.name,
    place: vantage.place,
    access: vantage.ssh ? withPaths(vantage.ssh, resolve) : "local",
    ...(vantage.sudo === undefined ? {} : { sudo: vantage.sudo }),
    ...(vantage.clusterNode === undefined ? {} : { clusterNode: vantage.clusterNode }),
  };
}

function withPaths<T extends { identityFile: string; knownHostsFile: string }>(
  access: T,
  resolve: (path: string) => string,
): T {
  return {
    ...access,
    identityFile: resolve(access.identityFile),
    knownHostsFile: resolve(access.knownHostsFile),
  };
}

function toAws({
  region,
  applyFunction,
  scanFunction,
  snapshots,
}: NonNullable<ConfigFile["aws"]>): AwsConfig {
  return {
    region,
    ...(applyFunction === undefined ? {} : { applyFunction }),
    ...(scanFunction === undefined ? {} : { scanFunction }),
    ...(snapshots === undefined ? {} : { snapshots }),
  };
}

function toDns({
  zones,
  move,
  publicResolvers,
  askFrom,
}: NonNullable<ConfigFile["clusters"][number]["dns"]>): DnsConfig {
  return {
    zones,
    publicResolvers,
    ...(move ? { move } : {}),
    ...(askFrom === undefined ? {} : { askFrom }),
  };
}

function toMigration(
  migration: ConfigFile["clusters"][number]["migration"],
  resolve: (path: string) => string,
): MigrationConfig {
  if (!migration) return defaultMigration;
  const { canary, repositories, helmValues, ...others } = migration;
  return {
    ...others,
    ...(canary === undefined ? {} : { canary }),
    repositories: repositories.map((each) => ({ ...each, path: resolve(each.path) })),
    helmValues: Object.fromEntries(
      Object.entries(helmValues).map(([release, path]) => [release, resolve(path)]),
    ),
  };
}

function toConfig(file: ConfigFile, resolve: (path: string) => string): Config {
  return {
    clusters: file.clusters.map((cluster) => {
      const defaults = cluster.nodes.ssh ? withPaths(cluster.nodes.ssh, resolve) : undefined;
      return {
        name: cluster.name,
        ...(cluster.kubeconfig === undefined ? {} : { kubeconfig: resolve(cluster.kubeconfig) }),
        ...(cluster.context === undefined ? {} : { context: cluster.context }),
        site: cluster.site,
        vantages: cluster.vantages.map((vantage) => toVantage(vantage, resolve)),
        nodes: defaults
          ? cluster.nodes.list.map(({ name, ...own }) => ({ name, access: { ...defaults, ...own } }))
          : [],
        ...(defaults ? { nodeDefaults: defaults } : {}),
        ...(cluster.dns ? { dns: toDns(cluster.dns) } : {}),
        migration: toMigration(cluster.migration, resolve),
      };
    }),
    people: file.people,
    roles: file.roles,
    ...(file.slack ? { slack: file.slack } : {}),
    ...(file.ledger?.file === undefined ? {} : { ledgerFile: resolve(file.ledger.file) }),
    ...(file.ledger?.dynamodb === undefined ? {} : { ledgerTable: file.ledger.dynamodb.table }),
    ...(file.aws ? { aws: toAws(file.aws) } : {}),
    ...(file.http ? { http: file.http } : {}),
    runbookFiles: file.runbooks.map(resolve),
    ...(file.alerts ? { alerts: toAlerts(file.alerts, resolve) } : {}),
    ...(file.heartbeat ? { heartbeat: toHeartbeat(file.heartbeat, resolve) } : {}),
  };
}

/**
 * Reads the config file's text. Every problem is told at once, each with its place, the value that stands there, what
 * was expected and the nearest valid word. `resolve` makes the file's relative paths absolute. Names of runbooks are
 * judged where `runbooks` are given.
 */
export function readConfig(
  source: string,
  resolve: (path: string) => string,
  known: Readonly<{ runbooks?: readonly KnownRunbook[] }> = {},
): ConfigResult {
  const read = readYaml(source);
  if (!read.ok) return read;
  const { root, told } = read;
  const parsed = configSchema.safeParse(root ?? {});
  const issues = [
    ...(parsed.success ? [] : schemaIssues(configSchema, parsed.error, root)),
    ...crossIssues(root),
    ...routeIssues(root, known.runbooks),
  ];
  if (!parsed.success || issues.length > 0) {
    return { ok: false, problems: told(issues) };
  }
  return { ok: true, config: toConfig(parsed.data, resolve) };
}
