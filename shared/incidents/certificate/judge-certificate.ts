import { utcTime } from "../../changes/utc-time.ts";
import { type Fault, isFault } from "../../fault.ts";
import type { Finding } from "../../finding.ts";
import { nameList } from "../../name-list.ts";
import { certificateCovers, type ServerCertificate } from "../../probes/http-get.ts";
import { code, text } from "../../text.ts";
import { dns01For, type Issuer, issuerTitle } from "../../wildcard-tls/issuers.ts";
import { lasted } from "../lasted.ts";
import type { Link } from "../link.ts";
import { broken, holds, skipped, unseen } from "../make-link.ts";
import { found } from "../node/judge-lost.ts";
import type { CertificateState } from "./certificate-state.ts";
import type { CertificateEvidence, ServedTo } from "./gather-certificate.ts";

const dayMs = 86_400_000;
/** cert-manager renews a third of the lifetime before the end: with less than this of 90 days nobody has. */
export const lateMs = 21 * dayMs;
/** Two ends further apart than this are two certificates. */
const sameEndMs = 60_000;
/** A certificate was issued and a server has not taken it up yet: that takes a reload. */
export const issuingPatienceMs = 3_600_000;

const api = "Kubernetes API";

/** What each vantage was shown; only those where a certificate could be read. */
export const shown = ({
  served,
}: CertificateEvidence): readonly (ServedTo & Readonly<{ certificate: ServerCertificate }>)[] =>
  served.flatMap((each) => {
    const certificate =
      each.answer.ok && "tls" in each.answer.evidence ? each.answer.evidence.tls?.certificate : undefined;
    return certificate === undefined ? [] : [{ ...each, certificate }];
  });

/** The Certificate object that speaks for the host: the first that covers it. */
export const objectOf = ({ certificates }: CertificateEvidence): CertificateState | undefined =>
  isFault(certificates) ? undefined : certificates[0];

export const leftWords = (until: number, now: number): string =>
  until <= now
    ? `ended ${lasted(now - until)} ago (${utcTime(until, now)})`
    : `${lasted(until - now)} left (until ${utcTime(until, now)})`;

/** The issuer that a Certificate names; `absent` where there is none of that name. */
export function issuerFor(
  { issuers }: CertificateEvidence,
  certificate: CertificateState,
): Issuer | "absent" | Fault {
  if (isFault(issuers)) return issuers;
  const { kind, name } = certificate.issuer;
  return (
    issuers.find(
      (each) =>
        each.kind === kind &&
        each.name === name &&
        (kind === "ClusterIssuer" || each.namespace === certificate.namespace),
    ) ?? "absent"
  );
}

const subjectOf = ({ host }: CertificateEvidence) => ({ kind: "name", name: host }) as const;

const placeOf = (seen: readonly ServedTo[]): string =>
  nameList(seen.map(({ vantage }) => `${vantage.name} (${vantage.place})`));

function servedLink(evidence: CertificateEvidence): Link {
  const { host, ip, port, service, served } = evidence;
  const head = { id: "served", title: "TLS is served for the name" };
  if (ip === undefined)
    return unseen(head, {
      kind: "not-configured",
      what: `address of ${host}`,
      detail: "nothing of the cluster wants the name",
    });
  if (port === undefined) {
    const words = text`${service ?? host} has no port that speaks TLS`;
    return skipped(head, words);
  }
  if (served.length === 0)
    return unseen(head, {
      kind: "not-configured",
      what: "vantage",
      detail: "none outside the cluster is configured",
    });
  const seen = shown(evidence);
  const lines = served.map(({ vantage, answer }) => {
    if (!answer.ok) return `${vantage.name}  could not look: ${answer.fault.what}: ${answer.fault.detail}`;
    const { evidence: got } = answer;
    const certificate = "tls" in got ? got.tls?.certificate : undefined;
    return certificate === undefined
      ? `${vantage.name}  ${got.kind}${"said" in got ? `: ${got.said}` : ""}`
      : `${vantage.name}  ${certificate.names.join(", ")}; issuer ${certificate.issuer}; until ${new Date(certificate.until).toISOString()}`;
  });
  const evidenceOf = { title: `TLS at ${ip}:${port} for ${host}`, lines };
  if (seen.length > 0)
    return holds({ ...head, from: placeOf(seen) }, text`${ip}:${port} shows a certificate`, {
      evidence: evidenceOf,
    });
  const refused = served.filter(({ answer }) => answer.ok && answer.evidence.kind === "no-tls");
  if (refused.length > 0) {
    const words = text`${ip}:${port} takes connections and speaks no TLS`;
    return broken(
      { ...head, from: placeOf(refused) },
      words,
      [found("no-tls", "error", subjectOf(evidence), words)],
      evidenceOf,
    );
  }
  const unreached = served.filter(({ answer }) => answer.ok && answer.evidence.kind === "no-connection");
  if (unreached.length > 0) {
    const words = text`${ip}:${port} takes no connection`;
    return broken(
      { ...head, from: placeOf(unreached) },
      words,
      [found("not-reached", "error", subjectOf(evidence), words)],
      evidenceOf,
    );
  }
  const fault = served.find(({ answer }) => !answer.ok)?.answer;
  return unseen(
    head,
    fault !== undefined && !fault.ok
      ? fault.fault
      : {
          kind: "unreadable",
          what: "certificate",
          detail: "the program on the vantage does not tell it (curl before 7.88)",
        },
    evidenceOf,
  );
}

