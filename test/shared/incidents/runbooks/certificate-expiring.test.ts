import { describe, expect, it } from "vitest";
import { record, withRecords } from "#infra/lab/dns/faults.ts";
import type { DiagnosePorts } from "#shared/incidents/runbook.ts";
import { certificateExpiring } from "#shared/incidents/runbooks/certificate-expiring.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { addObject, patchObject, type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { Twin } from "#shared/twin/twin.ts";
import type { WebTls } from "#shared/twin/web.ts";
import { ask, concluded, diagnosed, outcomes } from "../on-twin.ts";

const host = "harbor.services.k8s.goldentooth.net";
const dayMs = 86_400_000;
const start = Date.UTC(2026, 2, 1, 14);
const at = (days: number): string => new Date(start + days * dayMs).toISOString();

const serves = (change: Partial<WebTls>) => (twin: Twin) =>
  twin.web.serve({
    service: "harbor/harbor",
    port: 443,
    tls: { names: [host], from: at(-30), until: at(60), ...change },
  });

const issuer = (
  status: unknown,
  solver: object = { dns01: { route53: { region: "eu-central-1" } } },
): SiteFault =>
  addObject(
    "clusterissuers",
    { name: "letsencrypt" },
    {
      spec: { acme: { server: "https://acme-v02.api.letsencrypt.org/directory", solvers: [solver] } },
      status: { conditions: [{ type: "Ready", status, message: "the account was not found" }] },
    },
  );

const certificate = (status: object, spec: object = {}): SiteFault =>
  addObject(
    "certificates",
    { name: "harbor", namespace: "harbor" },
    {
      spec: {
        secretName: "harbor-tls",
        dnsNames: [host],
        issuerRef: { kind: "ClusterIssuer", name: "letsencrypt" },
        ...spec,
      },
      status,
    },
  );

const ready = (until: number, more: object = {}) => ({
  notAfter: at(until),
  renewalTime: at(until - 30),
  conditions: [{ type: "Ready", status: "True", message: "Certificate is up to date and has not expired" }],
  ...more,
});

const stuck = (until: number, issuingFor: number, message: string) => ({
  notAfter: at(until),
  renewalTime: at(until - 30),
  failedIssuanceAttempts: 3,
  lastFailureTime: at(-0.1),
  conditions: [
    { type: "Ready", status: "False", message },
    { type: "Issuing", status: "True", lastTransitionTime: at(-issuingFor), message: "renewing" },
  ],
});

const having =
  (...faults: readonly SiteFault[]) =>
  (): SiteSpec =>
    withFaults(healthy(), ...faults);

const cases: readonly Readonly<{
  what: string;
  site?: () => SiteSpec;
  afterwards?: (twin: Twin) => void;
  is: string;
  link?: string;
}>[] = [
  {
    what: "renewed by cert-manager, and served",
    site: having(issuer("True"), certificate(ready(60))),
    is: "healthy",
  },
  { what: "made by hand, 60 days left", is: "healthy" },
  {
    what: "made by hand, 5 days left",
    afterwards: serves({ until: at(5) }),
    is: "cause: certificate-expiring",
    link: "served-time",
  },
  {
    what: "made by hand, ended yesterday",
    afterwards: serves({ until: at(-1) }),
    is: "cause: certificate-expired",
    link: "served-time",
  },
  {
    what: "renewed, and the server still shows the old one",
    site: having(issuer("True"), certificate(ready(89))),
    afterwards: serves({ until: at(2) }),
    is: "cause: certificate-not-reloaded",
    link: "same",
  },
  {
    what: "the server shows another certificate than cert-manager made",
    site: having(issuer("True"), certificate(ready(50))),
    afterwards: serves({ until: at(300) }),
    is: "cause: certificate-elsewhere",
    link: "same",
  },
  {
    what: "the issuer has lost its account",
    site: having(issuer("False"), certificate(stuck(5, 2, "Issuing"))),
    afterwards: serves({ until: at(5) }),
    is: "cause: issuer-not-ready",
    link: "issuer",
  },
  {
    what: "the issuer is gone",
    site: having(certificate(stuck(5, 2, "referenced issuer not found"))),
    afterwards: serves({ until: at(5) }),
    is: "cause: issuer-missing",
    link: "issuer",
  },
  {
    what: "a wildcard and an issuer with HTTP-01 alone",
    site: having(
      issuer("True", { http01: { ingress: {} } }),
      certificate(stuck(5, 2, "no solver"), { dnsNames: ["*.services.k8s.goldentooth.net"] }),
    ),
    afterwards: serves({ until: at(5), names: ["*.services.k8s.goldentooth.net"] }),
    is: "cause: issuer-without-dns01",
    link: "issuer",
  },
  {
    what: "cert-manager cannot write the challenge",
    site: having(issuer("True"), certificate(stuck(5, 2, "Issuing"))),
    afterwards: serves({ until: at(5) }),
    is: "cause: challenge-not-presented",
    link: "challenge",
  },
  {
    what: "the challenge stands and is not done",
    site: having(
      issuer("True"),
      certificate(stuck(5, 2, "Issuing")),
      withRecords(record("TXT", `_acme-challenge.${host}`, 60, '"token"')),
    ),
    afterwards: serves({ until: at(5) }),
    is: "cause: challenge-pending",
    link: "challenge",
  },
  {
    what: "a renewal that is long due and that nobody is at",
    site: having(issuer("True"), certificate(ready(5))),
    afterwards: serves({ until: at(5) }),
    is: "cause: certificate-not-renewed",
    link: "renewal",
  },
  {
    what: "a star one level too high",
    afterwards: serves({ names: ["*.goldentooth.net"] }),
    is: "cause: certificate-other-name",
    link: "served-name",
  },
  {
    what: "self-signed",
    afterwards: serves({ verifyResult: 18 }),
    is: "cause: certificate-untrusted",
    link: "trusted",
  },
  {
    what: "an Ingress that names a Secret nobody fills",
    site: having(
      issuer("True"),
      certificate(ready(60)),
      addObject(
        "ingresses",
        { name: "harbor", namespace: "harbor" },
        { spec: { tls: [{ hosts: [host], secretName: "harbor-old" }], rules: [{ host }] } },
      ),
    ),
    is: "cause: secret-out-of-reach",
    link: "reach",
  },
  {
    what: "no TLS where it should be",
    afterwards: (twin) => twin.web.serve({ service: "harbor/harbor", port: 443, tls: null }),
    is: "cause: no-tls",
    link: "served",
  },
  {
    what: "nobody serves at all",
    site: having(patchObject("services", "harbor", { spec: { selector: { app: "nothing" } } })),
    afterwards: (twin) => twin.setPower("harlton", false),
    is: "cause: not-reached",
    link: "served",
  },
];

