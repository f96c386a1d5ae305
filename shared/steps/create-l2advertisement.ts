import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { isFailure } from "../finding.ts";
import type { Json } from "../json.ts";
import { impact } from "../metallb/impact.ts";
import { accepting } from "../migration/accepted.ts";
import { bgpLeads, listens, peerPorts } from "../migration/bgp-state.ts";
import { clientVantage } from "../migration/clients.ts";
import { configurationErrors } from "../migration/configuration-state.ts";
import { defineStep, finding, recheckAfterSync, verified } from "../migration/define-step.ts";
import { dryRunFindings } from "../migration/dry-run.ts";
import { inputsOf } from "../migration/inputs.ts";
import {
  predictedWith,
  trapsOf,
  uncoveredPools,
  wantedL2Advertisement,
} from "../migration/l2-advertisement.ts";
import { leadersJson, leadersTable } from "../migration/leaders.ts";
import { type MetalLbView, viewMetalLb } from "../migration/metallb-view.ts";
import { creation } from "../migration/objects.ts";
import { notYet } from "../migration/reached.ts";
import { toldByBgp } from "../migration/router-seen.ts";
import { syncInstructions, wayOf } from "../migration/way.ts";
import { announcersJson, lookOnTheWire } from "../migration/wire.ts";
import { type Text, text } from "../text.ts";
import type { StepContext } from "./step.ts";
import { bgpNoted } from "./survey.ts";

/** How long speakers may take to act on the object. */
const settleMs = 3_000;

async function wanted(context: StepContext) {
  const view = await viewMetalLb(context);
  const { object, findings } = await wantedL2Advertisement(context, view);
  const change = creation("l2advertisements", object);
  const [beside] = view.lists.bgpadvertisements.filter(
    ({ metadata }) => metadata.namespace === view.namespace,
  );
  const way = await wayOf(
    context,
    view,
    [change],
    beside === undefined ? undefined : { kind: "bgpadvertisements", object: beside },
  );
  return { view, object, change, way, findings };
}

/** Whether BGP may lead to some address by another node than the one that announces it by layer 2. */
function leadsElsewhere(view: MetalLbView): boolean {
  const told = toldByBgp(view);
  if (told.kind !== "told" || told.statuses.length === 0) return view.objects.nodes.length > 1;
  return view.prediction.addresses.some(({ service, order }) =>
    told.statuses.some((each) => each.service === service && each.node !== order[0]),
  );
}

export const createL2Advertisement = defineStep({
  id: "create-l2advertisement",
  kind: "act",
  title: "Create the L2Advertisement",
  reversibleWhile: text`BGP still announces`,
  unneeded: async (context) => {
    const view = await viewMetalLb(context);
    if (inputsOf(context.run.inputs).manifest !== undefined || uncoveredPools(view).length > 0)
      return undefined;
    return view.own.pools.length === 0
      ? undefined
      : text`every pool in use is selected by an L2Advertisement already: ${view.own.l2.map(({ name }) => name).join(", ")}`;
  },
  ready: async (context) => {
    const what = await wanted(context);
    const traps = await trapsOf(context, what.view, what.object);
    return accepting(inputsOf(context.run.inputs).accept, [
      ...what.findings,
      ...what.way.findings,
      ...traps,
      ...(await dryRunFindings(context, [what.change.deed])),
    ]);
  },
  plan: async (context) => {
    const { view, object, way } = await wanted(context);
    const after = predictedWith(view, object);
    const announced = after.addresses.filter(({ order }) => order.length > 0).length;
    return {
      deeds: way.deeds,
      undo: way.undo,
      diffs: way.diffs,
      prediction: [
        text`${announced} of ${after.addresses.length} addresses get an announcer on the segment; BGP goes on beside it, so no client moves yet`,
        text`each address will be one node's at a time, all of them together ${new Set(after.addresses.flatMap(({ order }) => order.slice(0, 1))).size} nodes'; a node's death moves its own addresses, no others`,
      ],
      predicted: leadersJson(after),
      instructions: syncInstructions(way),
      blocks: [leadersTable("Announcers on the segment", view.prediction, after)],
    };
  },
  verify: async (context, plan) => {
    const { clock } = context.ports;
    await clock.sleep(settleMs, context.signal);
    const view = await viewMetalLb(context);
    const pending = notYet(view, plan, clock.now());
    if (pending !== undefined) return pending;
    const wire = await lookOnTheWire(context);
    const now = leadersJson(view.prediction);
    const moved = JSON.stringify(now) !== JSON.stringify(plan.predicted);
    const findings: Finding[] = [
      ...wire.findings,
      ...configurationErrors(view),
      ...impact(wire.surroundings.objects).findings.filter(
        (each) => isFailure(each) && ["announcer-differs", "announce-failed"].includes(each.code),
      ),
      ...(isFault(view.lists.servicel2statuses) && view.lists.servicel2statuses.kind !== "not-configured"
        ? [
            finding(
              "status-unseen",
              "info",
              { kind: "cluster", name: context.run.cluster },
              text`ServiceL2Status could not be listed: the wire and the events have to do`,
            ),
          ]
        : []),
      ...(moved
        ? [
            finding(
              "prediction-moved",
              "warning",
              { kind: "cluster", name: context.run.cluster },
              text`the predicted announcers are not those of the plan any more: something changed between`,
              { facts: { planned: plan.predicted, now } },
            ),
          ]
        : []),
    ];
    const outcome = findings.some(isFailure)
      ? "failed"
      : findings.some(({ severity }) => severity === "unknown")
        ? "unknown"
        : "passed";
    const good = wire.results.length - wire.findings.length;
    const notes: Json = {
      announcers: announcersJson(wire.results),
      created: plan.diffs.map(({ object }) => object),
    };
    return verified(
      outcome,
      text`${good} of ${wire.results.length} addresses answer on the segment as predicted`,
      {
        findings,
        blocks: wire.blocks,
        notes,
        ...recheckAfterSync(context.run.notes),
      },
    );
  },
  canUndo: async (context) => {
    const view = await viewMetalLb(context);
    const closed = (what: string, said: Text): readonly Finding[] => [
      finding(what, "error", { kind: "cluster", name: context.run.cluster }, said),
    ];
    if (view.own.bgp.length === 0)
      return closed(
        "bgp-is-gone",
        text`no BGPAdvertisement is left: without this L2Advertisement nobody announces anything. Go back from withdraw-bgp first`,
      );
    if (bgpNoted(context.run.notes) === "down")
      return closed(
        "bgp-is-down",
        text`BGP was down before this run: without this L2Advertisement nobody announces anything`,
      );
    const ports = await peerPorts(context, view);
    // A port that is open is no session. It has to do only where the way cannot tell BGP from layer 2.
    const canTell = clientVantage(context.ports.config) !== undefined && leadsElsewhere(view);
    if (canTell ? await bgpLeads(context, view) : listens(ports)) return [];
    return closed(
      "bgp-is-down",
      text`nothing shows that BGP leads to any address (${ports.join("; ") || "no peer"}): without this L2Advertisement nobody would. Wait for the sessions, then go back again`,
    );
  },
});