function nameLink(evidence: CertificateEvidence): Link {
  const head = { id: "served-name", title: "What is served is for the name" };
  const seen = shown(evidence);
  if (seen.length === 0) return skipped(head, text`no certificate was seen`);
  const wrong = seen.filter(({ certificate }) => !certificateCovers(certificate, evidence.host));
  const [first] = wrong;
  if (first === undefined)
    return holds({ ...head, from: placeOf(seen) }, text`${nameList(seen[0]?.certificate.names ?? [])}`);
  const star = first.certificate.names.some(
    (name) => name.startsWith("*.") && evidence.host.endsWith(name.slice(1)),
  );
  const words = text`it is for ${nameList(first.certificate.names)}, not for ${code(evidence.host)}${star ? "; a star stands for one label only" : ""}`;
  return broken({ ...head, from: placeOf(wrong) }, words, [
    found("certificate-other-name", "error", subjectOf(evidence), words, {
      facts: { names: first.certificate.names },
    }),
  ]);
}

function timeLink(evidence: CertificateEvidence): Link {
  const { now } = evidence;
  const head = { id: "served-time", title: `What is served lasts ${lasted(lateMs)} more` };
  const seen = shown(evidence);
  if (seen.length === 0) return skipped(head, text`no certificate was seen`);
  const soonest = seen.toSorted(
    (a, b) => a.certificate.until - b.certificate.until,
  )[0] as (typeof seen)[number];
  const { until, from } = soonest.certificate;
  const words = text`${leftWords(until, now)}`;
  const placed = { ...head, from: placeOf(seen) };
  if (from > now) {
    const early = text`it begins ${utcTime(from, now)}: a clock is wrong, here or where it was made`;
    return broken(placed, early, [found("certificate-not-yet", "error", subjectOf(evidence), early)]);
  }
  const facts = { until, leftMs: until - now };
  if (until <= now)
    return broken(placed, words, [
      found("certificate-expired", "critical", subjectOf(evidence), words, { facts }),
    ]);
  if (until - now < lateMs)
    return broken(placed, words, [
      found(
        "certificate-expiring",
        until - now < lateMs / 3 ? "error" : "warning",
        subjectOf(evidence),
        words,
        { facts },
      ),
    ]);
  return holds(placed, words);
}

function trustLink(evidence: CertificateEvidence): Link {
  const head = { id: "trusted", title: "The vantage trusts who signed it" };
  const seen = evidence.served.flatMap((each) => {
    const tls = each.answer.ok && "tls" in each.answer.evidence ? each.answer.evidence.tls : undefined;
    return tls?.verifyResult === undefined ? [] : [{ ...each, result: tls.verifyResult }];
  });
  if (seen.length === 0) return skipped(head, text`no certificate was seen`);
  // 9 and 10 are about its time, which another link judges.
  const bad = seen.filter(({ result }) => ![0, 9, 10].includes(result));
  const [first] = bad;
  if (first === undefined) return holds({ ...head, from: placeOf(seen) }, text`OpenSSL verifies the chain`);
  const words =
    first.result === 18
      ? text`it is self-signed (OpenSSL ${first.result})`
      : text`who signed it is not known there (OpenSSL ${first.result}): a private CA, or the intermediate is missing`;
  return broken({ ...head, from: placeOf(bad) }, words, [
    found("certificate-untrusted", "error", subjectOf(evidence), words),
  ]);
}

function objectLink(evidence: CertificateEvidence): Link {
  const { certificates, host } = evidence;
  const head = { id: "certificate", title: "cert-manager has a Certificate for the name", from: api };
  if (isFault(certificates))
    return certificates.kind === "not-configured"
      ? skipped(head, text`the cluster does not know cert-manager: a person renews it, or another program`)
      : unseen(head, certificates);
  const [first, ...more] = certificates;
  if (first === undefined)
    return skipped(head, text`none covers ${code(host)}: a person renews it, or another program`);
  return holds(
    head,
    text`${first.key} (Secret ${first.secret}, ${first.issuer.kind} ${first.issuer.name})${more.length > 0 ? `, and ${nameList(more.map(({ key }) => key))}` : ""}`,
  );
}

