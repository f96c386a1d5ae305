import { assignedAddresses, resolveSubject } from "../../arp/subject.ts";
import { resourceLabel } from "../../dns/endpoint.ts";
import { decodeName, type Fqdn, isWithin, readFqdn } from "../../dns/fqdn.ts";
import type { Wishes } from "../../explain/name-facts.ts";
import { parseIp } from "../../metallb/ip.ts";
import { type MetalLbObjects, serviceKey } from "../../metallb/resources.ts";
import { nearest } from "../../nearest.ts";
import { code, text } from "../../text.ts";
import type { NoSuch } from "../runbook.ts";

/** What somebody wants to reach, as far as the cluster knows it. */
export type PathSubject = Readonly<{
  word: string;
  kind: "service" | "address" | "name";
  /** `namespace/name`. */
  service: string | undefined;
  ip: string | undefined;
  /** What a client would type: the name that was asked for, else the first that the Service asks for. */
  hostname: Fqdn | undefined;
  /** Other names of the same Service; they are not looked at. */
  otherNames: readonly Fqdn[];
}>;

type Known = Readonly<{ objects: MetalLbObjects; wishes: Wishes; zones: readonly Fqdn[] | undefined }>;

const lookedUp: readonly string[] = ["A", "AAAA", "CNAME"];

/** Names that some ExternalDNS wants for a Service: by what it was made from first, then by its address. */
export function namesFor(
  { views }: Wishes,
  service: string | undefined,
  ip: string | undefined,
): readonly Fqdn[] {
  const wished = views.flatMap(({ wanted }) => wanted).filter(({ type }) => lookedUp.includes(type));
  const own = wished.filter(
    ({ labels }) => service !== undefined && labels[resourceLabel] === `service/${service}`,
  );
  const byAddress = wished.filter(({ targets }) => ip !== undefined && targets.includes(ip));
  const names = [...own, ...byAddress].map(({ name }) => decodeName(name));
  return [...new Set(names)].flatMap((name) => {
    const read = readFqdn(name);
    return read.ok && !name.startsWith("*") ? [read.fqdn] : [];
  });
}

const ofService = (
  known: Known,
  word: string,
  kind: PathSubject["kind"],
  service: string,
  ip?: string,
): PathSubject => {
  const address =
    ip ??
    assignedAddresses(known.objects).find((each) => each.service === service && each.ip.includes("."))?.ip ??
    assignedAddresses(known.objects).find((each) => each.service === service)?.ip;
  const [hostname, ...otherNames] = namesFor(known.wishes, service, address);
  return { word, kind, service, ip: address, hostname, otherNames };
};

/** The Service behind an address, as MetalLB's status has it. */
const ownerOfAddress = (objects: MetalLbObjects, ip: string): string | undefined =>
  assignedAddresses(objects).find((each) => each.ip === ip)?.service;

/** A host name: by what ExternalDNS wants for it, its own wish or the wildcard's above it. */
function named(known: Known, word: string, hostname: Fqdn): PathSubject {
  const wanting = (name: string) =>
    known.wishes.views.flatMap(({ wanted }) =>
      wanted.filter((each) => lookedUp.includes(each.type) && decodeName(each.name) === name),
    );
  const above = `*.${hostname.slice(hostname.indexOf(".") + 1)}`;
  const wished = [...wanting(hostname), ...wanting(above)];
  const targets = wished.flatMap((each) => each.targets).flatMap((each) => parseIp(each)?.text ?? []);
  const source = wished
    .map(({ labels }) => /^service\/(.+)$/.exec(labels[resourceLabel] ?? "")?.[1])
    .find((each) => each !== undefined);
  const ip = targets.find((each) => ownerOfAddress(known.objects, each) !== undefined) ?? targets[0];
  const service = (ip === undefined ? undefined : ownerOfAddress(known.objects, ip)) ?? source;
  return { word, kind: "name", service, ip, hostname, otherNames: [] };
}

/** With what the zone or a resolver says of a name that nobody in the cluster asks for. */
export function addressed(
  subject: PathSubject,
  objects: MetalLbObjects,
  addresses: readonly string[],
): PathSubject {
  if (subject.ip !== undefined) return subject;
  const read = addresses.flatMap((each) => parseIp(each)?.text ?? []);
  const ip = read.find((each) => ownerOfAddress(objects, each) !== undefined) ?? read[0];
  return ip === undefined
    ? subject
    : { ...subject, ip, service: subject.service ?? ownerOfAddress(objects, ip) };
}

/** What a person means by `SERVICE|IP|HOSTNAME`. */
export function pathSubject(known: Known, word: string): PathSubject | NoSuch {
  const { objects, wishes, zones } = known;
  const ip = parseIp(word);
  if (ip !== undefined) {
    const service = ownerOfAddress(objects, ip.text);
    if (service !== undefined) return ofService(known, word, "address", service, ip.text);
    return { word, kind: "address", service: undefined, ip: ip.text, hostname: undefined, otherNames: [] };
  }
  const found = resolveSubject(objects, word);
  if (word !== "all" && found.kind === "subjects") {
    const [first] = found.subjects;
    if (first?.service !== undefined) return ofService(known, word, "service", first.service);
  }
  if (found.kind === "no-address") return ofService(known, word, "service", found.service);
  if (found.kind === "ambiguous")
    return {
      noSuch: text`${code(word)} is the name of ${found.services.length} Services`,
      next: found.services.map((each) => text`${code(`/runbook run service-unreachable ${each}`)}`),
    };
  const hostname = readFqdn(word);
  const names = wishes.views.flatMap(({ wanted }) =>
    wanted.filter(({ type }) => lookedUp.includes(type)).map(({ name }) => decodeName(name)),
  );
  if (hostname.ok && word.includes(".")) {
    const inZone = (zones ?? []).some((zone) => isWithin(hostname.fqdn, zone));
    const subject = named(known, word, hostname.fqdn);
    if (inZone || subject.ip !== undefined || subject.service !== undefined) return subject;
    // Without a list of zones nobody knows that it is none of ours.
    if (zones === undefined && nearest(word, names) === undefined) return subject;
  }
  const services = objects.services.filter(({ type }) => type === "LoadBalancer");
  const short = services.map((each) => (word.includes("/") ? serviceKey(each) : each.name));
  const near = nearest(word, [...new Set([...short, ...names])]);
  return {
    noSuch: text`no Service, address or name ${code(word)}${near === undefined ? "" : `. Nearest: ${near}`}`,
    next: [
      ...(near === undefined ? [] : [text`${code(`/runbook run service-unreachable ${near}`)}`]),
      text`Every address: ${code("/arping all")}`,
    ],
  };
}
