import { patchObject } from "#shared/twin/sites/faults.ts";
import { healthyWith } from "./coverage-sites.ts";
import { type IncidentScenario, type Truth, truth } from "./incident-scenario.ts";
import { record, withoutName, withRecords } from "./lab/dns/faults.ts";
import { type DnsScenario, dnsScenarios } from "./lab/dns/scenarios.ts";

const host = "httpbin.services.k8s.goldentooth.net";

/** ExternalDNS is stopped: what is wrong in the zone stays. */
export const externalDnsStopped = patchObject("deployments", "external-dns", {
  spec: { replicas: 0 },
  status: { readyReplicas: 0 },
});

/** Worlds of `/dns explain` about a name that the cluster wants: an on-call runbook has to see the same. */
const wanted = dnsScenarios.filter(
  ({ ask, state }) => ask === host && state !== "no-record" && state !== "resolves",
);

const truthsOf = ({ words, certain, possible }: DnsScenario): readonly Truth[] =>
  [...certain, ...(possible === undefined ? [] : [possible])].map((id) => truth(words, `dns-${id}`));

/** What the record says and who owns it are told as well where the owner is what is wrong. */
const alsoTrueOf = ({ certain }: DnsScenario): readonly string[] =>
  certain.includes("wrong-owner") ? ["record-wrong-target"] : [];

const fromDns = (runbook: string) =>
  wanted.map(
    (scenario): IncidentScenario => ({
      kind: "one fault",
      name: `${runbook === "service-unreachable" ? "" : "name-"}${scenario.name}`,
      lines: scenario.line === undefined ? [] : [scenario.line],
      words: scenario.words,
      site: scenario.site,
      ...(scenario.afterwards === undefined
        ? {}
        : { afterwards: scenario.afterwards, atOnce: true as const, waitSeconds: 120 }),
      runbook,
      ask: scenario.ask,
      truths: truthsOf(scenario),
      alsoTrue: alsoTrueOf(scenario),
      ...(scenario.possible === undefined ? {} : { undecidable: "it looks the same from outside" }),
    }),
  );

/** Names: the sixteen reasons of a name that does not resolve, and what only the cluster and the zone together tell. */
export const nameScenarios: readonly IncidentScenario[] = [
  ...fromDns("service-unreachable"),
  {
    kind: "one fault",
    name: "record-missing",
    lines: [],
    words: "the record was deleted by hand, and ExternalDNS is stopped",
    site: healthyWith(withoutName(host), externalDnsStopped),
    runbook: "service-unreachable",
    ask: host,
    truths: [truth("the record is not in the zone", "record-missing")],
    alsoTrue: ["external-dns-not-running"],
  },
  {
    kind: "one fault",
    name: "record-old-address",
    lines: [],
    words: "the Service got another address, and ExternalDNS is stopped",
    site: healthyWith(withRecords(record("A", host, 60, "10.4.11.99")), externalDnsStopped),
    runbook: "service-unreachable",
    ask: host,
    truths: [truth("the record has the old address", "record-wrong-target")],
    alsoTrue: ["external-dns-not-running"],
  },
];

/** Names of which the zone holds nothing: nobody wants them, or nobody makes the record. */
const absent = ["dns-orphaned-txt", "dns-new-prefix"].map((name): IncidentScenario => {
  const scenario = dnsScenarios.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(name);
  return {
    kind: "one fault",
    name: `name-${name}`,
    lines: [],
    words: scenario.words,
    site: scenario.site,
    ...(scenario.afterwards === undefined
      ? {}
      : { afterwards: scenario.afterwards, atOnce: true as const, waitSeconds: 120 }),
    runbook: "name-does-not-resolve",
    ask: scenario.ask,
    truths: [
      truth(
        "nothing of the cluster asks for the name, and the zone has no record",
        "name-not-wanted",
        "record-missing",
      ),
    ],
  };
});

/** Names that something else in the zone stands before. */
const shadowed = ["dns-shadowed-wildcard", "dns-dangling-cname"].map((name): IncidentScenario => {
  const scenario = dnsScenarios.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(name);
  return {
    kind: "one fault",
    name: `name-${name}`,
    lines: ["D11"],
    words: scenario.words,
    site: scenario.site,
    runbook: "name-does-not-resolve",
    ask: scenario.ask,
    truths: [truth(scenario.words, "dns-shadowed")],
    alsoTrue: ["name-not-wanted", "record-missing"],
  };
});

/** The same worlds, asked about the name alone. */
export const nameOnlyScenarios: readonly IncidentScenario[] = [
  ...fromDns("name-does-not-resolve"),
  ...absent,
  ...shadowed,
];