function readyLink(evidence: CertificateEvidence): Link {
  const { now } = evidence;
  const head = { id: "ready", title: "cert-manager calls it Ready", from: api };
  const object = objectOf(evidence);
  if (object === undefined) return skipped(head, text`there is no Certificate to ask about`);
  const { ready, issuing, failures } = object;
  if (ready === undefined)
    return unseen(head, {
      kind: "unreadable",
      what: `Certificate ${object.key}`,
      detail: "it has no Ready condition: cert-manager has not looked at it",
    });
  const tries =
    failures.times > 0
      ? `; ${failures.times} attempts failed${failures.last === undefined ? "" : `, the last ${utcTime(failures.last, now)}`}`
      : "";
  const at =
    issuing === undefined
      ? ""
      : `; cert-manager has been at it${issuing.since === undefined ? "" : ` for ${lasted(now - issuing.since)}`}`;
  const words = text`${ready.message || "no message"}${at}${tries}`;
  if (ready.status === "True" && failures.times === 0) return holds(head, words);
  return broken(head, words, [
    found(
      "certificate-not-issued",
      ready.status === "True" ? "warning" : "error",
      { kind: "config", name: `Certificate ${object.key}` },
      words,
      {
        facts: { ready: ready.status, failures: failures.times },
      },
    ),
  ]);
}

function renewalLink(evidence: CertificateEvidence): Link {
  const { now } = evidence;
  const head = { id: "renewal", title: "Its renewal is not overdue", from: api };
  const object = objectOf(evidence);
  if (object === undefined) return skipped(head, text`nobody says when it is renewed`);
  const { notAfter, renewalTime } = object;
  if (notAfter === undefined) return skipped(head, text`nothing was issued yet`);
  const due = renewalTime ?? notAfter - lateMs;
  if (now < due)
    return holds(
      head,
      text`the Secret's certificate has ${leftWords(notAfter, now)}; due ${utcTime(due, now)}, in ${lasted(due - now)}`,
    );
  const words = text`due ${utcTime(due, now)}, ${lasted(now - due)} ago; the Secret's certificate has ${leftWords(notAfter, now)}`;
  if (now - due < issuingPatienceMs && notAfter > now) return holds(head, words);
  return broken(head, words, [
    found(
      "certificate-not-renewed",
      notAfter <= now ? "critical" : "error",
      { kind: "config", name: `Certificate ${object.key}` },
      words,
      {
        facts: { notAfter, renewalTime: due },
      },
    ),
  ]);
}

/** Whether the server shows what its Secret holds; undefined where one of the two is not known. */
export function servedAgainstObject(evidence: CertificateEvidence): "same" | "older" | "newer" | undefined {
  const notAfter = objectOf(evidence)?.notAfter;
  const seen = shown(evidence);
  const [first] = seen.toSorted((a, b) => a.certificate.until - b.certificate.until);
  if (notAfter === undefined || first === undefined) return undefined;
  const apart = first.certificate.until - notAfter;
  return Math.abs(apart) <= sameEndMs ? "same" : apart < 0 ? "older" : "newer";
}

function sameLink(evidence: CertificateEvidence): Link {
  const { now } = evidence;
  const head = { id: "same", title: "What is served is what cert-manager made" };
  const against = servedAgainstObject(evidence);
  const object = objectOf(evidence);
  const until = shown(evidence)[0]?.certificate.until;
  if (against === undefined || object?.notAfter === undefined || until === undefined)
    return skipped(head, text`one of the two is not known`);
  if (against === "same") return holds(head, text`both end ${utcTime(until, now)}`);
  const words = text`served until ${utcTime(until, now)}, and ${object.key} ends ${utcTime(object.notAfter, now)}`;
  return broken(head, words, [
    found(
      against === "older" ? "certificate-not-reloaded" : "certificate-elsewhere",
      "error",
      subjectOf(evidence),
      words,
      { facts: { served: until, object: object.notAfter } },
    ),
  ]);
}

function reachLink(evidence: CertificateEvidence): Link {
  const head = { id: "reach", title: "The Secret is where it is used", from: api };
  const { users, certificates, lists } = evidence;
  const fault = [lists.ingresses, lists.gateways].find(
    (each) => isFault(each) && each.kind !== "not-configured",
  );
  if (isFault(fault)) return unseen(head, fault);
  const object = objectOf(evidence);
  if (object === undefined || isFault(certificates))
    return skipped(head, text`there is no Certificate to ask about`);
  if (users.length === 0)
    return skipped(
      head,
      text`no Ingress or Gateway serves the name; the pods may mount the Secret themselves`,
    );
  const filled = new Set(certificates.map(({ namespace, secret }) => `${namespace}/${secret}`));
  const without = users.filter(({ namespace, secret }) => !filled.has(`${namespace}/${secret}`));
  const [first, ...rest] = without.map(
    ({ title, namespace, secret }): Finding =>
      found(
        "secret-out-of-reach",
        "error",
        { kind: "config", name: title },
        text`${title} uses Secret ${namespace}/${secret}, and no Certificate for the name fills that one (${object.key} fills ${object.namespace}/${object.secret})`,
      ),
  );
  if (first !== undefined) return broken(head, first.text, [first, ...rest]);
  return holds(head, text`${nameList(users.map(({ title, secret }) => `${title} uses ${secret}`))}`);
}

