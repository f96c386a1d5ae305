import * as z from "zod";
import type { Clock } from "#shared/clock.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import { dns01For, issuerOf } from "#shared/wildcard-tls/issuers.ts";

/** An order by DNS-01 takes about so long: the record, its way to every server, the check, the certificate. */
const orderMs = 90_000;
/** From an object to what its controller says of it. */
const noticeMs = 1_000;

const shape = z.looseObject({
  spec: z.looseObject({
    dnsNames: z.array(z.string()).default([]),
    issuerRef: z.looseObject({ kind: z.string().default("Issuer"), name: z.string() }),
  }),
  status: z
    .looseObject({
      conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).default([]),
    })
    .nullish(),
});

/** Why an issuer of the store cannot prove the names, in cert-manager's words where it has some. */
function obstacle(store: ObjectStore, certificate: KubeObject): string | undefined {
  const { spec } = shape.parse(certificate);
  const { kind, name } = spec.issuerRef;
  const found =
    kind === "ClusterIssuer"
      ? store.get("clusterissuers", undefined, name)
      : store.get("issuers", certificate.metadata.namespace, name);
  if (found === undefined) return `Referenced "${kind}" not found: ${name}`;
  const issuer = issuerOf(kind === "ClusterIssuer" ? "ClusterIssuer" : "Issuer", found);
  if (issuer.ready !== true) return `Referenced "${kind}" "${name}" is not ready`;
  const left = issuer.acme === undefined ? [] : spec.dnsNames.filter((each) => !dns01For(issuer, each));
  return left.length === 0 ? undefined : `no configured challenge solvers can be used for ${left.join(", ")}`;
}

/** The model's cert-manager: a Certificate that its issuer can prove is ready after an order. Returns what ends it. */
export function startCertManager(store: ObjectStore, clock: Clock): () => void {
  const stopped = new AbortController();
  const say = ({ metadata }: KubeObject, status: "True" | "False", reason: string, message: string): void => {
    const lastTransitionTime = new Date(clock.now()).toISOString().replace(/\.\d{3}Z$/, "Z");
    store.mergePatch("certificates", metadata.namespace, metadata.name, {
      status: { conditions: [{ type: "Ready", status, reason, message, lastTransitionTime }] },
    });
  };
  const order = async (certificate: KubeObject): Promise<void> => {
    await clock.sleep(noticeMs, stopped.signal);
    if (stopped.signal.aborted) return;
    say(certificate, "False", "DoesNotExist", "Issuing certificate as Secret does not exist");
    await clock.sleep(orderMs, stopped.signal);
    if (stopped.signal.aborted) return;
    const { namespace, name } = certificate.metadata;
    const now = store.get("certificates", namespace, name);
    if (now === undefined) return;
    const why = obstacle(store, now);
    if (why === undefined) say(now, "True", "Ready", "Certificate is up to date and has not expired");
    else say(now, "False", "Failed", why);
  };
  const end = store.subscribe(({ type, kind, object }) => {
    if (kind !== "certificates" || type !== "ADDED") return;
    const read = shape.safeParse(object);
    if (read.success && (read.data.status?.conditions ?? []).length === 0) void order(object as KubeObject);
  });
  return () => {
    stopped.abort();
    end();
  };
}
