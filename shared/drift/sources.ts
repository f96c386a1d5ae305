import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { text, code as word } from "../text.ts";
import type { DriftInput } from "./input.ts";

/** A plan wants a snapshot younger than this; an older one is told. */
export const freshForMs = 600_000;

/**
 * Of another time than the zone's listing: what the cluster wanted then says nothing about what it wants now, nor what
 * ExternalDNS will do.
 */
export const isOutdated = ({ at, snapshot }: Pick<DriftInput, "at" | "snapshot">): boolean =>
  Math.abs(at - snapshot.takenAt) > freshForMs;

/** Looked at within so little of each other, cluster and zone are taken for looked at together. */
const togetherMs = 15_000;

/** The cluster was looked at when this was seen in the zone, or later. */
export const isConfirmed = (firstAt: number, { snapshot }: Pick<DriftInput, "snapshot">): boolean =>
  firstAt - snapshot.takenAt <= togetherMs;

/** At least 3 and more than 10 % fewer than the last accepted ones. */
export const isShrunken = (endpoints: number, lastAccepted: number | undefined): boolean =>
  lastAccepted !== undefined &&
  lastAccepted - endpoints >= 3 &&
  lastAccepted - endpoints > lastAccepted * 0.1;

export type SourceJudgement = Readonly<{ findings: readonly Finding[]; deletesBlocked: readonly string[] }>;

const minutes = (ms: number): string => `${Math.floor(ms / 60_000)} min`;

/** What the reading itself says: unreadable, stale, shrunken or empty sources, and what is not modelled. */
export function judgeSources(input: DriftInput): SourceJudgement {
  const { snapshot, zone, at } = input;
  const findings: Finding[] = [];
  const deletesBlocked: string[] = [];
  const tell = (
    code: string,
    severity: Finding["severity"],
    words: string,
    facts: Finding["facts"],
    blocks: boolean,
    remedy?: Finding["remedy"],
  ): void => {
    const subject = { kind: "zone", name: zone.name } as const;
    findings.push({ code, severity, subject, facts, text: [words], ...(remedy && { remedy }) });
    if (blocks) deletesBlocked.push(words);
  };
  if (isFault(input.recordSets))
    tell(
      "dns-zone-unreadable",
      "unknown",
      `could not list ${zone.name}: ${input.recordSets.what}: ${input.recordSets.detail}`,
      { kind: input.recordSets.kind },
      true,
    );
  if (isFault(input.controllers))
    tell(
      "dns-controllers-unreadable",
      "unknown",
      `could not look for ExternalDNS: ${input.controllers.what}: ${input.controllers.detail}`,
      { kind: input.controllers.kind },
      true,
    );
  for (const fault of snapshot.faults)
    tell(
      "dns-source-unreadable",
      "unknown",
      `could not read what the cluster wants: ${fault.what}: ${fault.detail}`,
      { kind: fault.kind, what: fault.what },
      true,
    );
  if (at - snapshot.takenAt > freshForMs)
    tell(
      "dns-snapshot-stale",
      "warning",
      `the snapshot of wanted endpoints is ${minutes(at - snapshot.takenAt)} old, and ${minutes(freshForMs)} are allowed: what differs is not known`,
      { takenAt: snapshot.takenAt },
      true,
    );
  if (snapshot.takenAt - at > freshForMs)
    tell(
      "dns-snapshot-from-the-future",
      "warning",
      `the snapshot of wanted endpoints is dated ${minutes(snapshot.takenAt - at)} ahead: a clock is wrong, and what differs is not known`,
      { takenAt: snapshot.takenAt },
      true,
    );
  if (snapshot.endpoints === 0 && !isFault(input.controllers))
    tell("dns-source-empty", "warning", "the cluster wants no endpoint at all", { endpoints: 0 }, true);
  else if (isShrunken(snapshot.endpoints, snapshot.lastAccepted))
    tell(
      "dns-source-shrunken",
      "warning",
      `the cluster wants ${snapshot.endpoints} endpoints; the last accepted snapshot wanted ${snapshot.lastAccepted}`,
      { endpoints: snapshot.endpoints, lastAccepted: snapshot.lastAccepted ?? 0 },
      true,
      text`where that is meant, an approver says so: ${word("/dns accept --reason TEXT")}`,
    );
  if (!isFault(input.controllers)) {
    if (input.controllers.length === 0)
      tell(
        "dns-no-controller",
        "warning",
        "no ExternalDNS was found, so nobody's records can be told apart",
        {},
        true,
      );
    for (const { name, unknown, dropped } of input.controllers) {
      for (const what of unknown)
        tell("dns-not-modelled", "unknown", `${name}: not modelled or not known: ${what}`, { what }, true);
      const ignored = dropped.filter(({ ignoredPrefix }) => ignoredPrefix !== undefined).length;
      if (ignored > 0)
        tell(
          "dns-annotations-ignored",
          "error",
          `${name} does not read the annotation prefix of ${ignored} wanted endpoints`,
          { endpoints: ignored },
          true,
        );
    }
  }
  if (isFault(input.predictions))
    findings.push({
      code: "dns-announcers-unknown",
      severity: "unknown",
      subject: { kind: "zone", name: zone.name },
      facts: { kind: input.predictions.kind },
      text: text`could not predict who announces the addresses: ${input.predictions.detail}`,
    });
  return { findings, deletesBlocked };
}
