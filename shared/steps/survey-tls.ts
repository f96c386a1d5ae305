import { readArguments } from "../dns/deployment.ts";
import { valuesOf } from "../dns/record-set.ts";
import { askingPorts, explainName } from "../domain-move/asking.ts";
import { acceptedOf } from "../domain-move/move.ts";
import { publishersFindings } from "../domain-move/say.ts";
import { answersOf, dataOf } from "../explain/evidence.ts";
import { type Finding, isFailure } from "../finding.ts";
import { accepting } from "../migration/accepted.ts";
import { couldNotLook, defineStep, finding, verified } from "../migration/define-step.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { neededCertificates, servedWithout, standingFor } from "../wildcard-tls/certificates.ts";
import { namespaceOf } from "../wildcard-tls/inputs.ts";
import { issuerTitle } from "../wildcard-tls/issuers.ts";
import { caaFindings, grantsNeeded, issuerFindings, outOfReach, tooShort } from "../wildcard-tls/judge.ts";
import { type TlsView, viewTls } from "../wildcard-tls/tls-view.ts";
import { noDeeds, type StepContext } from "./step.ts";

const counted = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;

const only = "dns01-recursive-nameservers-only";
const servers = "dns01-recursive-nameservers";

/** Servers that cert-manager asks instead of its pod's resolvers, and only where it asks nobody else. */
function recursiveServers({ controllerArgs }: TlsView): readonly string[] {
  const flags = readArguments(controllerArgs ?? []);
  const isOnly = !["false", undefined].includes(flags.get(only)?.at(-1));
  return isOnly
    ? (flags.get(servers) ?? []).flatMap((value) => value.split(",").filter((each) => each !== ""))
    : [];
}

const isOverHttps = (server: string): boolean => server.startsWith("https://");
const addressOf = (server: string): string => server.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");

/** What the resolvers outside say when they are asked from inside: a router may answer in their place. */
async function answeredInside(context: StepContext, view: TlsView): Promise<readonly string[] | undefined> {
  const { inside, publicResolvers } = askingPorts(context, view.dns);
  const [resolver] = publicResolvers;
  if (inside === undefined || resolver === undefined) return undefined;
  const reply = await inside.ask(
    resolver,
    { name: view.zone.name, type: "NS", recurse: true },
    context.signal,
  );
  const [answer] = answersOf([{ server: resolver, reply }]);
  return answer === undefined
    ? undefined
    : dataOf(answer, "NS").map((each) => each.replace(/\.$/, "").toLowerCase());
}

/** A resolver of the site that answers for the zone itself: cert-manager would never see its own challenge. */
async function hijackFindings(context: StepContext, view: TlsView): Promise<readonly Finding[]> {
  const { zone, recordSets } = view;
  const subject = { kind: "zone", name: zone.name } as const;
  const set = recordSets.find(({ name, type }) => name === zone.name && type === "NS");
  const wanted = set === undefined ? [] : valuesOf(set).map((each) => each.replace(/\.$/, "").toLowerCase());
  const { evidence, explanation } = await explainName(context, view.dns, {
    name: zone.name,
    type: "NS",
    wanted,
    owner: undefined,
    ours: [],
    txt: undefined,
  });
  if (!evidence.site.ok) return [couldNotLook(evidence.site.fault, subject)];
  const publicOnes = context.ports.config.dns?.publicResolvers ?? [];
  const asks = recursiveServers(view);
  const https = code(`--${servers}=https://${publicOnes[0] ?? "1.1.1.1"}/dns-query`);
  const inside = await answeredInside(context, view);
  // Whoever answers wrongly in the place of a server outside does so for whatever server cert-manager names.
  if (inside !== undefined && wanted.length > 0 && !wanted.some((each) => inside.includes(each)))
    return asks.length > 0 && asks.every(isOverHttps)
      ? []
      : [
          finding(
            "dns-intercepted",
            "warning",
            subject,
            text`asked from inside, ${publicOnes[0] ?? ""} says ${inside.join(", ") || "nothing"} for the name servers of ${zone.name}, and the zone has ${wanted.join(", ")}: something on the way (the router) answers in its place, so cert-manager would never see its own challenge`,
            {
              remedy: text`Run cert-manager's controller with ${code(`--${only}`)} and ${https} (DNS over HTTPS is not caught), or let its port 53 pass the router`,
            },
          ),
        ];
  const found = [...explanation.certain, ...explanation.possible].find(
    ({ diagnosis }) => diagnosis.id === "split-horizon",
  );
  const ofTheSite = context.ports.config.site.resolvers;
  if (found === undefined || (asks.length > 0 && !asks.some((each) => ofTheSite.includes(addressOf(each)))))
    return [];
  return [
    finding(
      "recursive-nameservers-needed",
      "warning",
      subject,
      [...found.opinion.because, "; cert-manager asks it for its own challenge and would wait for ever"],
      {
        remedy: text`Run cert-manager's controller with both ${code(`--${only}`)} and ${code(`--${servers}=${publicOnes.map((ip) => `${ip}:53`).join(",")}`)}: one without the other asks the same resolver`,
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
    const without = servedWithout(view, needed);
    const told: Finding[] = [
      ...publishersFindings(view.dns).filter(({ severity }) => severity === "unknown"),
      ...needed.flatMap((each) =>
        standingFor(view, each)?.ready === true ? [] : issuerFindings(view, each),
      ),
      ...caaFindings(view, needed),
      ...(await hijackFindings(context, view)),
      ...grantsNeeded(view),
      ...[...tooShort(view), ...outOfReach(view)].map((each) => ({ ...each, severity: "info" as const })),
    ];
    if (without.length > 0)
      told.push(
        finding(
          "hosts-without-secret",
          "info",
          { kind: "zone", name: view.domain },
          text`${nameList(without)} is asked for, and no Ingress and no Gateway serves it with a Secret: no certificate is made for it`,
          { facts: { hosts: [...without] } },
        ),
      );
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
        text`${view.hosts.length} names below ${view.domain} need ${counted(
          needed.reduce((n, { dnsNames }) => n + dnsNames.length, 0),
          "name",
        )} in ${counted(needed.length, "certificate")}`,
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
