import { FaultError } from "../fault.ts";
import { type Finding, isFailure } from "../finding.ts";
import type { Json } from "../json.ts";
import { servedAddresses } from "../migration/addresses.ts";
import { askedAgain } from "../migration/asked-again.ts";
import { listens, peerPorts } from "../migration/bgp-state.ts";
import { clientVantage, opensNow } from "../migration/clients.ts";
import { configurationErrors } from "../migration/configuration-state.ts";
import { couldNotLook, defineStep, finding, recheckAfterSync, verified } from "../migration/define-step.ts";
import { type MetalLbView, ownOf, viewMetalLb } from "../migration/metallb-view.ts";
import {
  asHistory,
  hasMeasured,
  missedText,
  notMeasured,
  observeClients,
} from "../migration/observe-clients.ts";
import { notYet } from "../migration/reached.ts";
import { deletions, removalFindings } from "../migration/removal.ts";
import { stillByBgp, toldByBgp } from "../migration/router-seen.ts";
import { syncInstructions, wayOf } from "../migration/way.ts";
import { announcersJson, lookOnTheWire } from "../migration/wire.ts";
import { code, join, text } from "../text.ts";
import type { StepContext } from "./step.ts";
import { bgpNoted } from "./survey.ts";

const settleMs = 5_000;

async function withdrawal(context: StepContext) {
  const view = await viewMetalLb(context);
  const changes = deletions(context, view, "bgpadvertisements");
  return { view, way: await wayOf(context, view, changes) };
}

/** `atMost`: nobody told through which nodes BGP leads, so each speaker counts. */
type Resets = Readonly<{ services: number; nodes: number; atMost: boolean }>;

/** Established connections that came in through a node which does not announce by layer 2 lose it once. */
function resetsOf(view: MetalLbView): Resets {
  const services = stillByBgp(view);
  const told = toldByBgp(view);
  const entering = told.kind === "told" ? told.statuses : [];
  const speakers = view.own.speakers.speakerNodes ?? view.objects.nodes.map(({ name }) => name);
  const nodes = new Set<string>();
  for (const { service, order } of view.prediction.addresses) {
    if (!services.has(service)) continue;
    const through =
      entering.length > 0
        ? entering.flatMap((each) => (each.service === service ? [each.node] : []))
        : speakers;
    for (const node of through) if (node !== order[0]) nodes.add(node);
  }
  return { services: services.size, nodes: nodes.size, atMost: entering.length === 0 };
}

const resetsText = ({ services, nodes, atMost }: Resets) =>
  text`established connections that entered through other nodes reset once: ${atMost ? "at most " : ""}${services} ${services === 1 ? "service" : "services"}, ${nodes} ${nodes === 1 ? "node" : "nodes"}`;

