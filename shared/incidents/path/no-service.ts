import { assignedAddresses } from "../../arp/subject.ts";
import { contains, parseAddresses, parseIp } from "../../metallb/ip.ts";
import { nearest } from "../../nearest.ts";
import { code, type Text, text } from "../../text.ts";
import { holds, type LinkHead, skipped } from "../make-link.ts";
import type { PathEvidence } from "./evidence.ts";
import { fails, type Judged, only } from "./reason.ts";

const isIn = (ip: string, entries: readonly string[]): string | undefined => {
  const address = parseIp(ip);
  return entries.find((entry) => {
    const parsed = parseAddresses(entry);
    return address !== undefined && !("error" in parsed) && parsed.some((range) => contains(range, address));
  });
};

/** What is known about an address that no Service has, in sentences without full stops. */
export function knownAbout({ subject, surroundings, config, wire }: PathEvidence): readonly Text[] {
  const { ip } = subject;
  if (ip === undefined) return [];
  const { objects } = surroundings;
  const node = objects.nodes.find(({ addresses }) =>
    addresses.some(({ address }) => parseIp(address)?.text === ip),
  );
  const pool = objects.ipAddressPools.find(({ addresses }) => isIn(ip, addresses) !== undefined);
  const range = isIn(ip, config.site.dhcpRanges);
  const assigned = assignedAddresses(objects);
  const near = nearest(
    ip,
    assigned.map((each) => each.ip),
  );
  const neighbour = assigned.find((each) => each.ip === near);
  const seen = wire?.ok ? wire.evidence.verdict : undefined;
  return [
    ...(node === undefined ? [] : [text`it is an address of node ${node.name}`]),
    ...(ip === config.site.routerIp ? [text`it is the router's`] : []),
    pool === undefined
      ? text`no pool holds it`
      : text`pool ${pool.name} holds it, and has given it to nobody`,
    ...(range === undefined ? [] : [text`it lies in the DHCP range ${range}`]),
    ...(seen === undefined ? [] : [text`on the wire: ${seen.headline}`]),
    ...(neighbour === undefined ? [] : [text`nearest: ${neighbour.service ?? ""} ${neighbour.ip}`]),
  ];
}

const joined = (texts: readonly Text[]): Text =>
  texts.flatMap((each, i) => (i === 0 ? [...each] : ["; ", ...each]));

/** The address link of a subject without a Service. */
export function noService(evidence: PathEvidence, head: LinkHead): Judged {
  const { subject, surroundings } = evidence;
  const { ip, hostname } = subject;
  if (ip === undefined)
    return only(
      skipped(
        head,
        text`${hostname === undefined ? subject.word : code(hostname)} leads to no address that is known`,
      ),
    );
  const facts = joined(knownAbout(evidence));
  const own = surroundings.objects.nodes.find(({ addresses }) =>
    addresses.some(({ address }) => parseIp(address)?.text === ip),
  );
  if (own !== undefined || ip === evidence.config.site.routerIp)
    return only(holds(head, text`no Service, but a machine has ${code(ip)}: ${facts}`));
  const because = text`no Service has ${code(ip)}: ${facts}`;
  return fails(head, because, [
    {
      code: "address-of-no-service",
      link: "address",
      certain: true,
      subject: { kind: "address", name: ip },
      text: because,
      next: [
        text`Who answers for it: ${code(`/arping ${ip}`)}`,
        text`Which Service had it: ${code("/arpeggio changes --since 1d")}`,
      ],
    },
  ]);
}
