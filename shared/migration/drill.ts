import * as z from "zod";
import { resolveSubject } from "../arp/subject.ts";
import { type Fault, FaultError } from "../fault.ts";
import type { Finding, Subject } from "../finding.ts";
import type { Json } from "../json.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { predict } from "../metallb/announcer.ts";
import { parseIp } from "../metallb/ip.ts";
import { excludeLabel, honoursExcludeLabel } from "../metallb/own-objects.ts";
import type { AddressPrediction, Prediction } from "../metallb/prediction.ts";
import type { Block } from "../reply.ts";
import type { ClusterConfig, Vantage } from "../site/site.ts";
import type { StepContext } from "../steps/step.ts";
import { code, text } from "../text.ts";
import { servedAddresses } from "./addresses.ts";
import { finding } from "./define-step.ts";
import { type MetalLbView, ownOf } from "./metallb-view.ts";

/** What `/arping drill` takes. */
export const drillInputs = z.object({
  service: z.string().min(1).describe("Service or address whose hand-over is drilled"),
  reason: z.string().optional().describe("Why, for whoever reads the run later"),
});

/** Value of the label while a run has set it: it tells whose it is. */
export const labelOf = (run: string): string => `arpeggio-${run}`;

/** Where a client stands outside the cluster: behind the router, else a host of the segment that is no node. */
export function drillVantage({ vantages }: ClusterConfig): Vantage | undefined {
  const outside = vantages.filter(({ clusterNode }) => clusterNode === undefined);
  return (
    outside.find(({ place }) => place === "behind-router") ??
    outside.find(({ place }) => place === "lan-wired")
  );
}

export type Moved = Readonly<{ ip: string; service: string; from: string; to: string | null; nics: string }>;

export type Drill = Readonly<{
  ip: string;
  /** `namespace/name`. */
  service: string;
  port: number | undefined;
  /** Who announces it, as predicted. */
  node: KubeObject;
  /** Every address that goes elsewhere when the node is excluded, with who takes it. */
  moves: readonly Moved[];
  then: Prediction;
}>;

const leaderOf = (prediction: Prediction, { ip, service }: AddressPrediction): string | undefined =>
  prediction.addresses.find((each) => each.ip === ip && each.service === service)?.order[0];

const nicsOf = (address: AddressPrediction | undefined): string => {
  const nics = address?.interfaces[address.order[0] ?? ""];
  return nics === undefined ? "" : nics === "all" ? "all" : nics.join(", ");
};

/** Who would announce what if a node had the label: the same prediction, over objects of which one has it. */
export function predictWithout(view: MetalLbView, node: string, label: string): Prediction {
  return predict({
    ...view.objects,
    nodes: view.objects.nodes.map((each) =>
      each.name === node ? { ...each, labels: { ...each.labels, [excludeLabel]: label } } : each,
    ),
  });
}

const notConfigured = (what: string, detail: string): Fault => ({ kind: "not-configured", what, detail });

/** What the fault is about that says why there is nothing to drill. */
export const drilled = (word: string): string => `a drill of ${word}`;

/** What a drill of this Service or address is about. Throws FaultError where there is nothing to drill. */
export function drillOf(view: MetalLbView, { run }: Pick<StepContext, "run">): Drill {
  const { service: word } = drillInputs.parse(run.inputs);
  const refuse = (detail: string): never => {
    throw new FaultError(notConfigured(drilled(word), detail));
  };
  const found = resolveSubject(view.objects, word);
  if (found.kind === "ambiguous") return refuse(`it is ${found.services.join(", ")}: say which`);
  if (found.kind === "no-address") return refuse(`${found.service} has no address`);
  if (found.kind === "unknown") {
    const { nearest } = found;
    const near = nearest === undefined ? "" : `; nearest: ${nearest.service ?? ""} ${nearest.ip}`;
    return refuse(`no Service of type LoadBalancer and no address is called so${near}`);
  }
  const about = found.subjects.filter(({ ip }) => parseIp(ip)?.family === 4);
  const [first] = about;
  if (word === "all" || first?.service === undefined)
    return refuse(word === "all" ? "one address at a time" : "no Service has such an IPv4 address");
  if (about.length > 1 && found.subjects.length > 1 && parseIp(word) === undefined)
    return refuse(`it has ${about.map(({ ip }) => ip).join(" and ")}: name one`);
  const { ip, service } = first;
  const address = view.prediction.addresses.find((each) => each.ip === ip && each.service === service);
  const leader = address?.order[0];
  if (leader === undefined)
    return refuse(
      address?.configError === undefined
        ? `nobody would announce ${ip} by layer 2`
        : `MetalLB rejects its configuration: ${address.configError}`,
    );
  const node = view.lists.nodes.find(({ metadata }) => metadata.name === leader);
  if (node === undefined) return refuse(`there is no Node ${leader}`);
  const then = predictWithout(view, leader, labelOf(run.id));
  const moves = view.prediction.addresses.flatMap((now): Moved[] => {
    const from = now.order[0];
    const after = then.addresses.find((each) => each.ip === now.ip && each.service === now.service);
    const to = after?.order[0];
    return from === undefined || from === to
      ? []
      : [{ ip: now.ip, service: now.service, from, to: to ?? null, nics: nicsOf(after) }];
  });
  const served = servedAddresses(view).find((each) => each.ip === ip && each.service === service);
  return { ip, service, port: served?.port, node, moves, then };
}

const addressSubject = (ip: string): Subject => ({ kind: "address", name: ip });

