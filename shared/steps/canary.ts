import type { Finding } from "../finding.ts";
import { isFailure } from "../finding.ts";
import type { Json } from "../json.ts";
import { accepting } from "../migration/accepted.ts";
import { chooseCanary, echoName } from "../migration/canary.ts";
import {
  clientVantage,
  type Felt,
  feltBy,
  feltJson,
  feltText,
  periodFor,
  sampleConnections,
  secondsText,
} from "../migration/clients.ts";
import { configurationErrors } from "../migration/configuration-state.ts";
import { couldNotLook, defineStep, finding, recheckAfterSync, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { pathTo } from "../migration/hops.ts";
import { inputsOf } from "../migration/inputs.ts";
import { viewMetalLb } from "../migration/metallb-view.ts";
import { asHistory, missedText, observeClients } from "../migration/observe-clients.ts";
import { notYet } from "../migration/reached.ts";
import { toldByBgp } from "../migration/router-seen.ts";
import { syncInstructions, wayOf } from "../migration/way.ts";
import { announcersSeen, lookOnTheWire } from "../migration/wire.ts";
import { code, text } from "../text.ts";
import type { StepContext } from "./step.ts";
import { bgpNoted } from "./survey.ts";

/** How long the canary has to answer before another address may lose BGP. */
export const canaryMs = 60_000;
/** Time for speakers to act and for an address to be given out. */
const settleMs = 5_000;

type Target = Readonly<{ ip: string; port: number; service: string; kind: "narrowed" | "echo" }>;

const targetOf = (predicted: Json): Target => predicted as unknown as Target;

/** The addresses of a canary plan as its digest has them. */
async function chosen(context: StepContext) {
  const view = await viewMetalLb(context);
  const { plan, findings } = chooseCanary(context, view);
  return { view, plan, findings, way: await wayOf(context, view, plan?.changes ?? []) };
}

const noVantage = (cluster: string): Finding =>
  finding(
    "no-vantage-behind-router",
    "unknown",
    { kind: "cluster", name: cluster },
    text`no vantage behind the router is configured: nobody can tell whether the canary answers clients there`,
    { remedy: text`Add one under ${code("vantages:")} with ${code("place: behind-router")}` },
  );

export const canary = defineStep({
  id: "canary",
  kind: "act",
  title: "Canary",
  proof: text`that one address answers clients behind the router by layer 2 alone, before all the others depend on it`,
  reversibleWhile: text`BGP still announces the other addresses`,
  unneeded: async (context) => {
    const noted = bgpNoted(context.run.notes);
    if (noted === "down") return text`BGP is down already: no address can lose it`;
    if (noted === "not-configured") return text`BGP is not configured`;
    return undefined;
  },
  ready: async (context) => {
    const { findings, way } = await chosen(context);
    return accepting(inputsOf(context.run.inputs).accept, [
      ...findings,
      ...way.findings,
      ...(await dryRunFindings(context, way.deeds)),
      ...(clientVantage(context.ports.config) === undefined ? [noVantage(context.run.cluster)] : []),
    ]);
  },
  plan: async (context) => {
    const { plan, way } = await chosen(context);
    const target: Json =
      plan === undefined ? null : { ip: plan.ip, port: plan.port, service: plan.service, kind: plan.kind };
    return {
      deeds: way.deeds,
      undo: way.undo,
      diffs: way.diffs,
      prediction:
        plan === undefined
          ? []
          : [
              plan.kind === "narrowed"
                ? text`${plan.service} ${plan.ip} loses BGP and is served by its announcer on the segment; every other address keeps BGP. Its established connections that came in through other nodes reset once`
                : text`an echo of ${plan.service} answers on ${plan.ip} by layer 2 alone; no address in use changes`,
              text`it has to open every new connection from behind the router for ${secondsText(canaryMs)}`,
            ],
      predicted: target,
      instructions: syncInstructions(way),
      blocks: [],
    };
  },
  observe: async (context, plan) => {
    const target = targetOf(plan.predicted);
    return observeClients(context, "canary", target === null || target.kind === "echo" ? [] : [target]);
  },
  verify: async (context, plan, observed) => {
    const { clock, config, shell } = context.ports;
    const target = targetOf(plan.predicted);
    const vantage = clientVantage(config);
    if (vantage === undefined)
      return verified("unknown", text`nobody stands behind the router to see the canary`, {
        findings: [noVantage(context.run.cluster)],
      });
    await clock.sleep(settleMs, context.signal);
    const view = await viewMetalLb(context);
    const pending = notYet(view, plan, clock.now());
    if (pending !== undefined) return pending;
    const findings: Finding[] = [...configurationErrors(view)];
    const told = toldByBgp(view);
    const name =
      target.kind === "echo" ? `${target.service.split("/")[0] ?? ""}/${echoName}` : target.service;
    if (told.kind === "unseen")
      findings.push(couldNotLook(told.fault, { kind: "service", name: target.service }));
    if (told.kind === "told" && told.statuses.some(({ service }) => service === name))
      findings.push(
        finding(
          "canary-still-by-bgp",
          "error",
          { kind: "service", name: target.service },
          text`ServiceBGPStatus still lists ${target.service}: it answers, but not by layer 2 alone`,
        ),
      );
    const over = new AbortController();
    const stop = AbortSignal.any([over.signal, context.signal]);
    context.show(text`${target.ip} is watched from ${vantage.name} for ${secondsText(canaryMs)}`);
    const sampling = sampleConnections({ shell, clock }, vantage.name, target, periodFor(1), stop);
    await clock.sleep(canaryMs, context.signal);
    over.abort();
    const { samples, faults } = await sampling;
    const felt = feltBy(samples);
    const wire = await lookOnTheWire(context, [target.ip]);
    findings.push(...wire.findings);
    const announcer = announcersSeen(wire.results).get(target.ip);
    const path = await pathTo(shell, vantage.name, target.ip, view.objects, context.signal);
    const [node] = path.nodes;
    if (node !== undefined && announcer !== undefined && node !== announcer)
      findings.push(
        finding(
          "via-a-node",
          "error",
          { kind: "node", name: node },
          text`the router leads to ${target.ip} via ${code(node)}, while ${code(announcer)} announces it`,
        ),
      );
    const [fault] = faults;
    if (fault !== undefined) findings.push(couldNotLook(fault, { kind: "vantage", name: vantage.name }));
    if (felt !== undefined && felt.failed > 0)
      findings.push(
        finding(
          "canary-does-not-answer",
          "error",
          { kind: "address", name: target.ip },
          text`${target.service} ${target.ip} from ${vantage.name}: ${feltText(felt)}`,
          { facts: { felt: feltJson(felt) } },
        ),
      );
    const outcome = findings.some(isFailure)
      ? "failed"
      : felt === undefined || felt.tried < 30 || findings.some(({ severity }) => severity === "unknown")
        ? "unknown"
        : "passed";
    const how =
      told.kind === "told"
        ? "by layer 2 alone"
        : node !== undefined && node === announcer
          ? `by way of ${node}, which announces it by layer 2 (this release does not say what goes by BGP)`
          : "(whether by layer 2 alone was not seen: this release does not say what goes by BGP)";
    return verified(
      outcome,
      text`${verdictText(outcome, target, vantage.name, felt, how)}${target.kind === "echo" ? "" : missedText(observed)}`,
      {
        findings: [...asHistory(observed), ...findings],
        blocks: [
          ...(observed?.blocks ?? []),
          ...wire.blocks,
          {
            kind: "evidence",
            title: `hops from ${vantage.name} (behind-router)`,
            lines: [
              `${path.ip}  ${path.hops.join(" > ") || "nothing"}  (answers ARP: ${announcer ?? "not seen"})`,
            ],
          },
        ],
        notes: {
          kind: target.kind,
          ip: target.ip,
          service: target.service,
          observed: observed?.facts ?? null,
          felt: felt === undefined ? null : feltJson(felt),
        },
        ...recheckAfterSync(context.run.notes),
      },
    );
  },
});

function verdictText(outcome: string, target: Target, from: string, felt: Felt | undefined, how: string) {
  const who = `${target.kind === "echo" ? "the echo of " : ""}${target.service} ${target.ip}`;
  if (outcome === "passed" && felt !== undefined)
    return text`${who} answers from ${from} ${how}: ${felt.tried} of ${felt.tried} new connections in ${secondsText(felt.to - felt.from)}; a gap shorter than ${secondsText(felt.resolutionMs)} would not be seen`;
  return outcome === "failed"
    ? text`${who} does not answer as it has to from ${from}${felt === undefined ? "" : `: ${feltText(felt)}`}. The other addresses still have BGP`
    : text`${who} could not be watched well enough from ${from}`;
}