export const withdrawBgp = defineStep({
  id: "withdraw-bgp",
  kind: "act",
  title: "Withdraw BGP",
  reversibleWhile: text`the BGPPeers and the router's side of BGP are there`,
  unneeded: async (context) =>
    ownOf(await viewMetalLb(context), "bgpadvertisements").length === 0
      ? text`there is no BGPAdvertisement`
      : undefined,
  ready: async (context) => {
    const { view, way } = await withdrawal(context);
    const findings: Finding[] = [...(await removalFindings(context, view, "bgpadvertisements", way))];
    for (const { ip, service, order } of view.prediction.addresses)
      if (order.length === 0)
        findings.push(
          finding(
            "nothing-stands-yet",
            "error",
            { kind: "address", name: ip },
            text`nobody would announce ${ip} (${service}) by layer 2: without BGP it is gone`,
            { remedy: text`Create an L2Advertisement that selects its pool first` },
          ),
        );
    const { findings: wire } = await lookOnTheWire(
      context,
      askedAgain(context.run.notes, view.prediction.addresses),
    );
    findings.push(...wire);
    const bgp = bgpNoted(context.run.notes);
    const heard = bgp === "down" ? await peerPorts(context, view) : [];
    if (listens(heard))
      findings.push(
        finding(
          "bgp-came-back",
          "warning",
          { kind: "cluster", name: context.run.cluster },
          text`BGP was down when this run began, and now a peer listens (${heard.join("; ")}): clients may come by BGP again, no canary went first, and nothing would be measured`,
          {
            remedy: text`End this run with ${code("/migrate abort")} and start again: the survey then sees it`,
          },
        ),
      );
    if (bgp !== "down" && clientVantage(context.ports.config) === undefined)
      findings.push(
        finding(
          "no-vantage-behind-router",
          "unknown",
          { kind: "cluster", name: context.run.cluster },
          text`no vantage behind the router is configured: the gap could not be measured, nor whether clients there come back`,
        ),
      );
    return findings;
  },
  plan: async (context) => {
    const { view, way } = await withdrawal(context);
    const resets = resetsOf(view);
    const down = bgpNoted(context.run.notes) === "down";
    const again = askedAgain(context.run.notes, view.prediction.addresses);
    return {
      deeds: way.deeds,
      undo: way.undo,
      diffs: way.diffs,
      prediction: down
        ? [
            text`BGP is down already: deleting its objects takes nothing from any client, and no gap is measured`,
          ]
        : [
            text`new connections go on: the router falls back to its own prefix and asks by ARP`,
            resetsText(resets),
            ...(again === undefined
              ? []
              : [
                  text`${again.length} of ${view.prediction.addresses.length} addresses are asked on the wire before and after: what prove-on-wire of this run saw is relied on for the others`,
                ]),
          ],
      predicted: { resets: { ...resets }, deleted: way.diffs.map(({ object }) => object) },
      instructions: syncInstructions(way),
      blocks: [],
    };
  },
  observe: async (context) => {
    if (bgpNoted(context.run.notes) === "down") return observeClients(context, "withdrawal of BGP", []);
    const view = await viewMetalLb(context);
    return observeClients(
      context,
      "withdrawal of BGP",
      servedAddresses(view).flatMap(({ ip, port, service }) =>
        port === undefined ? [] : [{ ip, port, service }],
      ),
    );
  },
  verify: async (context, plan, observed) => {
    const { clock, config } = context.ports;
    await clock.sleep(settleMs, context.signal);
    const view = await viewMetalLb(context);
    const pending = notYet(view, plan, clock.now());
    if (pending !== undefined) return pending;
    const wire = await lookOnTheWire(context);
    const findings: Finding[] = [...wire.findings, ...configurationErrors(view)];
    const vantage = clientVantage(config);
    let opened = 0;
    const targets = servedAddresses(view).filter(({ port }) => port !== undefined);
    if (vantage === undefined)
      findings.push(
        finding(
          "no-vantage-behind-router",
          "unknown",
          { kind: "cluster", name: context.run.cluster },
          text`no vantage behind the router is configured: whether clients there are served is not known`,
        ),
      );
    else
      for (const { ip, port, service } of targets) {
        try {
          if (await opensNow(context.ports, vantage.name, { ip, port: port as number }, context.signal))
            opened++;
          else
            findings.push(
              finding(
                "address-lost",
                "error",
                { kind: "address", name: ip },
                text`${ip} (${service}) opens no connection from ${vantage.name} behind the router`,
              ),
            );
        } catch (error) {
          if (!(error instanceof FaultError)) throw error;
          findings.push(couldNotLook(error.fault, { kind: "vantage", name: vantage.name }));
        }
      }
    const outcome = findings.some(isFailure)
      ? "failed"
      : findings.some(({ severity }) => severity === "unknown")
        ? "unknown"
        : "passed";
    const down = bgpNoted(context.run.notes) === "down";
    const notes: Json = {
      announcers: announcersJson(wire.results),
      gap: down ? null : (observed?.facts ?? null),
      measured: !down && hasMeasured(observed),
    };
    const served = text`${opened} of ${targets.length} addresses open from ${vantage?.name ?? "nowhere"}, ${wire.results.length - wire.findings.length} of ${wire.results.length} answer on the segment${down || targets.length === 0 ? "" : missedText(observed)}`;
    const { together } = (observed?.facts ?? {}) as Readonly<{ together?: string | null }>;
    const { resets } = (plan.predicted ?? {}) as Readonly<{ resets?: Resets }>;
    const felt = [
      ...(typeof together === "string" ? [text`new connections: ${together}`] : []),
      ...(resets === undefined ? [] : [resetsText(resets)]),
    ];
    const said = down
      ? text`${served}. BGP was down before: no gap is claimed`
      : text`${join([served, ...felt], "; ")}`;
    return verified(outcome, said, {
      findings: [
        ...asHistory(observed),
        ...(down || targets.length === 0 ? [] : notMeasured(observed, context.run.cluster)),
        ...findings,
      ],
      blocks: [...(observed?.blocks ?? []), ...wire.blocks],
      notes,
      ...recheckAfterSync(context.run.notes),
    });
  },
});
