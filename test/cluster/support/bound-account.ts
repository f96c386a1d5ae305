import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Namespaces } from "#infra/rbac.ts";
import { usualNamespaces } from "#infra/rbac.ts";
import type { RawApi } from "./raw-api.ts";

type Document = Readonly<{
  apiVersion: string;
  kind: string;
  metadata: Readonly<{ name: string; namespace?: string }>;
  rules?: unknown;
  roleRef?: Readonly<{ name: string }>;
  subjects?: readonly object[];
}>;

const pathOf = ({ apiVersion, kind, metadata }: Document): string => {
  const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
  const inside = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  return `${root}${inside}/${kind.toLowerCase()}s`;
};

/** A ServiceAccount of its own, and the files of `infra/k8s` to bind it with, under names nobody else has. */
export type BoundAccount = Readonly<{
  /** Stands for the namespaces of the files. */
  namespaces: Namespaces;
  token: string;
  user: string;
  /** Applies one file; what it made goes with `unbind`. */
  bind: (file: string) => Promise<void>;
  unbind: () => Promise<void>;
  remove: () => Promise<void>;
}>;

const mustBe = (wanted: readonly number[], { status, body }: Awaited<ReturnType<RawApi["call"]>>): void => {
  if (!wanted.includes(status)) throw new Error(`${status}: ${String(body.message)}`);
};

/**
 * Says why where this user may not make accounts or their tokens. Left out, `there` are namespaces of its own, which go
 * with it; else they have to exist, and stay.
 */
export async function makeAccount(
  api: RawApi,
  own: string,
  there?: Namespaces,
): Promise<BoundAccount | Readonly<{ because: string }>> {
  const tag = own.replace("arpeggio-test-", "");
  const namespaces =
    there ??
    (Object.fromEntries(
      Object.keys(usualNamespaces).map((part) => [part, `${own}-${part.toLowerCase()}`]),
    ) as Namespaces);
  const ownNamespaces = there === undefined ? Object.values(namespaces) : [];
  const renamed = new Map([
    ...Object.entries(usualNamespaces).map(
      ([part, name]) => [name, namespaces[part as keyof Namespaces]] as const,
    ),
    ["arpeggio", own] as const,
  ]);
  const made: string[] = [];
  const create = async (document: Document): Promise<void> => {
    const path = pathOf(document);
    mustBe([201, 409], await api.call("POST", path, document));
    made.push(`${path}/${document.metadata.name}`);
  };
  const account = `/api/v1/namespaces/${own}/serviceaccounts`;
  const accountMade = await api.call("POST", account, { metadata: { name: "arpeggio" } });
  if (accountMade.status === 403) return { because: String(accountMade.body.message) };
  mustBe([201], accountMade);
  const asked = await api.call("POST", `${account}/arpeggio/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: 3_600 },
  });
  if (asked.status === 403) return { because: String(asked.body.message) };
  mustBe([201], asked);
  for (const name of ownNamespaces)
    mustBe([201, 409], await api.call("POST", "/api/v1/namespaces", { metadata: { name } }));
  const unbind = async (): Promise<void> => {
    for (const path of made.splice(0)) await api.call("DELETE", path);
  };
  return {
    namespaces,
    token: (asked.body.status as { token: string }).token,
    user: `system:serviceaccount:${own}:arpeggio`,
    bind: async (file) => {
      const text = await readFile(join(import.meta.dirname, "../../../infra/k8s", file), "utf8");
      const place = (name: string | undefined) =>
        name === undefined ? {} : { namespace: renamed.get(name) };
      for (const document of parseAllDocuments(text).map((each) => each.toJS() as Document)) {
        if (["Namespace", "ServiceAccount"].includes(document.kind)) continue;
        const { metadata, roleRef, subjects } = document;
        const name = `${metadata.name}-${tag}`;
        await create({
          ...document,
          metadata: { name, ...place(metadata.namespace) } as Document["metadata"],
          ...(roleRef === undefined ? {} : { roleRef: { ...roleRef, name } }),
          ...(subjects === undefined
            ? {}
            : { subjects: subjects.map((each) => ({ ...each, ...place("arpeggio") })) }),
        });
      }
    },
    unbind,
    remove: async () => {
      await unbind();
      for (const name of ownNamespaces) await api.call("DELETE", `/api/v1/namespaces/${name}`);
    },
  };
}
