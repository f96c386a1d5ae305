import { FaultError, isFault } from "../fault.ts";
import type { Json } from "../json.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { excludeLabel } from "../metallb/own-objects.ts";
import type { Deed } from "../steps/deed.ts";
import type { Diff, StepContext } from "../steps/step.ts";
import { labelOf } from "./drill.ts";

type KubeDeed = Extract<Deed, { kind: "kube" }>;

const patchTo = (value: string | null): Json => ({ metadata: { labels: { [excludeLabel]: value } } });

type NodeRef = Readonly<{ name: string; uid: string }>;

/** Sets the label where there is none; a label of somebody else is a conflict, never overwritten. */
export const setLabel = (run: string, { name, uid }: NodeRef): KubeDeed => ({
  id: "set-exclude-label",
  title: `set label ${excludeLabel}=${labelOf(run)} on Node ${name}`,
  kind: "kube",
  write: {
    verb: "patch",
    ref: { kind: "nodes", name },
    patch: patchTo(labelOf(run)),
    before: patchTo(null),
    is: { uid },
  },
});

/** Takes the label off where its value names this run; with any other value it stays. */
export const removeLabel = (run: string, { name, uid }: NodeRef): KubeDeed => ({
  id: "remove-exclude-label",
  title: `take label ${excludeLabel}=${labelOf(run)} off Node ${name}`,
  kind: "kube",
  write: {
    verb: "patch",
    ref: { kind: "nodes", name },
    patch: patchTo(null),
    before: patchTo(labelOf(run)),
    is: { uid },
  },
});

const shown = (value: string | null): Json => ({ labels: { [excludeLabel]: value } });

export const labelDiff = ({ name, uid }: NodeRef, before: string | null, after: string | null): Diff => ({
  object: `Node ${name}`,
  uid,
  before: shown(before),
  after: shown(after),
});

const againMs = 5_000;

/**
 * The Node as it is, undefined where there is none any more. With `patienceMs` an API that does not answer is asked again
 * until then: what has to be taken off should not wait for a person. Throws FaultError.
 */
export async function nodeNow(
  { ports, signal }: Pick<StepContext, "ports" | "signal">,
  name: string,
  patienceMs = 0,
): Promise<KubeObject | undefined> {
  const until = ports.clock.now() + patienceMs;
  for (;;) {
    try {
      const { nodes } = await ports.read(["nodes"], signal);
      if (isFault(nodes)) throw new FaultError(nodes);
      return nodes.find(({ metadata }) => metadata.name === name);
    } catch (error) {
      if (!(error instanceof FaultError) || signal.aborted || ports.clock.now() >= until) throw error;
      await ports.clock.sleep(againMs, signal);
    }
  }
}

export const labelNow = (node: KubeObject | undefined): string | undefined =>
  node?.metadata.labels?.[excludeLabel];
