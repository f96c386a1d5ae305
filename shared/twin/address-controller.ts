import type { Clock } from "../clock.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { contains, ipOf, parseAddresses, parseIp } from "../metallb/ip.ts";
import { parseMetalLbObjects } from "../metallb/resources.ts";
import { anyMatches } from "../metallb/selectors.ts";
import type { ObjectStore } from "./object-store.ts";
import type { Schedule } from "./schedule.ts";

const poolKey = "metallb.io/address-pool";
const addressKey = "metallb.io/loadBalancerIPs";

type Wanted = Readonly<{
  namespace: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  pool?: string;
  ip?: string;
}>;

const annotation = (object: KubeObject, key: string): string | undefined =>
  object.metadata.annotations?.[key] ??
  object.metadata.annotations?.[key.replace("metallb.io/", "metallb.universe.tf/")];

/** MetalLB's allocator for IPv4: by request, else the first free address of the first pool that serves the Service. */
export function allocate(
  wanted: Wanted,
  pools: ReturnType<typeof parseMetalLbObjects>["objects"]["ipAddressPools"],
  namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>,
  taken: ReadonlySet<string>,
): Readonly<{ ok: true; ip: string; pool: string }> | Readonly<{ ok: false; why: string }> {
  const serves = (pool: (typeof pools)[number]): boolean => {
    const only = pool.serviceAllocation;
    if (only === undefined) return true;
    const inNamespace =
      (only.namespaces.length === 0 && only.namespaceSelectors.length === 0) ||
      only.namespaces.includes(wanted.namespace) ||
      anyMatches(only.namespaceSelectors, namespaces.get(wanted.namespace) ?? {});
    return (
      inNamespace && (only.serviceSelectors.length === 0 || anyMatches(only.serviceSelectors, wanted.labels))
    );
  };
  // A lower number goes first; zero or none goes last.
  const rank = (pool: (typeof pools)[number]): number =>
    pool.serviceAllocation?.priority || Number.MAX_SAFE_INTEGER;
  const candidates =
    wanted.pool === undefined
      ? pools
          .filter((pool) => (pool.autoAssign ?? true) || wanted.ip !== undefined)
          .filter(serves)
          .toSorted((a, b) => rank(a) - rank(b))
      : pools.filter((pool) => pool.name === wanted.pool);
  if (wanted.pool !== undefined && candidates.length === 0)
    return { ok: false, why: `unknown pool "${wanted.pool}"` };
  for (const pool of candidates) {
    for (const entry of pool.addresses) {
      const ranges = parseAddresses(entry);
      if ("error" in ranges) continue;
      for (const range of ranges.filter(({ family }) => family === 4)) {
        if (wanted.ip !== undefined) {
          const ip = parseIp(wanted.ip);
          if (ip && contains(range, ip)) {
            return taken.has(ip.text)
              ? { ok: false, why: `"${ip.text}" is in use` }
              : { ok: true, ip: ip.text, pool: pool.name };
          }
          continue;
        }
        for (let value = range.first; value <= range.last; value++) {
          const last = value & 0xffn;
          if (pool.avoidBuggyIPs && (last === 0n || last === 255n)) continue;
          const { text } = ipOf(4, value);
          if (!taken.has(text)) return { ok: true, ip: text, pool: pool.name };
        }
      }
    }
  }
  return {
    ok: false,
    why: wanted.ip === undefined ? "no available IPs" : `"${wanted.ip}" is not allowed in config`,
  };
}

/** Gives every Service of type LoadBalancer an address, as MetalLB's controller does, and says so in an event. */
export function createAddressController(
  options: Readonly<{ store: ObjectStore; clock: Clock; newId: () => string; schedule: Schedule }>,
): Readonly<{ stop: () => void }> {
  const { store, clock, newId, schedule } = options;

  const ingressOf = (service: KubeObject): readonly string[] => {
    const status = service.status as { loadBalancer?: { ingress?: readonly { ip?: string }[] } } | undefined;
    return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  };
  const isOurs = (service: KubeObject): boolean => {
    const spec = service.spec as { type?: string; loadBalancerClass?: string } | undefined;
    return spec?.type === "LoadBalancer" && spec.loadBalancerClass === undefined;
  };

  const emit = (service: KubeObject, type: string, reason: string, message: string): void => {
    const { name, namespace = "default", uid } = service.metadata;
    const now = new Date(clock.now()).toISOString().replace(/\.\d{3}Z$/, "Z");
    store.create("events", {
      metadata: { name: `${name}.${newId().replaceAll("-", "").slice(-16)}`, namespace },
      involvedObject: { apiVersion: "v1", kind: "Service", name, namespace, uid },
      source: { component: "metallb-controller" },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
    });
  };

  const reconcile = (): void => {
    const services = store.list("services").items;
    const taken = new Set(services.flatMap(ingressOf));
    const { objects } = parseMetalLbObjects(
      store
        .list("ipaddresspools")
        .items.map((item) => ({ apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool", ...item })),
    );
    const namespaces = new Map(
      store.list("namespaces").items.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
    );
    for (const service of services) {
      if (!isOurs(service) || ingressOf(service).length > 0) continue;
      const { name, namespace = "default", labels = {} } = service.metadata;
      const pool = annotation(service, poolKey);
      const ip =
        annotation(service, addressKey) ?? (service.spec as { loadBalancerIP?: string }).loadBalancerIP;
      const given = allocate(
        {
          namespace,
          name,
          labels,
          ...(pool === undefined ? {} : { pool }),
          ...(ip === undefined ? {} : { ip }),
        },
        objects.ipAddressPools,
        namespaces,
        taken,
      );
      if (!given.ok) {
        emit(
          service,
          "Warning",
          "AllocationFailed",
          `Failed to allocate IP for "${namespace}/${name}": ${given.why}`,
        );
        continue;
      }
      taken.add(given.ip);
      store.mergePatch("services", namespace, name, {
        metadata: { annotations: { "metallb.io/ip-allocated-from-pool": given.pool } },
        status: { loadBalancer: { ingress: [{ ip: given.ip, ipMode: "VIP" }] } },
      });
      emit(service, "Normal", "IPAllocated", `Assigned IP ["${given.ip}"]`);
    }
  };

  let due: (() => void) | undefined;
  const soon = (): void => {
    due ??= schedule(100, () => {
      due = undefined;
      reconcile();
    });
  };
  const unsubscribe = store.subscribe(({ kind, type, object }) => {
    if (type === "DELETED") return;
    if (
      kind === "ipaddresspools" ||
      (kind === "services" && isOurs(object) && ingressOf(object).length === 0)
    )
      soon();
  });
  return {
    stop: () => {
      unsubscribe();
      due?.();
    },
  };
}
