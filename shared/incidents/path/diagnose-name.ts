import { surroundingsOf } from "../../arp/surroundings.ts";
import { readFqdn } from "../../dns/fqdn.ts";
import { diagnoses } from "../../explain/all.ts";
import { answersOf, dataOf } from "../../explain/evidence.ts";
import { code, join, type Text, text } from "../../text.ts";
import type { Diagnosis } from "../diagnosis.ts";
import { broken, holds, unseen } from "../make-link.ts";
import type { DiagnoseOptions, DiagnosePorts, NoSuch } from "../runbook.ts";
import { changesBeside } from "./changes-beside.ts";
import { conclude, neededForNames } from "./conclude.ts";
import type { NameView, PathEvidence } from "./evidence.ts";
import { budget, lookAtName, readKnown } from "./gather.ts";
import { judgeName, recordedAddresses } from "./judge-name.ts";
import { findingOf, type Judged, only, type Reason } from "./reason.ts";
import { relatedChanges } from "./related-changes.ts";
import { serviceFacts } from "./service-facts.ts";
import { addressed, type PathSubject, pathSubject } from "./subject.ts";
import { within } from "./within.ts";

/** Codes that a cause of a name that does not resolve can have. */
export const nameCodes: readonly string[] = [
  ...diagnoses.filter(({ id }) => id !== "client-side").map(({ id }) => `dns-${id}`),
  "name-not-wanted",
  "resolver-silent",
  "resolver-differs",
  "resolver-cannot-ask",
  "resolver-overrides",
  "record-missing",
  "record-wrong-target",
  ...["name", "resolver", "delegation", "record", "owner", "public"].flatMap((link) => [
    `${link}-unexplained`,
    `${link}-unseen`,
  ]),
  "public-without-address",
  "look-again",
];

/** Resolvers outside see the delegation as the world does; what they lack is no fault of the site's resolver. */
function publicLink(view: NameView): Judged {
  const head = { id: "public", title: "Resolvers outside give the address" } as const;
  const { name } = view.evidence;
  const looked = view.evidence.public;
  if (!looked.ok) return only(unseen(head, looked.fault));
  const at = { ...head, from: looked.from };
  const answers = answersOf(looked.value);
  const given = [...new Set(answers.flatMap((answer) => dataOf(answer, "A")))];
  const lines = looked.value.map(({ server, reply }) =>
    reply.kind === "silence"
      ? `${server}  no answer (${reply.because})`
      : `${server}  ${dataOf(reply, "A").join(", ") || "nothing of type A"}  ${reply.rcode}`,
  );
  const evidence = { title: `A ${name}`, lines };
  if (answers.length === 0)
    return only(
      unseen(at, { kind: "timed-out", what: "resolvers outside", detail: "none of them answers" }, evidence),
    );
  if (given.length > 0 && answers.every((answer) => dataOf(answer, "A").length > 0))
    return only(holds(at, join(given.map(code), ", "), { evidence }));
  const because = text`${answers.map(({ server, rcode }) => `${server}: ${rcode}`).join(", ")} without an address`;
  const reason: Reason = {
    code: "public-without-address",
    link: "resolver",
    certain: false,
    subject: { kind: "name", name },
    text: because,
    next: [text`${code(`/dns explain ${name}`)}`],
  };
  return { link: broken(at, because, [findingOf(reason)], evidence), reasons: [] };
}

const addressesOf = (view: NameView): readonly string[] => recordedAddresses(view.evidence) ?? [];

function summaryOf(view: NameView | undefined): Text {
  const site = view?.evidence.site;
  const from = site?.ok ? ` from ${site.from}` : "";
  const client = view?.explanation.possible.find(({ diagnosis }) => diagnosis.id === "client-side");
  return text`it resolves wherever we could ask${from}${client === undefined ? "" : "; where it does not, look at that client (search domain, hosts file, its own resolver)"}`;
}