function issuerLink(evidence: CertificateEvidence): Link {
  const head = { id: "issuer", title: "Its issuer can renew it", from: api };
  const object = objectOf(evidence);
  if (object === undefined) return skipped(head, text`there is no Certificate to ask about`);
  const issuer = issuerFor(evidence, object);
  if (issuer === "absent") {
    const words = text`there is no ${object.issuer.kind} ${object.issuer.name}${object.issuer.kind === "Issuer" ? ` in ${object.namespace}` : ""}`;
    return broken(head, words, [
      found(
        "issuer-missing",
        "error",
        { kind: "config", name: `${object.issuer.kind} ${object.issuer.name}` },
        words,
      ),
    ]);
  }
  if (isFault(issuer)) return unseen(head, issuer);
  const subject = { kind: "config", name: issuerTitle(issuer) } as const;
  if (issuer.ready === false) {
    const words = text`${issuerTitle(issuer)} is not ready: ${issuer.message || "no message"}`;
    return broken(head, words, [found("issuer-not-ready", "error", subject, words)]);
  }
  const stars = object.dnsNames.filter((name) => name.startsWith("*."));
  const unproven =
    issuer.acme === undefined ? [] : stars.filter((name) => dns01For(issuer, name) === undefined);
  if (unproven.length > 0) {
    const words = text`${issuerTitle(issuer)} has no DNS-01 solver for ${nameList(unproven)}, and HTTP-01 can never prove a wildcard`;
    return broken(head, words, [found("issuer-without-dns01", "error", subject, words)]);
  }
  if (issuer.ready === undefined)
    return unseen(head, {
      kind: "unreadable",
      what: issuerTitle(issuer),
      detail: "it has no Ready condition",
    });
  return holds(head, text`${issuerTitle(issuer)} is ready`);
}

function challengeLink(evidence: CertificateEvidence): Link {
  const { challenge, now } = evidence;
  const head = { id: "challenge", title: "No DNS-01 challenge hangs", from: "Route 53" };
  const object = objectOf(evidence);
  if (object === undefined) return skipped(head, text`there is no Certificate to ask about`);
  const issuer = issuerFor(evidence, object);
  if (issuer === "absent" || isFault(issuer) || issuer.acme === undefined)
    return skipped(head, text`its issuer needs no challenge, or is not known`);
  const byDns = object.dnsNames.some((name) => dns01For(issuer, name) !== undefined);
  if (!byDns) return skipped(head, text`${issuerTitle(issuer)} proves its names by HTTP`);
  if (isFault(challenge))
    return object.issuing === undefined
      ? skipped(head, text`nothing is being issued`)
      : unseen(head, challenge);
  const stands = challenge.values.length > 0;
  if (object.issuing === undefined)
    return stands
      ? holds(
          head,
          text`${challenge.name} still has a text although nothing is being issued: a challenge was not cleaned up`,
        )
      : holds(head, text`nothing is being issued, and ${challenge.name} is empty`);
  const since = object.issuing.since;
  const forMs = since === undefined ? undefined : now - since;
  // A few minutes are what propagation and the CA's own looks take.
  if (forMs === undefined || forMs < 600_000)
    return holds(
      head,
      text`being issued${forMs === undefined ? "" : ` for ${lasted(forMs)}`}; ${challenge.name} ${stands ? "has its text" : "is empty yet"}`,
    );
  const words = stands
    ? text`${challenge.name} has its text, and the challenge is not done after ${lasted(forMs)}`
    : text`${challenge.name} is still empty after ${lasted(forMs)}: cert-manager could not write it`;
  return broken(head, words, [
    found(
      stands ? "challenge-pending" : "challenge-not-presented",
      "error",
      { kind: "record", name: challenge.name },
      words,
    ),
  ]);
}

/** From what clients are shown to who renews it, each link on its own. Pure. */
export function certificateLinks(evidence: CertificateEvidence): readonly Link[] {
  return [
    servedLink(evidence),
    nameLink(evidence),
    timeLink(evidence),
    trustLink(evidence),
    objectLink(evidence),
    sameLink(evidence),
    reachLink(evidence),
    readyLink(evidence),
    renewalLink(evidence),
    issuerLink(evidence),
    challengeLink(evidence),
  ];
}
