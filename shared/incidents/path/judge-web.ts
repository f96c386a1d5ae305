import { utcTime } from "../../changes/utc-time.ts";
import type { Finding } from "../../finding.ts";
import { certificateCovers, type ServerCertificate, type TlsSeen } from "../../probes/http-get.ts";
import { code, type Text, text } from "../../text.ts";
import { holds, skipped, unseen } from "../make-link.ts";
import type { ClientView, PathEvidence } from "./evidence.ts";
import { fails, type Judged, only, type Reason } from "./reason.ts";

const heads = {
  tls: { id: "tls", title: "TLS is valid for the name" },
  http: { id: "http", title: "HTTP answers" },
} as const;

/** Let's Encrypt certificates are renewed 30 days before their end; with less than this left, nobody renews. */
const soonMs = 14 * 86_400_000;

type Web = NonNullable<ClientView["http"]>;

const wentFurthest = (web: Web): number => {
  if (!web.answer.ok) return 0;
  return { "no-connection": 1, "no-tls": 2, "no-http": 3, answered: 4 }[web.answer.evidence.kind];
};

/** The client whose request got furthest: what stopped the others is the business of route and TCP. */
function best({ clients }: PathEvidence): Readonly<{ client: ClientView; web: Web }> | undefined {
  const asked = clients.flatMap((client) =>
    client.http === undefined ? [] : [{ client, web: client.http }],
  );
  return asked.toSorted((a, b) => wentFurthest(b.web) - wentFurthest(a.web))[0];
}

const days = (ms: number): string => {
  const whole = Math.floor(Math.abs(ms) / 86_400_000);
  return whole === 1 ? "1 day" : `${whole} days`;
};

const certificateLines = (certificate: ServerCertificate): readonly string[] => [
  `subject  ${certificate.subject}`,
  `issuer  ${certificate.issuer}`,
  `names  ${certificate.names.join(", ") || "none"}`,
  `valid  ${new Date(certificate.from).toISOString()} to ${new Date(certificate.until).toISOString()}`,
];

function trustFinding({ verifyResult }: TlsSeen, about: string, vantage: string): readonly Finding[] {
  if (verifyResult === undefined || verifyResult === 0 || verifyResult === 10) return [];
  return [
    {
      code: "certificate-untrusted",
      severity: "info",
      subject: { kind: "name", name: about },
      facts: { verifyResult },
      text: text`${vantage} does not trust the certificate of ${code(about)} (${verifyResult === 18 ? "self-signed" : "its issuer is not known there"}); browsers without that root warn`,
    },
  ];
}

function judgeTls(evidence: PathEvidence, client: ClientView, web: Web): Judged {
  const { subject, now } = evidence;
  const about = subject.hostname ?? subject.ip ?? subject.word;
  const head = { ...heads.tls, from: `${client.vantage.name} (${client.vantage.place})` };
  if (!web.answer.ok) return only(unseen(head, web.answer.fault));
  const answer = web.answer.evidence;
  const base = { link: "tls", certain: true, subject: { kind: "name", name: about } } as const;
  if (answer.kind === "no-connection")
    return only(skipped(heads.tls, text`no connection opens, so no handshake begins`));
  if (answer.kind === "no-tls") {
    const plain = /wrong version number/i.test(answer.said);
    const because = text`port ${web.port}: ${answer.because === "timed-out" ? "the handshake gets no answer" : plain ? "the server speaks no TLS" : `the handshake fails (${answer.said})`}`;
    return fails(head, because, [
      {
        ...base,
        code: plain ? "not-tls" : answer.because === "timed-out" ? "tls-silent" : "tls-handshake-failed",
        text: plain
          ? text`port ${web.port} of ${code(about)} is meant for HTTPS, and the server there speaks no TLS`
          : text`TLS to ${code(about)} fails at the handshake: ${answer.said}`,
        next: [
          text`Which certificate the server has: ${code(`openssl s_client -connect ${subject.ip ?? ""}:${web.port} -servername ${about}`)}`,
        ],
      },
    ]);
  }
  const { tls } = answer;
  if (tls?.certificate === undefined)
    return only(
      unseen(head, {
        kind: "missing-tool",
        what: "certificate",
        detail: `curl on ${client.vantage.name} does not tell it (curl 7.88 and newer do)`,
      }),
    );
  const { certificate } = tls;
  const shown = { title: "certificate", lines: certificateLines(certificate) };
  const reasons: Reason[] = [];
  if (certificate.until < now)
    reasons.push({
      ...base,
      code: "certificate-expired",
      text: text`the certificate of ${code(about)} ended ${utcTime(certificate.until, now)}, ${days(now - certificate.until)} ago`,
      facts: { until: new Date(certificate.until).toISOString() },
      next: [text`Why it was not renewed: ${code(`/runbook run certificate-expiring ${about}`)}`],
    });
  if (certificate.from > now)
    reasons.push({
      ...base,
      code: "certificate-not-yet-valid",
      text: text`the certificate of ${code(about)} begins ${utcTime(certificate.from, now)}: a clock is wrong, or it was made too early`,
      next: [text`Compare the clocks of issuer, server and client`],
    });
  if (subject.hostname !== undefined && !certificateCovers(certificate, subject.hostname))
    reasons.push({
      ...base,
      code: "certificate-wrong-name",
      text: text`the certificate is for ${certificate.names.slice(0, 3).join(", ") || certificate.subject}${certificate.names.length > 3 ? ` and ${certificate.names.length - 3} more` : ""}, not for ${code(subject.hostname)}`,
      facts: { names: [...certificate.names] },
      next: [
        text`Which Secret the server uses for that name: ${code("kubectl get ingress,certificates -A")}`,
      ],
    });
  const [first, ...rest] = reasons;
  if (first !== undefined) return fails(head, first.text, [first, ...rest], shown);
  const left = certificate.until - now;
  const soon: readonly Finding[] =
    left < soonMs
      ? [
          {
            code: "certificate-ends-soon",
            severity: "warning",
            subject: { kind: "name", name: about },
            facts: { until: new Date(certificate.until).toISOString() },
            text: text`the certificate of ${code(about)} ends in ${days(left)}`,
            remedy: text`${code(`/runbook run certificate-expiring ${about}`)}`,
          },
        ]
      : [];
  return only(
    holds(
      head,
      text`${subject.hostname === undefined ? "a certificate" : text`valid for ${code(subject.hostname)}`}, ${days(left)} left`,
      {
        findings: [...soon, ...trustFinding(tls, about, client.vantage.name)],
        evidence: shown,
      },
    ),
  );
}

