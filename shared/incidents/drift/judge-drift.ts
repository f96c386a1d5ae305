import { driftKinds } from "../../drift/all.ts";
import type { Drift } from "../../drift/drift.ts";
import { type DriftReport, driftKey, isUnwatchedZone } from "../../drift/drift-report.ts";
import { isFault } from "../../fault.ts";
import { type Finding, isFailure } from "../../finding.ts";
import { nameList } from "../../name-list.ts";
import { counted } from "../../report/wording.ts";
import { plain, text } from "../../text.ts";
import type { Link } from "../link.ts";
import { broken, holds, type LinkHead, skipped, unseen } from "../make-link.ts";
import type { DriftEvidence } from "./gather-drift.ts";

const route53 = "Route 53";

/** Kinds that a client feels: it gets no address, or another one than it should. */
const felt: readonly string[] = [
  "record-missing",
  "record-wrong-target",
  "two-claimants",
  "address-not-the-services",
  "address-not-announced",
];
/** Kinds that say that the ExternalDNS itself does not do what people think it does. */
const working: readonly string[] = ["external-dns-crash", "annotation-ignored", "rewritten-every-round"];

/** Findings about the reading itself, by what they leave unknown. */
const unread: readonly string[] = [
  "dns-zone-unreadable",
  "dns-controllers-unreadable",
  "dns-source-unreadable",
];
const unwatched: readonly string[] = ["dns-no-controller", "dns-zone-unwatched"];

/** The link that a kind of drift breaks. */
export const linkOf = (kind: string): string =>
  felt.includes(kind) ? "records" : working.includes(kind) ? "reconciles" : "ownership";

const who: Readonly<Record<Drift["repair"], string>> = {
  we: "we will, after approval",
  "external-dns": "ExternalDNS will",
  nobody: "nobody will",
};

const lineOf = (drift: Drift): string =>
  `${drift.name} ${drift.type}  ${drift.kind}  want ${drift.want.join(", ") || "none"}, have ${drift.have.join(", ") || "none"}; ${who[drift.repair]}`;

/** What is told of the zone: everything but remarks, and but what awaits a newer look at the cluster. */
export function toldOf(report: DriftReport): readonly Drift[] {
  const awaiting = new Set(report.awaiting);
  return report.drifts.filter((drift) => drift.severity !== "info" && !awaiting.has(driftKey(drift)));
}

export const titleOf = (kind: string): string => driftKinds.find(({ id }) => id === kind)?.title ?? kind;

const findingOf = (drift: Drift): Finding => ({
  code: drift.kind,
  severity: drift.severity,
  subject: { kind: "record", name: drift.name },
  facts: {
    type: drift.type,
    want: drift.want,
    have: drift.have,
    owner: drift.owner ?? null,
    ownership: drift.ownership,
    repair: drift.repair,
  },
  text: text`${drift.name} ${drift.type}: want ${drift.want.join(", ") || "none"}, have ${drift.have.join(", ") || "none"}; ${drift.outlook}`,
});

function driftLink(head: LinkHead, report: DriftReport, id: string): Link {
  const drifts = toldOf(report).filter(({ kind }) => linkOf(kind) === id);
  const [first, ...rest] = drifts.filter(({ severity }) => isFailure({ severity } as Finding)).map(findingOf);
  const lines = drifts.map(lineOf);
  const shown = { title: `${counted(drifts.length, "difference")}`, lines };
  const kinds = [...new Set(drifts.map(({ kind }) => kind))];
  if (first !== undefined)
    return broken(
      head,
      text`${counted(drifts.length, "difference")}: ${nameList(kinds)}`,
      [first, ...rest],
      shown,
    );
  if (isUnwatchedZone(report))
    return skipped(head, text`no ExternalDNS looks at the zone, so nothing is wanted there`);
  if (!report.complete)
    return unseen(
      head,
      {
        kind: "unreadable",
        what: report.zone.name,
        detail: "not everything could be read, so what differs is not known",
      },
      shown,
    );
  return holds(
    head,
    text`nothing differs${drifts.length > 0 ? `, ${drifts.length} not told for sure` : ""}`,
    { evidence: shown },
  );
}