describe("certificate-expiring", () => {
  it.each(cases)("$what: $is", async ({ site, afterwards, is, link }) => {
    const diagnosis = await diagnosed(certificateExpiring, host, {
      ...(site && { site }),
      ...(afterwards && { afterwards }),
    });
    expect(concluded(diagnosis)).toBe(is);
    if (link !== undefined) expect(outcomes(diagnosis)[link]).toBe("failed");
    const { conclusion } = diagnosis;
    if (conclusion.kind === "cause") expect(certificateExpiring.codes).toContain(conclusion.cause.code);
    expect(diagnosis.tookMs).toBeLessThan(10_000);
  });

  it("says the time that is left with its units, and who saw it", async () => {
    const diagnosis = await diagnosed(certificateExpiring, host, { afterwards: serves({ until: at(5.5) }) });
    const link = diagnosis.links.find(({ id }) => id === "served-time");
    expect(plain(link?.because ?? [])).toBe("5 d 11 h left (until 03-07 02:00:00 UTC)");
    expect(link?.from).toContain("ops-host (lan-wired)");
    expect(diagnosis.facts.daysLeft).toBe(5);
  });

  it("takes a Certificate by its name", async () => {
    const site = having(issuer("True"), certificate(ready(60)));
    const diagnosis = await diagnosed(certificateExpiring, "harbor/harbor", { site });
    expect(concluded(diagnosis)).toBe("healthy");
    expect(diagnosis.title).toBe(`${host} · 10.4.11.8:443`);
  });
});

describe("what nobody could see", () => {
  it("without a vantage nothing is said to be served", async () => {
    const diagnosis = await diagnosed(certificateExpiring, host, {
      around: (ports) => ({ ...ports, config: { ...ports.config, vantages: [] } }),
    });
    expect(concluded(diagnosis)).toBe("unknown");
    expect(outcomes(diagnosis).served).toBe("unknown");
  });

  it("Certificates that may not be listed are not absent", async () => {
    const fault = { kind: "denied", what: "list of certificates", detail: "forbidden" } as const;
    const diagnosis = await diagnosed(certificateExpiring, host, {
      around: (ports) => ({
        ...ports,
        read: (async (kinds: never, signal: AbortSignal) => ({
          ...(await ports.read(kinds, signal)),
          certificates: fault,
        })) as unknown as DiagnosePorts["read"],
      }),
    });
    expect(concluded(diagnosis)).toBe("unknown");
    expect(outcomes(diagnosis).certificate).toBe("unknown");
  });

  it("a cluster without cert-manager has nothing to look at there", async () => {
    const fault = { kind: "not-configured", what: "list of certificates", detail: "404" } as const;
    const diagnosis = await diagnosed(certificateExpiring, host, {
      around: (ports) => ({
        ...ports,
        read: (async (kinds: never, signal: AbortSignal) => ({
          ...(await ports.read(kinds, signal)),
          certificates: fault,
          issuers: fault,
          clusterissuers: fault,
        })) as unknown as DiagnosePorts["read"],
      }),
    });
    expect(concluded(diagnosis)).toBe("healthy");
    expect(outcomes(diagnosis).certificate).toBe("skipped");
  });
});

it("a word that is no name is answered", async () => {
  const { answer } = await ask(certificateExpiring, "harbour.services.k8s.goldentooth.nett");
  expect("noSuch" in answer).toBe(true);
});
