import * as z from "zod";
import { instant as time } from "../../kubernetes/object-fields.ts";
import type { KubeObject } from "../../kubernetes/read.ts";

/** A Certificate of cert-manager, as far as its renewal goes. Times are milliseconds since the epoch. */
export type CertificateState = Readonly<{
  /** `namespace/name`. */
  key: string;
  namespace: string;
  name: string;
  secret: string;
  dnsNames: readonly string[];
  issuer: Readonly<{ kind: string; name: string }>;
  /** End of what its Secret holds; undefined where nothing was issued yet. */
  notAfter: number | undefined;
  /** When cert-manager renews it. */
  renewalTime: number | undefined;
  ready: Readonly<{ status: string; message: string }> | undefined;
  /** cert-manager is at it. */
  issuing: Readonly<{ since: number | undefined; message: string }> | undefined;
  /** How often it failed in a row, and when the last time was. */
  failures: Readonly<{ times: number; last: number | undefined }>;
}>;

const shape = z.looseObject({
  spec: z.looseObject({
    secretName: z.string().default(""),
    dnsNames: z.array(z.string()).nullish(),
    commonName: z.string().nullish(),
    issuerRef: z.looseObject({ kind: z.string().nullish(), name: z.string() }).nullish(),
  }),
  status: z
    .looseObject({
      notAfter: time,
      renewalTime: time,
      failedIssuanceAttempts: z.number().nullish(),
      lastFailureTime: time,
      conditions: z
        .array(
          z.looseObject({
            type: z.string(),
            status: z.string(),
            message: z.string().nullish(),
            lastTransitionTime: time,
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/** Undefined when the object has no usual shape. */
export function readCertificate(object: KubeObject): CertificateState | undefined {
  const read = shape.safeParse(object).data;
  if (read === undefined) return undefined;
  const { spec, status } = read;
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type);
  const ready = condition("Ready");
  const issuing = condition("Issuing");
  const { namespace = "default", name } = object.metadata;
  const names = [...(spec.dnsNames ?? []), ...(spec.commonName ? [spec.commonName] : [])];
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    secret: spec.secretName,
    dnsNames: [...new Set(names.map((each) => each.toLowerCase()))],
    issuer: { kind: spec.issuerRef?.kind || "Issuer", name: spec.issuerRef?.name ?? "" },
    notAfter: status?.notAfter,
    renewalTime: status?.renewalTime,
    ready: ready && { status: ready.status, message: ready.message ?? "" },
    issuing:
      issuing?.status === "True"
        ? { since: issuing.lastTransitionTime, message: issuing.message ?? "" }
        : undefined,
    failures: { times: status?.failedIssuanceAttempts ?? 0, last: status?.lastFailureTime },
  };
}
