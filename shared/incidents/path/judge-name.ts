import type { RecordSet } from "../../dns/record-set.ts";
import type { Diagnosis as NameDiagnosis } from "../../explain/diagnosis.ts";
import { answersOf, dataOf, type ExplainEvidence, sameData } from "../../explain/evidence.ts";
import { code, join, type Text, text } from "../../text.ts";
import { holds, type LinkHead, skipped, unseen } from "../make-link.ts";
import type { NameView, PathEvidence } from "./evidence.ts";
import { fails, type Judged, only, type PathLink, type Reason } from "./reason.ts";

/** Where each of the sixteen reasons breaks the path. */
export const linkOfDiagnosis: Readonly<Record<string, PathLink>> = {
  "not-delegated": "delegation",
  "wrong-twin-zone": "delegation",
  "other-delegation": "delegation",
  "lame-server": "delegation",
  "server-unreachable": "delegation",
  "dnssec-broken": "delegation",
  "private-zone-only": "record",
  "hidden-by-delegation": "record",
  shadowed: "record",
  "not-in-sync": "record",
  "wrong-owner": "owner",
  "private-address-filter": "resolver",
  "split-horizon": "resolver",
  "negative-cache": "resolver",
  "stale-cache": "resolver",
  "client-side": "resolver",
};

export const nameHeads = {
  name: { id: "name", title: "Something asks for the name" },
  resolver: { id: "resolver", title: "The site's resolver gives the address" },
  delegation: { id: "delegation", title: "The parent names the zone's servers" },
  record: { id: "record", title: "The zone holds the record", from: "Route 53" },
  owner: { id: "owner", title: "The record is ExternalDNS's own", from: "Route 53" },
} as const satisfies Readonly<Record<string, LinkHead>>;

const explainCommand = (name: string): Text => text`Who says what: ${code(`/dns explain ${name}`)}`;

/** Reasons that the sixteen diagnoses give for one link. Excuses by exclusion are no reason for a broken link. */
export function diagnosed(view: NameView, link: PathLink): readonly Reason[] {
  const { certain, possible } = view.explanation;
  const { name } = view.evidence;
  const reason = (
    diagnosis: NameDiagnosis,
    sure: boolean,
    because: Text,
    next: readonly [Text, ...Text[]],
  ): Reason => ({
    code: `dns-${diagnosis.id}`,
    link,
    certain: sure,
    subject: { kind: "name", name },
    text: text`${diagnosis.sentence}: ${because}`,
    next: [...next, explainCommand(name)],
    facts: { diagnosis: diagnosis.number },
  });
  const own = <T extends Readonly<{ diagnosis: NameDiagnosis }>>(list: readonly T[]): readonly T[] =>
    list.filter(({ diagnosis }) => linkOfDiagnosis[diagnosis.id] === link && diagnosis.id !== "client-side");
  return [
    ...own(certain).map(({ diagnosis, opinion }) =>
      reason(diagnosis, true, opinion.because, [opinion.remedy]),
    ),
    ...own(possible).map(({ diagnosis, opinion }) =>
      reason(diagnosis, false, opinion.because, [text`To decide: ${opinion.test}`, opinion.remedy]),
    ),
  ];
}

/** Addresses that the zone holds at the name, or under the wildcard that stands for it; undefined for aliases. */
export function recordedAddresses({ listed }: ExplainEvidence): readonly string[] | undefined {
  if (!listed.ok) return undefined;
  const sets = listed.value
    .filter(({ zone }) => !zone.private)
    .flatMap(({ atName, wildcard, blocks }): readonly RecordSet[] =>
      atName.length > 0 ? atName : blocks === undefined ? wildcard : [],
    )
    .filter(({ type }) => type === "A" || type === "CNAME");
  if (sets.some(({ type, answer }) => type === "CNAME" || answer.kind !== "values")) return undefined;
  return sets.flatMap(({ answer }) => (answer.kind === "values" ? answer.values : [])).toSorted();
}

