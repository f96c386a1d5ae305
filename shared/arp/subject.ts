import { parseIp } from "../metallb/ip.ts";
import type { MetalLbObjects } from "../metallb/resources.ts";
import { serviceKey } from "../metallb/resources.ts";
import { nearest } from "../nearest.ts";
import type { Subject } from "./investigate.ts";

export type Resolved =
  | Readonly<{ kind: "subjects"; subjects: readonly Subject[] }>
  | Readonly<{ kind: "ambiguous"; services: readonly string[] }>
  | Readonly<{ kind: "unknown"; nearest: Subject | undefined }>
  /** The Service is there and has no address (yet). */
  | Readonly<{ kind: "no-address"; service: string }>;

/** Every address that a Service of type LoadBalancer has, by address. */
export const assignedAddresses = (objects: MetalLbObjects): readonly Subject[] =>
  objects.services
    .filter(({ type }) => type === "LoadBalancer")
    .flatMap((service) =>
      service.ingress.flatMap(({ ip }): Subject[] =>
        ip ? [{ ip: parseIp(ip)?.text ?? ip, service: serviceKey(service) }] : [],
      ),
    );

/** A Service of type LoadBalancer that has no address to look at, and whether MetalLB is meant to give it one. */
export type Unaddressed = Readonly<{
  /** `namespace/name`. */
  service: string;
  outcome: "failed" | "unknown";
  because: string;
}>;

/**
 * Every Service of type LoadBalancer without an address. MetalLB serves those whose class is its own (`--lb-class`, or
 * no class where it has none); the others belong to another controller, about which nothing is known here.
 */
export const unaddressed = (
  objects: MetalLbObjects,
  loadBalancerClass: string | undefined,
): readonly Unaddressed[] =>
  objects.services
    .filter(({ type, ingress }) => type === "LoadBalancer" && !ingress.some(({ ip }) => ip))
    .map((service): Unaddressed => {
      const foreign = (service.loadBalancerClass ?? "") !== (loadBalancerClass ?? "");
      return {
        service: serviceKey(service),
        outcome: foreign || service.ingress.length > 0 ? "unknown" : "failed",
        because: foreign
          ? `class ${service.loadBalancerClass ?? "none"} is another controller's`
          : service.ingress.length > 0
            ? "it has a host name instead: another controller's"
            : "nothing can announce it",
      };
    });

/** What people call it: the bare name where it is the only one, else `namespace/name`. */
export const shortName = (service: string, objects: MetalLbObjects): string => {
  const name = service.slice(service.indexOf("/") + 1);
  const same = objects.services.filter((each) => each.name === name && each.type === "LoadBalancer");
  return same.length > 1 ? service : name;
};

/** Finds what a person means by `SERVICE|IP|all`: `name`, `namespace/name`, an address, or all of them. */
export function resolveSubject(objects: MetalLbObjects, word: string): Resolved {
  const assigned = assignedAddresses(objects);
  if (word === "all") return { kind: "subjects", subjects: assigned };
  const ip = parseIp(word);
  if (ip) {
    const owner = assigned.find((subject) => subject.ip === ip.text);
    return { kind: "subjects", subjects: [owner ?? { ip: ip.text, service: undefined }] };
  }
  const candidates = objects.services.filter(
    (service) =>
      service.type === "LoadBalancer" &&
      (word.includes("/") ? serviceKey(service) === word : service.name === word),
  );
  const [service] = candidates;
  if (candidates.length > 1) return { kind: "ambiguous", services: candidates.map(serviceKey).sort() };
  if (service) {
    const subjects = assigned.filter((subject) => subject.service === serviceKey(service));
    return subjects.length > 0
      ? { kind: "subjects", subjects }
      : { kind: "no-address", service: serviceKey(service) };
  }
  const names = new Map<string, Subject>();
  for (const subject of assigned) {
    const key = subject.service ?? subject.ip;
    names.set(word.includes("/") ? key : key.slice(key.indexOf("/") + 1), subject);
  }
  const near = nearest(word, [...names.keys()]);
  return { kind: "unknown", nearest: near === undefined ? undefined : names.get(near) };
}
