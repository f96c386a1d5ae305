import { driftKinds } from "../../drift/all.ts";
import type { Drift } from "../../drift/drift.ts";
import { isFault } from "../../fault.ts";
import { bySeverity, type Finding, isFailure, type NonEmpty } from "../../finding.ts";
import { nameList } from "../../name-list.ts";
import { counted } from "../../report/wording.ts";
import { code, type Text, text } from "../../text.ts";
import type { Cause, Conclusion } from "../diagnosis.ts";
import type { Link } from "../link.ts";
import type { DriftEvidence } from "./gather-drift.ts";
import { linkOf, titleOf, toldOf } from "./judge-drift.ts";

const ownCodes = [
  "external-dns-not-running",
  "external-dns-not-reconciling",
  "dns-no-controller",
  "dns-zone-unwatched",
  "dns-source-empty",
  "dns-source-shrunken",
  "dns-snapshot-stale",
  "dns-snapshot-from-the-future",
] as const;

/** Every cause of `dns-drift`: its own, and every kind of drift. */
export const dnsDriftCodes: readonly string[] = [...ownCodes, ...driftKinds.map(({ id }) => id)];

function nextFor(zone: string, drifts: readonly Drift[], waits: boolean): NonEmpty<Text> {
  const [first] = drifts;
  if (first === undefined) return [text`Look again: ${code(`/dns report ${zone}`)}`];
  if (first.repair === "we")
    return [text`See what we would change, and ask for it: ${code(`/dns plan ${zone}`)}`];
  if (first.repair === "external-dns")
    return waits
      ? [text`Get ExternalDNS going first; then look again: ${code(`/dns report ${zone}`)}`]
      : [text`Wait for its next round, then look again: ${code(`/dns report ${zone}`)}`];
  return [
    text`Nobody will by itself. Why this one: ${code(`/dns explain ${first.name}`)}`,
    text`What differs and what people can do: ${code(`/dns report ${zone} --explain`)}`,
  ];
}

const order: Readonly<Record<Drift["repair"], number>> = { nobody: 0, we: 1, "external-dns": 2 };

function causeOf(zone: string, drifts: readonly Drift[], waits: boolean): Cause {
  const [first] = drifts as readonly [Drift, ...Drift[]];
  const names = [...new Set(drifts.map(({ name, type }) => `${name} ${type}`))];
  return {
    code: first.kind,
    link: linkOf(first.kind),
    text: text`${titleOf(first.kind)}: ${nameList(names)}. ${first.outlook}`,
    next: nextFor(zone, drifts, waits),
  };
}

const own = (zone: string, link: Link, finding: Finding): Cause => ({
  code: finding.code,
  link: link.id,
  text: finding.text,
  next:
    finding.code === "external-dns-not-running"
      ? [
          text`See why: ${code(`kubectl -n ${finding.subject.name.split("/")[0] ?? ""} get deployment,pods`)}`,
          text`Until it runs nobody repairs the zone by itself: ${code(`/dns report ${zone}`)}`,
        ]
      : ([
          ...(finding.remedy === undefined ? [] : [finding.remedy]),
          text`What it sees: ${code(`/dns check ${zone}`)}`,
        ] as unknown as NonEmpty<Text>),
});

/** One cause a kind; what ExternalDNS would repair is explained by its standing still, where it does. Pure. */
export function concludeDrift(evidence: DriftEvidence, links: readonly Link[]): Conclusion {
  const { report, zone } = evidence;
  const standing = links.flatMap((link) =>
    link.outcome === "failed"
      ? link.findings
          .filter((each) => isFailure(each) && (ownCodes as readonly string[]).includes(each.code))
          .map((each) => own(zone.name, link, each))
      : [],
  );
  const ignored = !isFault(report) && report.drifts.some(({ kind }) => kind === "annotation-ignored");
  // That nothing is wanted any more is then only how it shows.
  const said = standing.filter(({ code: name }) => !ignored || !name.startsWith("dns-source-"));
  const stopped = standing.some(
    ({ code: name }) => name === "external-dns-not-running" || name === "external-dns-not-reconciling",
  );
  const drifts = isFault(report)
    ? []
    : toldOf(report).filter(({ severity }) => isFailure({ severity } as Finding));
  const left = stopped ? drifts.filter(({ repair }) => repair !== "external-dns") : drifts;
  const groups = [...Map.groupBy(left, ({ kind, repair }) => `${kind} ${repair}`).values()].toSorted(
    (a, b) =>
      bySeverity({ severity: a[0]?.severity } as Finding, { severity: b[0]?.severity } as Finding) ||
      order[a[0]?.repair ?? "nobody"] - order[b[0]?.repair ?? "nobody"],
  );
  const causes = [...said, ...groups.map((each) => causeOf(zone.name, each, stopped))];
  const distinct = causes.filter((each, i) => causes.findIndex((other) => other.code === each.code) === i);
  const [first, ...also] = distinct;
  if (first !== undefined) return { kind: "cause", cause: first, also };
  const blind = links.find((link) => link.outcome === "unknown");
  if (isFault(report) || blind?.outcome === "unknown")
    return {
      kind: "unknown",
      text: text`whether ${zone.name} differs cannot be told: ${
        isFault(report)
          ? `${report.what}: ${report.detail}`
          : blind?.outcome === "unknown"
            ? `${blind.fault.what}: ${blind.fault.detail}`
            : ""
      }`,
    };
  return {
    kind: "healthy",
    text: text`nothing differs in ${zone.name}: ${counted(report.recordSets ?? 0, "record set")}, ${report.owned.records} owned by ours`,
  };
}