function zoneLink({ report, zone, from }: DriftEvidence): Link {
  const head = {
    id: "zone",
    title: "The zone can be listed whole",
    from: from === "now" ? route53 : "the last scan",
  };
  if (isFault(report)) return unseen(head, report);
  const fault = report.findings.find(({ code }) => code === "dns-zone-unreadable");
  if (fault !== undefined || report.recordSets === undefined)
    return unseen(head, {
      kind: "unreadable",
      what: zone.name,
      detail: plain(fault?.text ?? ["it was not listed"]),
    });
  return holds(
    head,
    text`${counted(report.recordSets, "record set")}, ${report.owned.records} owned by ours`,
  );
}

function wishesLink({ report }: DriftEvidence): Link {
  const head = { id: "wishes", title: "What the cluster wants is known", from: "Kubernetes API" };
  if (isFault(report)) return unseen(head, report);
  const gap = report.findings.find(({ code }) => unread.includes(code) && code !== "dns-zone-unreadable");
  if (gap !== undefined)
    return unseen(head, { kind: "unreadable", what: "the cluster's wishes", detail: plain(gap.text) });
  const bad = report.findings.filter((each) => /^dns-(source|snapshot)-/.test(each.code) && isFailure(each));
  const [first, ...rest] = bad;
  if (first !== undefined) return broken(head, first.text, [first, ...rest]);
  return holds(head, text`as of ${new Date(report.snapshot.takenAt).toISOString().slice(11, 19)} UTC`);
}

function watchedLink({ report }: DriftEvidence): Link {
  const head = { id: "watched", title: "An ExternalDNS looks at the zone", from: "Kubernetes API" };
  if (isFault(report)) return unseen(head, report);
  // Where something could not be listed, that none was found means nothing.
  const gap = report.findings.find(({ code }) => unread.includes(code) && code !== "dns-zone-unreadable");
  if (gap !== undefined)
    return unseen(head, { kind: "unreadable", what: "ExternalDNS", detail: plain(gap.text) });
  const [first, ...rest] = report.findings.filter(({ code }) => unwatched.includes(code));
  if (first !== undefined) return broken(head, first.text, [first, ...rest]);
  if (report.controllers.length === 0)
    return unseen(head, { kind: "unreadable", what: "ExternalDNS", detail: "it could not be looked for" });
  return holds(
    head,
    text`${nameList(report.controllers.map(({ name, release, owner, policy }) => `${name} ${release} (owner ${owner}, ${policy})`))}`,
  );
}

function runsLink({ report, controllers }: DriftEvidence): Link {
  const head = { id: "runs", title: "That ExternalDNS runs", from: "Kubernetes API" };
  if (isFault(report)) return unseen(head, report);
  if (report.controllers.length === 0) return skipped(head, text`none is known to look at the zone`);
  if (isFault(controllers)) return unseen(head, controllers);
  const down = controllers.filter(({ wanted, ready }) => wanted === 0 || ready === 0);
  const [first, ...rest] = down.map(
    ({ name, wanted, ready }): Finding => ({
      code: "external-dns-not-running",
      severity: "error",
      subject: { kind: "config", name },
      facts: { wanted, ready },
      text:
        wanted === 0 ? text`${name} is scaled to zero` : text`${name} has no ready pod (${wanted} wanted)`,
    }),
  );
  if (first !== undefined) return broken(head, first.text, [first, ...rest]);
  return holds(
    head,
    text`${nameList(controllers.map(({ name, wanted, ready }) => `${name} ${ready} of ${wanted} ready`))}`,
  );
}

function reconcilesLink({ report }: DriftEvidence): Link {
  const head = { id: "reconciles", title: "It does what it should in each round", from: route53 };
  if (isFault(report)) return unseen(head, report);
  const late = report.findings.filter(({ code }) => code === "external-dns-not-reconciling");
  const [first, ...rest] = late;
  if (first !== undefined) return broken(head, first.text, [first, ...rest]);
  if (report.controllers.length === 0) return skipped(head, text`none is known to look at the zone`);
  return driftLink(head, report, "reconciles");
}

/** From reading to repair, each link on its own. Pure. */
export function driftLinks(evidence: DriftEvidence): readonly Link[] {
  const { report } = evidence;
  const records = { id: "records", title: "Clients get the addresses that are wanted", from: route53 };
  const ownership = { id: "ownership", title: "Every record has the owner it needs", from: route53 };
  return [
    zoneLink(evidence),
    wishesLink(evidence),
    watchedLink(evidence),
    runsLink(evidence),
    reconcilesLink(evidence),
    isFault(report) ? unseen(records, report) : driftLink(records, report, "records"),
    isFault(report) ? unseen(ownership, report) : driftLink(ownership, report, "ownership"),
  ];
}