type NodeConditions = Readonly<{ conditions?: readonly Readonly<{ type?: string; status?: string }>[] }>;

const isReady = (node: KubeObject | undefined): boolean =>
  ((node?.status ?? {}) as NodeConditions).conditions?.some(
    ({ type, status }) => type === "Ready" && status === "True",
  ) === true;

/** Why this drill must not be: one finding for each reason, all at once. */
export function drillObstacles(
  view: MetalLbView,
  drill: Drill,
  { run, ports }: StepContext,
): readonly Finding[] {
  const { node, moves, ip, service } = drill;
  const name = node.metadata.name;
  const found: Finding[] = [];
  const cluster: Subject = { kind: "cluster", name: run.cluster };
  const nodeSubject: Subject = { kind: "node", name };
  const { speakers, rules } = view.own;
  if (speakers.version === undefined)
    found.push(
      finding(
        "drill-release-unknown",
        "unknown",
        cluster,
        text`which MetalLB release runs is not known (${speakers.versionDoubt ?? "no speaker was found"}), so neither is whether it looks at the label`,
      ),
    );
  else if (!rules.excludeLabel)
    found.push(
      finding(
        "drill-release-ignores-label",
        "error",
        cluster,
        text`MetalLB ${speakers.version} does not look at the label ${code(excludeLabel)}: it came with 0.14.0`,
      ),
    );
  else if (speakers.ignoreExcludeLb === undefined)
    found.push(
      finding(
        "drill-flag-unknown",
        "unknown",
        cluster,
        text`whether the speakers run with ${code("--ignore-exclude-lb")} could not be read`,
      ),
    );
  else if (!honoursExcludeLabel(view.own))
    found.push(
      finding(
        "drill-speakers-ignore-label",
        "error",
        cluster,
        text`the speakers run with ${code("--ignore-exclude-lb")}: the label would move nothing`,
      ),
    );
  const held = node.metadata.labels?.[excludeLabel];
  if (held !== undefined && held !== labelOf(run.id))
    found.push(
      finding(
        "drill-label-of-another",
        "error",
        nodeSubject,
        text`${name} has the label ${code(excludeLabel)} already (${code(held === "" ? '""' : held)}), and we did not set it`,
        { facts: { value: held }, remedy: text`Find out who set it; it is not ours to take off` },
      ),
    );
  const bgp = ownOf(view, "bgpadvertisements");
  if (bgp.length > 0)
    found.push(
      finding(
        "drill-bgp",
        "error",
        cluster,
        text`BGP announces here too (${bgp.map(({ metadata }) => metadata.name).join(", ")}): the label takes the node's BGP routes away as well, which is no hand-over by ARP`,
      ),
    );
  for (const move of moves) {
    const { from, to } = move;
    if (to === null)
      found.push(
        finding(
          "drill-no-successor",
          "error",
          addressSubject(move.ip),
          text`nobody would announce ${move.ip} (${move.service}) without ${name}: it has no next candidate`,
          { remedy: text`Let its advertisement select a second node, or run its pods on one` },
        ),
      );
    else if (from !== name)
      found.push(
        finding(
          "drill-moves-more",
          "error",
          addressSubject(move.ip),
          text`${move.ip} (${move.service}) is announced by ${from} and would move to ${to} too: some advertisement goes by the label`,
        ),
      );
    else if (!isReady(view.lists.nodes.find(({ metadata }) => metadata.name === to)))
      found.push(
        finding(
          "drill-successor-not-ready",
          "error",
          { kind: "node", name: to },
          text`${move.ip} (${move.service}) would move to ${to}, which is not Ready`,
        ),
      );
  }
  if (leaderOf(view.prediction, { ip, service } as AddressPrediction) !== name || moves.length === 0)
    found.push(
      finding(
        "drill-nothing-moves",
        "error",
        addressSubject(ip),
        text`the label on ${name} would move nothing`,
      ),
    );
  const local = view.objects.services.find(
    (each) => `${each.namespace}/${each.name}` === service && each.externalTrafficPolicy === "Local",
  );
  if (local !== undefined)
    found.push(
      finding(
        "drill-policy-local",
        "error",
        addressSubject(ip),
        text`${service} has externalTrafficPolicy Local: other pods would serve after the hand-over, so its gap is not that of ARP`,
      ),
    );
  const vantage = drillVantage(ports.config);
  if (vantage === undefined)
    found.push(
      finding(
        "drill-no-vantage",
        "unknown",
        cluster,
        text`no vantage outside the cluster is configured: nobody could measure the gap`,
        { remedy: text`Add one under vantages: (${code("docs/vantages.md")})` },
      ),
    );
  if (drill.port === undefined)
    found.push(
      finding(
        "drill-no-tcp-port",
        "unknown",
        addressSubject(ip),
        text`${service} has no TCP port, so no client can be imitated and the gap not be measured`,
      ),
    );
  return found;
}

/** Every address that would move, and to whom. */
export const movesTable = (moves: readonly Moved[]): Block => ({
  kind: "table",
  title: "What moves, and moves back",
  columns: [
    { title: "address" },
    { title: "service" },
    { title: "from" },
    { title: "to" },
    { title: "interfaces" },
  ],
  rows: moves.map(({ ip, service, from, to, nics }) => [[ip], [service], [from], [to ?? "nobody"], [nics]]),
});

export const movesJson = (moves: readonly Moved[]): Json =>
  Object.fromEntries(moves.map(({ ip, service, from, to }) => [`${ip} ${service}`, { from, to }]));