const listOf = (values: readonly string[]): Text => join(values.map(code), ", ");

function nameLink({ subject, wishes }: PathEvidence, view: NameView | undefined): Judged {
  const head = { ...nameHeads.name, from: "Kubernetes API" };
  const { hostname, service } = subject;
  if (hostname === undefined)
    return only(skipped(head, text`${service ?? subject.word} asks for no name, and none was asked about`));
  const asking = wishes.views.filter(({ wanted }) =>
    wanted.some(
      ({ name }) => name === hostname || (name.startsWith("*.") && hostname.endsWith(name.slice(1))),
    ),
  );
  if (asking.length > 0)
    return only(
      holds(
        head,
        text`${code(hostname)} is wanted by ${service ?? "the cluster"}, through ${asking.map(({ name }) => name).join(", ")}`,
      ),
    );
  if (wishes.views.length === 0)
    return only(skipped(head, text`no ExternalDNS was found in the cluster, so nothing asks for names`));
  const unknown = wishes.views.flatMap((each) => each.unknown);
  if (unknown.length > 0)
    return only(
      unseen(head, {
        kind: "not-modelled",
        what: "what ExternalDNS wants",
        detail: unknown[0] ?? "not all of it is known",
      }),
    );
  const there = view === undefined ? undefined : recordedAddresses(view.evidence);
  if (there === undefined || there.length > 0)
    return only(
      skipped(head, text`nothing in the cluster asks for ${code(hostname)}: who made its record keeps it`),
    );
  const because = text`nothing in the cluster asks for ${code(hostname)}, and Route 53 has no record of it`;
  return fails(head, because, [
    {
      code: "name-not-wanted",
      link: "name",
      certain: true,
      subject: { kind: "name", name: hostname },
      text: because,
      next: [
        text`Add the name to the Service or Ingress that should answer for it (annotation ${code("hostname")}), or correct the name`,
        text`Names that are wanted: ${code("/dns check")}`,
      ],
    },
  ]);
}

function resolverLink({ subject }: PathEvidence, view: NameView): Judged {
  const head = nameHeads.resolver;
  const { site } = view.evidence;
  const { name } = view.evidence;
  if (!site.ok) return only(unseen(head, site.fault));
  const at = { ...head, from: site.from };
  const lines = site.value.map(({ server, reply }) =>
    reply.kind === "silence"
      ? `${server}  no answer (${reply.because})`
      : `${server}  ${dataOf(reply, "A").join(", ") || "nothing of type A"}  ${reply.rcode}${reply.flags.includes("aa") ? " aa" : ""}`,
  );
  const evidence = { title: `A ${name}`, lines };
  const answers = answersOf(site.value);
  const right = subject.ip;
  const given = [...new Set(answers.flatMap((answer) => dataOf(answer, "A")))];
  const silent = site.value.length - answers.length;
  const good = answers.filter((answer) =>
    right === undefined ? dataOf(answer, "A").length > 0 : dataOf(answer, "A").includes(right),
  );
  if (good.length === site.value.length && good.length > 0)
    return only(
      holds(at, text`${answers.map(({ server }) => server).join(", ")}: ${listOf(given)}`, { evidence }),
    );
  const said: Text =
    answers.length === 0
      ? text`none of ${site.value.map(({ server }) => server).join(", ")} answers`
      : given.length === 0
        ? text`${answers.map(({ server }) => server).join(", ")}: ${answers[0]?.rcode ?? ""} without an address`
        : good.length > 0
          ? text`${good.map(({ server }) => server).join(", ")} knows ${code(right ?? name)}, the others do not`
          : text`${answers.map(({ server }) => server).join(", ")}: ${listOf(given)}${right === undefined ? "" : text`, and the Service has ${code(right)}`}`;
  const base = { link: "resolver", subject: { kind: "name", name } } as const;
  const own = diagnosed(view, "resolver");
  const mute: readonly Reason[] =
    silent === site.value.length
      ? [
          {
            ...base,
            code: "resolver-silent",
            certain: true,
            text: text`no resolver of the site answers (${site.value.map(({ server }) => server).join(", ")}), so no name resolves there`,
            next: [
              text`Look at the resolver: ${code(`dig @${site.value[0]?.server ?? ""} .`)} from ${site.from}`,
            ],
          },
        ]
      : [];
  const reasons = [...mute, ...own];
  const readings: readonly Reason[] = [
    ...reasons,
    ...(reasons.length === 0
      ? [
          {
            ...base,
            code: "resolver-differs",
            certain: false,
            text: text`the resolver still remembers another answer than the zone gives: ${said}`,
            next: [text`Ask again after its TTL`, explainCommand(name)] as const,
          },
        ]
      : []),
    ...(given.length > 0
      ? [
          {
            ...base,
            code: "resolver-overrides",
            certain: false,
            text: text`the resolver has an entry of its own for the name`,
            next: [text`Look among its local names and overrides`] as const,
          },
        ]
      : [
          {
            ...base,
            code: "resolver-cannot-ask",
            certain: false,
            text: text`the resolver does not get through to the servers of the zone`,
            next: [
              text`Ask it for a name outside: ${code(`dig @${site.value[0]?.server ?? ""} example.org`)}`,
            ] as const,
          },
        ]),
  ];
  const [first, ...rest] = reasons.some(({ certain }) => certain) || reasons.length > 1 ? reasons : readings;
  return fails(at, said, [first as Reason, ...rest], evidence);
}

