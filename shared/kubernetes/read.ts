import type { Fault } from "../fault.ts";
import type { ResourceKind } from "./kinds.ts";

/** An object as the API gave it; each reader parses the part it needs. */
export type KubeObject = Readonly<{
  apiVersion?: string;
  kind?: string;
  metadata: Readonly<{
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    creationTimestamp?: string;
    labels?: Readonly<Record<string, string>>;
    annotations?: Readonly<Record<string, string>>;
    [key: string]: unknown;
  }>;
  [key: string]: unknown;
}>;

/** What a list call gave: the objects, or why we could not look (a kind the server does not know is `not-configured`). */
export type Listed = readonly KubeObject[] | Fault;

/** Lists kinds over all namespaces, concurrently, each on its own: one denied kind does not hide the others. */
export type ReadCluster = <K extends ResourceKind>(
  kinds: readonly K[],
  signal?: AbortSignal,
) => Promise<Readonly<Record<K, Listed>>>;