/** Why a name does not resolve: the sixteen diagnoses over one look at parent, zone, resolvers and Route 53. */
export async function diagnoseName(
  ports: DiagnosePorts,
  word: string,
  { signal, show }: DiagnoseOptions,
): Promise<Diagnosis | NoSuch> {
  const { clock, config } = ports;
  const startedAt = clock.now();
  const read = readFqdn(word);
  if (!read.ok || !word.includes("."))
    return {
      noSuch: text`${code(word)} is no host name${read.ok ? "" : `: ${read.problem}`}`,
      next: [text`A Service goes by its own runbook: ${code(`/runbook run service-unreachable ${word}`)}`],
    };
  const { lists, cluster, wishes } = await readKnown(ports, signal);
  show(["asking parent, zone and resolvers about ", { code: read.fqdn }]);
  const answer = await within(
    clock,
    { until: startedAt + budget.whole, what: `questions about ${read.fqdn}`, signal },
    (late) => lookAtName(ports, wishes, read.fqdn, late),
  );
  const meant = pathSubject({ objects: cluster.objects, wishes, zones: undefined }, read.fqdn);
  const plain: PathSubject = {
    word,
    kind: "name",
    service: undefined,
    ip: undefined,
    hostname: read.fqdn,
    otherNames: [],
  };
  // Only what the cluster wants may be called right; what the zone says is what is in question.
  const subject = "noSuch" in meant ? plain : { ...meant, kind: "name" as const, hostname: read.fqdn };
  const evidence: PathEvidence = {
    config,
    now: startedAt,
    subject:
      answer.ok && subject.service === undefined && subject.ip === undefined
        ? addressed(subject, cluster.objects, addressesOf(answer.evidence))
        : subject,
    lists,
    surroundings: surroundingsOf(cluster, [], config),
    wishes,
    service: subject.service === undefined ? undefined : serviceFacts(lists.services ?? [], subject.service),
    name: answer,
    wire: undefined,
    passedOver: [],
    clients: [],
    leader: undefined,
    pings: [],
  };
  const judged = judgeName(evidence);
  const view = answer.ok ? answer.evidence : undefined;
  const all = view === undefined ? judged : [...judged, publicLink(view)];
  const { conclusion, unexplained } = conclude(all, {
    summary: summaryOf(view),
    needed: neededForNames,
    proven: (links) => links.some(({ id, outcome }) => id === "resolver" && outcome === "passed"),
  });
  const changed = await changesBeside(ports, lists, startedAt);
  const links = all.map(({ link }) => link);
  const site = view?.evidence.site;
  const vantage = site?.ok ? config.vantages.find(({ name }) => name === site.from) : undefined;
  return {
    runbook: "name-does-not-resolve",
    subject: { kind: "name", name: read.fqdn },
    title: [read.fqdn, ...(evidence.subject.ip === undefined ? [] : [evidence.subject.ip])].join(" · "),
    links,
    conclusion,
    findings: [
      ...unexplained
        .filter(({ id }) => id !== "public")
        .map(({ id, title, because }) => ({
          code: "link-not-explained",
          severity: "warning" as const,
          subject: { kind: "config" as const, name: id },
          facts: {},
          text: text`“${title}” fails too, and not for that reason: ${because}`,
        })),
      ...links.flatMap((link) => (link.outcome === "passed" ? link.findings : [])),
      ...relatedChanges(evidence, conclusion, changed.changes),
    ],
    seen:
      vantage === undefined || site === undefined || !site.ok
        ? []
        : [
            {
              vantage: vantage.name,
              place: vantage.place,
              clusterNode: vantage.clusterNode !== undefined,
              text: text`${site.value.map(({ server, reply }) => `${server}: ${reply.kind === "silence" ? "no answer" : dataOf(reply, "A").join(", ") || reply.rcode}`).join("; ")}`,
            },
          ],
    ...changed,
    startedAt,
    endedAt: clock.now(),
    facts: {
      name: read.fqdn,
      state: view?.explanation.state ?? null,
      certain: view?.explanation.certain.map(({ diagnosis }) => diagnosis.id) ?? [],
      possible: view?.explanation.possible.map(({ diagnosis }) => diagnosis.id) ?? [],
      unknown: view?.explanation.unknown.map(({ diagnosis }) => diagnosis.id) ?? [],
    },
  };
}