function delegationLink(view: NameView): Judged {
  const head = nameHeads.delegation;
  const { parent, authoritative } = view.evidence;
  const reasons = diagnosed(view, "delegation").filter(({ certain }) => certain);
  const [first, ...rest] = reasons;
  if (first !== undefined)
    return fails(parent.ok ? { ...head, from: parent.from } : head, first.text, [first, ...rest]);
  if (!parent.ok) return only(unseen(head, parent.fault));
  if (!authoritative.ok) return only(unseen(head, authoritative.fault));
  const at = { ...head, from: parent.from };
  const answering = answersOf(authoritative.value).length;
  const silent = authoritative.value.length - answering;
  if (answering === 0)
    return only(
      unseen(at, {
        kind: "timed-out",
        what: "servers of the zone",
        detail: `none of ${authoritative.value.length} answered ${authoritative.from}`,
      }),
    );
  return only(
    holds(
      at,
      text`${answering} of ${authoritative.value.length} servers of the zone answer${silent > 0 ? text`, ${silent} not within the time` : ""}`,
      {
        evidence: {
          title: "servers of the zone",
          lines: authoritative.value.map(
            ({ host, server, reply }) =>
              `${host} ${server}  ${reply.kind === "answer" ? reply.rcode : `no answer (${reply.because})`}`,
          ),
        },
      },
    ),
  );
}

/** The zone is right, and its servers do not all say so: some clients get something else. */
function serversDiffer({ evidence: { authoritative, type } }: NameView): boolean {
  if (!authoritative.ok) return false;
  const said = answersOf(authoritative.value)
    .filter(({ flags }) => flags.includes("aa"))
    .map((answer) => dataOf(answer, type));
  return said.some((each) => !sameData(each, said[0] ?? []));
}

