import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { findHomeDir, KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import * as z from "zod";
import { FaultError } from "../fault.ts";

/** Which cluster: a kubeconfig file and one of its contexts, or what `KUBECONFIG`, the home directory or the pod say. */
export type ClusterChoice = Readonly<{ kubeconfig?: string; context?: string }>;

/** Where a connection goes and as whom, without anything secret. */
export type Connection = Readonly<{
  server: string;
  context: string;
  user: string;
  /** The files it was read from, or the service account of the pod. */
  from: readonly string[];
}>;

// Where the kubelet puts a pod's credentials.
const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

export type LoadedConfig = Readonly<{ config: KubeConfig; connection: Connection }>;

const notConfigured = (detail: string, cause?: unknown): FaultError =>
  new FaultError({ kind: "not-configured", what: "connection to the cluster", detail }, { cause });

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One line, without user names in URLs and without anything that looks like a credential. */
export function harmless(words: string, secrets: readonly string[]): string {
  let out = words;
  for (const secret of secrets) out = out.replaceAll(secret, "[secret]");
  out = out
    .replace(/\/\/[^/@\s]+@/g, "//")
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, "$1 [secret]")
    // JSON web tokens, which service accounts and most plugins use.
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, "[secret]")
    .replace(/\s+/g, " ")
    .trim();
  return out.length > 400 ? `${out.slice(0, 399)}…` : out;
}

export function secretsOf(config: KubeConfig): string[] {
  const user = config.getCurrentUser();
  return [user?.token, user?.password, user?.keyData].filter(
    (secret): secret is string => typeof secret === "string" && secret.length >= 4,
  );
}

const fileShape = z.looseObject({
  clusters: z.array(z.unknown()).nullish(),
  contexts: z.array(z.unknown()).nullish(),
  users: z
    .array(
      z.looseObject({
        name: z.string(),
        user: z.looseObject({ tokenFile: z.string().optional() }).nullish(),
      }),
    )
    .nullish(),
});

/** One kubeconfig file, with relative paths in it meant from where it lies, as kubectl means them. */
function loadFile(file: string): KubeConfig {
  const config = new KubeConfig();
  const from = (path: string): string => (isAbsolute(path) ? path : join(dirname(file), path));
  let tokenFiles: ReadonlyMap<string, string>;
  try {
    config.loadFromFile(file);
    const { users } = fileShape.parse(parse(readFileSync(file, "utf8")));
    tokenFiles = new Map(
      (users ?? []).flatMap(({ name, user }) => (user?.tokenFile ? [[name, from(user.tokenFile)]] : [])),
    );
  } catch (error) {
    // A parser quotes the line it stopped at, and that line may hold a token.
    const { code } = error as NodeJS.ErrnoException;
    throw notConfigured(
      code === "ENOENT"
        ? `there is no kubeconfig at ${file}`
        : code !== undefined && /^E[A-Z]+$/.test(code)
          ? `${file} cannot be read (${code})`
          : `${file} is not a kubeconfig that can be read (expected YAML with clusters, users and contexts)`,
    );
  }
  config.users = config.users.map((user) => {
    const exec = user.exec as { command?: string } | null | undefined;
    const tokenFile = tokenFiles.get(user.name);
    return {
      ...user,
      ...(exec?.command?.includes("/") ? { exec: { ...exec, command: from(exec.command) } } : {}),
      // The client reads such a file itself, again and again, under this name of its own.
      ...(tokenFile === undefined || user.token
        ? {}
        : { authProvider: { name: "tokenFile", config: { tokenFile } } }),
    };
  });
  return config;
}

/** The first file that names a cluster, user, context or current context wins, as kubectl merges `KUBECONFIG`. */
function merge(files: readonly string[]): KubeConfig {
  const merged = new KubeConfig();
  const addMissing = <T extends { name: string }>(into: T[], from: readonly T[]): T[] => [
    ...into,
    ...from.filter((item) => !into.some((known) => known.name === item.name)),
  ];
  merged.clusters = [];
  merged.users = [];
  merged.contexts = [];
  for (const file of files) {
    const config = loadFile(file);
    merged.clusters = addMissing(merged.clusters, config.clusters);
    merged.users = addMissing(merged.users, config.users);
    merged.contexts = addMissing(merged.contexts, config.contexts);
    if (!merged.currentContext && config.currentContext) merged.currentContext = config.currentContext;
  }
  return merged;
}

function findConfig(
  kubeconfig: string | undefined,
): Readonly<{ config: KubeConfig; from: readonly string[] }> {
  if (kubeconfig !== undefined) return { config: loadFile(kubeconfig), from: [kubeconfig] };
  const named = (process.env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  const there = named.filter((file) => existsSync(file));
  if (named.length > 0 && there.length === 0)
    throw notConfigured(`KUBECONFIG names ${named.join(", ")}, and nothing is there`);
  if (there.length > 0) return { config: merge(there), from: there };
  const home = findHomeDir();
  const usual = home === null ? undefined : join(home, ".kube", "config");
  if (usual !== undefined && existsSync(usual)) return { config: loadFile(usual), from: [usual] };
  if (existsSync(serviceAccountToken)) {
    const config = new KubeConfig();
    config.loadFromCluster();
    return { config, from: ["the service account of this pod"] };
  }
  throw notConfigured(
    "no kubeconfig: neither KUBECONFIG nor ~/.kube/config nor a pod's service account is there",
  );
}

/** Reads the choice from the files, or throws `not-configured`; there is no server to fall back to. */
export function loadConfig({ kubeconfig, context }: ClusterChoice): LoadedConfig {
  const { config, from } = findConfig(kubeconfig);
  const contexts = config.getContexts().map(({ name }) => name);
  const where = from.join(", ");
  const wanted = context ?? config.getCurrentContext();
  if (!wanted) throw notConfigured(`${where} has no current-context; name one of ${contexts.join(", ")}`);
  if (!contexts.includes(wanted))
    throw notConfigured(
      `${where} has no context "${wanted}"${contexts.length === 0 ? "" : `; it has ${contexts.join(", ")}`}`,
    );
  config.setCurrentContext(wanted);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw notConfigured(`context "${wanted}" of ${where} names a cluster that is not in it`);
  if (!URL.canParse(cluster.server))
    throw notConfigured(`the server of context "${wanted}" of ${where} is not an address`);
  if (!/^https:\/\//.test(cluster.server))
    throw notConfigured(
      `the server of context "${wanted}" is not an https:// address; credentials are not sent in the clear`,
    );
  const user = config.getContextObject(wanted)?.user ?? "";
  if (!config.getCurrentUser())
    throw notConfigured(`context "${wanted}" of ${where} names a user that is not in it`);
  return {
    config,
    connection: { server: harmless(cluster.server, []), context: wanted, user, from },
  };
}
