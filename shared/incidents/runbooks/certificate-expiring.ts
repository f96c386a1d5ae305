import { code, text } from "../../text.ts";
import { certificateCodes, concludeCertificate } from "../certificate/conclude-certificate.ts";
import {
  certificateKinds,
  certificateSubject,
  gatherCertificate,
} from "../certificate/gather-certificate.ts";
import { certificateLinks, leftWords, objectOf, shown } from "../certificate/judge-certificate.ts";
import type { Diagnosis, Seen } from "../diagnosis.ts";
import { recentChanges } from "../recent-changes.ts";
import type { IncidentRunbook } from "../runbook.ts";

/** What clients are shown, how long it lasts, and who renews it. */
export const certificateExpiring: IncidentRunbook = {
  id: "certificate-expiring",
  title: "A certificate is about to end",
  summary: text`What is served against what cert-manager made, how long it lasts, who renews it, and what stops that.`,
  argument: {
    usage: "HOSTNAME|SERVICE|NAMESPACE/CERTIFICATE",
    kinds: ["name", "service"],
    example: "harbor.services.k8s.goldentooth.net",
  },
  codes: certificateCodes,
  diagnose: async (ports, word, options) => {
    const startedAt = ports.clock.now();
    options.show(["reading the cluster"]);
    const lists = await ports.read(certificateKinds, options.signal);
    const subject = certificateSubject(ports, lists, word);
    if ("noSuch" in subject) return subject;
    const evidence = await gatherCertificate(ports, lists, subject, options);
    const links = certificateLinks(evidence);
    const { host, ip, port, now } = evidence;
    const object = objectOf(evidence);
    const seen = evidence.served.map(({ vantage, answer }): Seen => {
      const certificate =
        answer.ok && "tls" in answer.evidence ? answer.evidence.tls?.certificate : undefined;
      return {
        vantage: vantage.name,
        place: vantage.place,
        clusterNode: false,
        text:
          certificate !== undefined
            ? text`a certificate with ${leftWords(certificate.until, now)}`
            : answer.ok
              ? text`no certificate (${answer.evidence.kind})`
              : text`could not look: ${answer.fault.detail}`,
      };
    });
    const [first] = shown(evidence);
    const diagnosis: Diagnosis = {
      runbook: "certificate-expiring",
      subject: { kind: "name", name: host },
      title: [host, ...(ip === undefined ? [] : [port === undefined ? ip : `${ip}:${port}`])].join(" · "),
      links,
      conclusion: concludeCertificate(evidence, links),
      findings: [],
      seen,
      ...(await recentChanges(ports, lists)),
      startedAt,
      endedAt: ports.clock.now(),
      facts: {
        host,
        servedUntil: first?.certificate.until ?? null,
        servedNames: first?.certificate.names ?? null,
        daysLeft: first === undefined ? null : Math.floor((first.certificate.until - now) / 86_400_000),
        certificate: object?.key ?? null,
        secret: object === undefined ? null : `${object.namespace}/${object.secret}`,
        notAfter: object?.notAfter ?? null,
        renewalTime: object?.renewalTime ?? null,
      },
    };
    return diagnosis;
  },
  steps: [
    { id: "diagnose", title: "What is served, and who renews it", kind: "diagnose" },
    {
      id: "mend",
      title: "Get it renewed",
      kind: "manual",
      instruction: text`cert-manager, or whoever made it, has to renew it. Say ${code("next")} when that is done.`,
      timeoutSeconds: 3_600,
    },
    { id: "again", title: "Look again", kind: "diagnose" },
  ],
};
