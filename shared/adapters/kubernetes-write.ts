import { FaultError } from "../fault.ts";
import { pluralOf, resourceKinds } from "../kubernetes/kinds.ts";
import { patchBody } from "../kubernetes/patch-body.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { apiVersionOf } from "../kubernetes/refusals.ts";
import type { KubeWrite, KubeWritten, WriteCluster } from "../kubernetes/write.ts";
import { refusedWrite } from "../kubernetes/written.ts";
import { pathOf } from "./kubernetes-path.ts";
import {
  type ApiAnswer,
  type ApiCall,
  type KubernetesSession,
  readJson,
  readStatus,
} from "./kubernetes-session.ts";

/** How the API server answers where no such kind is installed: not with a Status, and nothing was written. */
const noSuchPath = "404 page not found";

/** Under this name the API server's `managedFields` have what we wrote. */
const fieldManager = "arpeggio";

const nameOf = (write: KubeWrite): string => {
  const { kind, namespace, name } =
    write.verb === "create" ? { kind: write.kind, ...write.object.metadata } : write.ref;
  return `${write.verb} of ${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
};

function callFor(write: KubeWrite, dryRun: boolean): ApiCall {
  const what = nameOf(write);
  const query = { fieldManager, ...(dryRun ? { dryRun: "All" } : {}) };
  switch (write.verb) {
    case "create": {
      const { kind, object } = write;
      const value = { ...object, apiVersion: apiVersionOf(kind), kind: resourceKinds[kind].kind };
      return {
        what,
        method: "POST",
        path: pathOf(kind, { namespace: object.metadata.namespace }),
        query,
        body: { type: "application/json", value },
      };
    }
    case "patch":
      return {
        what,
        method: "PATCH",
        path: pathOf(write.ref.kind, write.ref),
        query,
        body: {
          type: write.byName ? "application/strategic-merge-patch+json" : "application/merge-patch+json",
          value: patchBody(write.patch, write.is),
        },
      };
    case "delete": {
      const { uid, resourceVersion } = write.is;
      return {
        what,
        method: "DELETE",
        path: pathOf(write.ref.kind, write.ref),
        body: {
          type: "application/json",
          value: {
            apiVersion: "v1",
            kind: "DeleteOptions",
            preconditions: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
            ...(dryRun ? { dryRun: ["All"] } : {}),
          },
        },
      };
    }
  }
}

const isObject = (value: unknown): value is KubeObject =>
  typeof value === "object" && value !== null && "metadata" in value && "apiVersion" in value;

/** What a success brought. A deleted object that came back is gone unless something still holds it. */
function written(write: KubeWrite, what: string, { body }: ApiAnswer, dryRun: boolean): KubeWritten {
  const value = readJson(body);
  if (write.verb === "delete") {
    const held =
      !dryRun &&
      isObject(value) &&
      value.kind !== "Status" &&
      value.metadata.deletionTimestamp !== undefined &&
      isHeld(value);
    return { ok: true, object: held ? value : undefined };
  }
  if (isObject(value)) return { ok: true, object: value };
  throw new FaultError({ kind: "unreadable", what, detail: "the answer is not a Kubernetes object" });
}

const any = (list: unknown): boolean => Array.isArray(list) && list.length > 0;

/** By a finalizer (a namespace has them in its spec), or by the time its containers get to end. */
const isHeld = ({ metadata, spec }: KubeObject): boolean =>
  any(metadata.finalizers) ||
  any((spec as { finalizers?: unknown } | undefined)?.finalizers) ||
  Number(metadata.deletionGracePeriodSeconds ?? 0) > 0;

/**
 * Writes through the API. Throws FaultError where nobody knows whether the write was made: no answer, or one that does not
 * say so (5xx, throttling, a page that is no API's).
 */
export const writeThrough =
  (session: KubernetesSession): WriteCluster =>
  async (write, { dryRun = false, signal } = {}) => {
    const call = callFor(write, dryRun);
    const { what } = call;
    if (signal?.aborted)
      throw new FaultError({ kind: "cancelled", what, detail: "cancelled before it started" });
    const answer = await session.during(signal, (api) => api(call, signal));
    const { status, body, user, clean } = answer;
    if (status >= 200 && status < 300) return written(write, what, answer, dryRun);
    const said = readStatus(body);
    if (status === 401)
      return {
        ok: false,
        because: "denied",
        message: `the cluster does not accept the credentials of ${user} (401)`,
      };
    const refused = said && refusedWrite({ code: status, reason: said.reason, message: clean(said.message) });
    if (refused !== undefined) return refused;
    if (status === 404 && body.trim() === noSuchPath) {
      const kind = write.verb === "create" ? write.kind : write.ref.kind;
      const message = `the server does not know ${pluralOf(kind)} in ${apiVersionOf(kind)} (404)`;
      return { ok: false, because: "not-found", message };
    }
    throw new FaultError({
      kind: status === 429 || status >= 500 ? "refused" : "unreadable",
      what,
      detail: clean(`the server answered ${status}${said === undefined ? "" : `: ${said.message}`}`),
    });
  };
