import * as z from "zod";
import type { KubeObject } from "../kubernetes/read.ts";
import type { ObjectStore } from "./object-store.ts";

/** The certificate that the pods of a Service show. */
export type WebTls = Readonly<{
  names: readonly string[];
  /** RFC 3339. */
  from: string;
  until: string;
  /** OpenSSL's result against any client's trust: 0 trusted (the default), 18 self-signed, 20 unknown issuer. */
  verifyResult?: number;
}>;

/** A status; `silent` takes the connection and says nothing, `closes` hangs up, `banner` speaks another protocol. */
type Said = number | "silent" | "closes" | "banner";

/** What the pods of a Service say to a client. What is left out is as usual: 200, and TLS on 443 and 8443. */
export type WebSpec = Readonly<{
  /** `namespace/name`. */
  service: string;
  /** Only this port of it. */
  port?: number;
  http?: Said;
  redirect?: string;
  /** Null: no TLS where it is usual. `broken`: the handshake fails. */
  tls?: WebTls | "broken" | null;
}>;

/** What a client gets once it has connected. */
export type WebAnswer = Readonly<{ http: Said; redirect?: string; tls?: WebTls | "broken" }>;

export type Web = Readonly<{
  /** Replaces what was said of the same Service and port. */
  serve: (spec: WebSpec) => void;
  /** Undefined: no Service has the address, and whatever listens there speaks no HTTP. */
  answer: (ip: string, port: number) => WebAnswer | undefined;
}>;

const shape = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).nullish() }),
  status: z.looseObject({
    loadBalancer: z.looseObject({ ingress: z.array(z.looseObject({ ip: z.string().nullish() })).nullish() }),
  }),
});

const hasAddress = (service: KubeObject, ip: string): boolean =>
  (shape.safeParse(service).data?.status.loadBalancer.ingress ?? []).some((each) => each.ip === ip);

/** The names that a Service asks ExternalDNS for, which whoever made its certificate put into it. */
const hostnamesOf = (service: KubeObject): readonly string[] =>
  Object.entries(shape.safeParse(service).data?.metadata.annotations ?? {})
    .filter(([key]) => /^external-dns\..*\/hostname$/.test(key))
    .flatMap(([, value]) => value.split(",").map((each) => each.trim()))
    .filter((each) => each !== "");

const secure: readonly number[] = [443, 8443];
const dayMs = 86_400_000;

export function createWeb(
  options: Readonly<{ store: ObjectStore; startedAt: number; specs: readonly WebSpec[] }>,
): Web {
  const { store, startedAt } = options;
  const specs: WebSpec[] = [...options.specs];
  const same = (a: WebSpec, b: WebSpec): boolean => a.service === b.service && a.port === b.port;

  const usualTls = (service: KubeObject): WebTls => ({
    names: hostnamesOf(service),
    from: new Date(startedAt - 30 * dayMs).toISOString(),
    until: new Date(startedAt + 60 * dayMs).toISOString(),
  });

  return {
    serve: (spec) => {
      const known = specs.findIndex((each) => same(each, spec));
      specs.splice(known < 0 ? specs.length : known, known < 0 ? 0 : 1, spec);
    },
    answer: (ip, port) => {
      const service = store.list("services").items.find((each) => hasAddress(each, ip));
      if (service === undefined) return undefined;
      const { namespace = "default", name } = service.metadata;
      const own = specs.filter((each) => each.service === `${namespace}/${name}`);
      const spec = own.find((each) => each.port === port) ?? own.find((each) => each.port === undefined);
      const tls =
        spec?.tls === undefined && secure.includes(port) ? usualTls(service) : (spec?.tls ?? undefined);
      return {
        http: spec?.http ?? 200,
        ...(spec?.redirect === undefined ? {} : { redirect: spec.redirect }),
        ...(tls === undefined ? {} : { tls }),
      };
    },
  };
}
