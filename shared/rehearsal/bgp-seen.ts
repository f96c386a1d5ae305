import { FaultError } from "../fault.ts";
import { bgpStateOf } from "../migration/bgp-state.ts";
import { viewMetalLb } from "../migration/metallb-view.ts";
import type { StepPorts } from "../steps/step.ts";

/** Whether BGP was seen to be down. What cannot be seen is taken to be up: then the model loses something by it. */
export async function bgpSeen(
  ports: StepPorts,
  cluster: string,
  signal: AbortSignal,
): Promise<"up" | "down"> {
  const run = { id: "rehearsal", runbook: "bgp-to-l2", cluster, inputs: {}, notes: {} };
  const context = { run, ports, signal, show: () => {} };
  try {
    const { state } = await bgpStateOf(context, await viewMetalLb(context));
    return state === "down" ? "down" : "up";
  } catch (error) {
    if (error instanceof FaultError) return "up";
    throw error;
  }
}