function recordLink({ subject, wishes }: PathEvidence, view: NameView): Judged {
  const head = nameHeads.record;
  const { listed, name } = view.evidence;
  const found = diagnosed(view, "record").filter(({ certain }) => certain);
  const [first, ...rest] = found;
  if (first !== undefined) return fails(head, first.text, [first, ...rest]);
  if (!listed.ok) return only(unseen(head, listed.fault));
  const records = recordedAddresses(view.evidence);
  if (listed.value.length === 0)
    return only(
      unseen(head, {
        kind: "not-configured",
        what: "zone",
        detail: `no zone of the configuration holds ${name}`,
      }),
    );
  if (records === undefined)
    return only(holds(head, text`${code(name)} is an alias; the resolvers follow it`));
  const base = { link: "record", subject: { kind: "name", name }, certain: true } as const;
  const controller = wishes.views[0]?.name;
  if (records.length === 0) {
    const because = text`Route 53 lists no A record for ${code(name)}`;
    return fails(head, because, [
      {
        ...base,
        code: "record-missing",
        text: because,
        next: [
          controller === undefined
            ? text`Make the record; no ExternalDNS was found that would`
            : text`What ExternalDNS would do, and what it will not: ${code("/dns check")}`,
          text`Its log: ${code(`kubectl -n ${(controller ?? "external-dns/").split("/")[0] ?? ""} logs deploy/${(controller ?? "/external-dns").split("/")[1] ?? ""}`)}`,
        ],
      },
    ]);
  }
  if (subject.ip !== undefined && !records.includes(subject.ip)) {
    const because = text`Route 53 has ${listOf(records)} for ${code(name)}, and the Service has ${code(subject.ip)}`;
    return fails(head, because, [
      {
        ...base,
        code: "record-wrong-target",
        text: because,
        facts: { has: [...records], wants: subject.ip },
        next: [
          text`Who will correct it: ${code(`/dns check ${name}`)}`,
          text`To correct it ourselves: ${code("/dns plan")}`,
        ],
      },
    ]);
  }
  const underway = diagnosed(view, "record").find((each) => each.code === "dns-not-in-sync");
  if (underway !== undefined && serversDiffer(view)) return fails(head, underway.text, [underway]);
  return only(
    holds(
      head,
      text`${code(name)} is ${listOf(records)} in ${listed.value.map(({ zone }) => zone.name).join(", ")}`,
    ),
  );
}

function ownerLink({ wishes }: PathEvidence, view: NameView): Judged {
  const head = nameHeads.owner;
  const { ownership, name } = view.evidence;
  if (!ownership.ok)
    return only(
      wishes.views.length === 0
        ? skipped(head, text`no ExternalDNS was found in the cluster`)
        : unseen(head, ownership.fault),
    );
  const { owner, ours } = ownership.value;
  const records = recordedAddresses(view.evidence);
  if (records !== undefined && records.length === 0)
    return only(skipped(head, text`there is no record to own`));
  const [bad, ...rest] = diagnosed(view, "owner").filter(({ certain }) => certain);
  if (bad !== undefined) return fails(head, bad.text, [bad, ...rest]);
  if (owner !== undefined && ours.includes(owner))
    return only(holds(head, text`its ownership text names ${code(owner)}`));
  return only(
    holds(
      head,
      text`${owner === undefined ? "no ownership text" : text`owned by ${code(owner)}`}, so ExternalDNS here will not touch it`,
      {
        findings: [
          {
            code: "record-not-ours",
            severity: "info",
            subject: { kind: "name", name },
            facts: { owner: owner ?? null },
            text: text`the record of ${code(name)} is ${owner === undefined ? "nobody's" : text`owned by ${code(owner)}`}: when the address changes, ExternalDNS here will not correct it`,
          },
        ],
      },
    ),
  );
}

/** The five links from a name to an address. */
export function judgeName(evidence: PathEvidence): readonly Judged[] {
  const { name, subject } = evidence;
  const heads = Object.values(nameHeads);
  if (subject.hostname === undefined || name === undefined)
    return [
      nameLink(evidence, undefined),
      ...heads.slice(1).map((head) => only(skipped(head, text`there is no name to look up`))),
    ];
  if (!name.ok)
    return [nameLink(evidence, undefined), ...heads.slice(1).map((head) => only(unseen(head, name.fault)))];
  const view = name.evidence;
  return [
    nameLink(evidence, view),
    resolverLink(evidence, view),
    delegationLink(view),
    recordLink(evidence, view),
    ownerLink(evidence, view),
  ];
}