const readings = {
  "timed-out": "no answer within 3 s",
  closed: "it hangs up",
  "not-http": "it speaks another protocol",
} as const;

function judgeHttp({ subject }: PathEvidence, client: ClientView, web: Web): Judged {
  const head = { ...heads.http, from: `${client.vantage.name} (${client.vantage.place})` };
  const about = subject.hostname ?? subject.ip ?? subject.word;
  if (!web.answer.ok) return only(unseen(head, web.answer.fault));
  const answer = web.answer.evidence;
  const base = {
    link: "http",
    certain: true,
    subject: { kind: "service", name: subject.service ?? about },
  } as const;
  const url = `${web.scheme}://${about}:${web.port}/`;
  if (answer.kind === "no-connection")
    return only(skipped(heads.http, text`no connection opens, so nothing is asked`));
  if (answer.kind === "no-tls") return only(skipped(heads.http, text`without TLS nothing is asked`));
  const logs: Text = text`Its pods: ${code(`kubectl -n ${(subject.service ?? "/").split("/")[0]} get pods`)}, then their logs`;
  if (answer.kind === "no-http") {
    if (answer.because === "not-http") return only(skipped(head, text`port ${web.port} does not speak HTTP`));
    const because = text`${code(url)} takes the connection, and then ${readings[answer.because]}`;
    return fails(head, because, [
      {
        ...base,
        code: answer.because === "closed" ? "http-closed" : "http-silent",
        text: because,
        next: [logs],
      },
    ]);
  }
  if (answer.status >= 500) {
    const because = text`${code(url)} answers ${answer.status}: the way there works, what is behind it does not`;
    return fails(head, because, [
      { ...base, code: "http-server-error", text: because, facts: { status: answer.status }, next: [logs] },
    ]);
  }
  return only(
    holds(
      head,
      text`${code(url)} answers ${answer.status}${answer.redirect === undefined ? "" : ` (to ${answer.redirect})`} in ${(answer.seconds * 1_000).toFixed(0)} ms`,
    ),
  );
}

/** TLS and HTTP, by the client whose request got furthest. */
export function judgeWeb(evidence: PathEvidence): readonly Judged[] {
  const found = best(evidence);
  const port = evidence.service?.ports.find(({ protocol }) => protocol === "TCP")?.port;
  if (found === undefined) {
    const because =
      evidence.subject.ip === undefined
        ? text`there is no address to ask`
        : evidence.service === undefined
          ? text`no Service says which port to ask`
          : evidence.clients.length === 0
            ? undefined
            : text`nothing says that port ${port ?? "none"} speaks HTTP`;
    const fault = {
      kind: "not-configured",
      what: "vantages",
      detail: "no vantage outside the cluster is configured",
    } as const;
    return Object.values(heads).map((head) =>
      only(because === undefined ? unseen(head, fault) : skipped(head, because)),
    );
  }
  const { client, web } = found;
  return [
    web.scheme === "http"
      ? only(skipped(heads.tls, text`port ${web.port} speaks plain HTTP`))
      : judgeTls(evidence, client, web),
    judgeHttp(evidence, client, web),
  ];
}
