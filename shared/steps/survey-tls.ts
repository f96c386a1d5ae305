import { valuesOf } from "../dns/record-set.ts";
import { explainName } from "../domain-move/asking.ts";
import { acceptedOf } from "../domain-move/move.ts";
import { type Finding, isFailure } from "../finding.ts";
import { accepting } from "../migration/accepted.ts";
import { couldNotLook, defineStep, finding, verified } from "../migration/define-step.ts";
import { code, text } from "../text.ts";
import { neededCertificates, standingFor } from "../wildcard-tls/certificates.ts";
import { namespaceOf } from "../wildcard-tls/inputs.ts";
import { issuerTitle } from "../wildcard-tls/issuers.ts";
import { caaFindings, issuerFindings, outOfReach, tooShort } from "../wildcard-tls/judge.ts";
import { type TlsView, viewTls } from "../wildcard-tls/tls-view.ts";
import { noDeeds, type StepContext } from "./step.ts";

const only = "--dns01-recursive-nameservers-only";

/** A resolver of the site that answers for the zone itself: cert-manager would never see its own challenge. */
async function hijackFindings(context: StepContext, view: TlsView): Promise<readonly Finding[]> {
  const { zone, recordSets, controllerArgs } = view;
  const servers = recordSets.find(({ name, type }) => name === zone.name && type === "NS");
  const { evidence, explanation } = await explainName(context, view.dns, {
    name: zone.name,
    type: "NS",
    wanted: servers === undefined ? [] : valuesOf(servers).map((each) => each.replace(/\.$/, "")),
    owner: undefined,
    ours: [],
    txt: undefined,
  });
  if (!evidence.site.ok) return [couldNotLook(evidence.site.fault, { kind: "zone", name: zone.name })];
  const found = [...explanation.certain, ...explanation.possible].find(
    ({ diagnosis }) => diagnosis.id === "split-horizon",
  );
  if (
    found === undefined ||
    controllerArgs?.includes(only) === true ||
    controllerArgs?.includes(`${only}=true`) === true
  )
    return [];
  const resolvers = (context.ports.config.dns?.publicResolvers ?? []).map((ip) => `${ip}:53`).join(",");
  return [
    finding(
      "recursive-nameservers-needed",
      "warning",
      { kind: "zone", name: zone.name },
      [...found.opinion.because, "; cert-manager asks it for its own challenge and would wait for ever"],
      {
        remedy: text`Run cert-manager's controller with ${code(only)} and ${code(`--dns01-recursive-nameservers=${resolvers}`)}`,
      },
    ),
  ];
}

export const surveyTls = defineStep({
  id: "survey-tls",
  kind: "check",
  title: "Survey names, issuers and Secrets",
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async () => ({
    ...noDeeds,
    prediction: [text`which wildcards are needed where, and whether an issuer can prove them`],
    predicted: null,
  }),
  verify: async (context) => {
    const { certificates } = await context.ports.read(["certificates"], context.signal);
    if ("kind" in certificates && certificates.kind === "not-configured")
      return verified("failed", text`cert-manager is not in the cluster: it knows no Certificates`, {
        findings: [
          finding(
            "cert-manager-missing",
            "error",
            { kind: "cluster", name: context.run.cluster },
            text`the cluster knows no Certificates: cert-manager is not installed`,
          ),
        ],
      });
    const view = await viewTls(context);
    const needed = neededCertificates(view, namespaceOf(context));
    const told: Finding[] = [
      ...needed.flatMap((each) =>
        standingFor(view, each)?.ready === true ? [] : issuerFindings(view, each),
      ),
      ...caaFindings(view, needed),
      ...(await hijackFindings(context, view)),
      ...[...tooShort(view), ...outOfReach(view)].map((each) => ({ ...each, severity: "info" as const })),
    ];
    if (view.hosts.length === 0)
      told.push(
        finding(
          "no-hosts",
          "warning",
          { kind: "zone", name: view.domain },
          text`nothing in the cluster asks for a name below ${view.domain}, so no certificate is needed`,
        ),
      );
    if (view.users.length === 0 && view.hosts.length > 0)
      told.push(
        finding(
          "secret-reach",
          "info",
          { kind: "config", name: `namespace ${namespaceOf(context)}` },
          text`no Ingress and no Gateway uses a Secret for these names; the Secret will be in ${namespaceOf(context)} and is seen there only`,
          { remedy: text`Another namespace: ${code("--with namespace=NAME")}` },
        ),
      );
    const findings = accepting(acceptedOf(context), told);
    const outcome = findings.some(isFailure)
      ? "failed"
      : findings.some(({ severity }) => severity === "unknown")
        ? "unknown"
        : "passed";
    const [worst] = findings.filter((each) => isFailure(each) || each.severity === "unknown");
    return verified(
      outcome,
      worst?.text ??
        text`${view.hosts.length} names below ${view.domain} need ${needed.reduce((n, { dnsNames }) => n + dnsNames.length, 0)} names in ${needed.length} certificates`,
      {
        findings,
        notes: { hosts: view.hosts.length, namespaces: needed.map(({ namespace }) => namespace) },
        blocks: [
          {
            kind: "table",
            title: "Certificates needed",
            columns: ["namespace", "names", "Secret", "issuer"].map((title) => ({ title })),
            rows: needed.map(({ namespace, dnsNames, secret, issuer }) => [
              [namespace],
              [dnsNames.join(", ")],
              [secret],
              [issuer === undefined ? "none can" : issuerTitle(issuer)],
            ]),
          },
          {
            kind: "table",
            title: "Who uses a Secret",
            columns: ["who", "Secret", "hosts"].map((title) => ({ title })),
            rows: view.users.map(({ title, namespace, secret, hosts }) => [
              [title],
              [`${namespace}/${secret}`],
              [hosts.join(", ")],
            ]),
          },
        ],
      },
    );
  },
});
