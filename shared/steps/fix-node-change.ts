import { FaultError, isFault } from "../fault.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { defineStep, verified } from "../migration/define-step.ts";
import { changeState, commandsOf, fixNodeInputsOf, fixNoted, readied } from "../migration/fix-node.ts";
import { pasted } from "../node-network/node-command.ts";
import { ipAddr } from "../probes/ip-addr.ts";
import { nodeSshConnection } from "../probes/node-ssh-connection.ts";
import type { ShellCommand } from "../probes/shell.ts";
import { code, type Text, text } from "../text.ts";
import type { Deed } from "./deed.ts";
import type { StepContext, Verified } from "./step.ts";

type Looked = Extract<Deed, { kind: "shell" }>["done"];

export const shellDeed = (
  id: string,
  title: string,
  node: string,
  { argv, privileged, timeoutMs }: ShellCommand,
  done: Looked,
): Deed => ({
  id,
  title,
  kind: "shell",
  target: { kind: "node", name: node },
  argv,
  privileged,
  timeoutMs,
  done,
});

const againMs = 2_000;
/** How long after its time a timer may come, and what it does may take. */
const timerSlackMs = 90_000;

/** Why the node is not as it has to be; undefined when it is, `over` when the node has decided. Over new sessions by cable. */
export async function whyNot(context: StepContext): Promise<Text | "over" | undefined> {
  const { ports, signal, run } = context;
  const { node, lanAddress } = fixNoted(run.notes);
  try {
    const state = await changeState(context, node, lanAddress);
    if (state.has(".reverted") || state.has(".kept")) return "over";
    if (!state.has(".changed")) return text`the change on ${node} has not ended`;
    const ends = nodeSshConnection.read(
      await ports.shell({ kind: "node", name: node }, nodeSshConnection.argv(), { signal, via: lanAddress }),
    );
    if (ends.server !== lanAddress)
      return text`a new SSH session arrives at ${ends.server}, not at ${lanAddress} by cable`;
    const nics = ipAddr.read(
      await ports.shell({ kind: "node", name: node }, ipAddr.argv(), { signal, via: lanAddress }),
    );
    const cable = nics.find(({ addresses }) => addresses.some(({ address }) => address === lanAddress));
    // Linux answers for any address on any interface: that the address answers does not say that its cable does.
    if (cable === undefined || !cable.up || !cable.carrier)
      return text`${cable?.name ?? "the interface"} of ${lanAddress} is down: the new SSH session came another way`;
    const { nodes } = await ports.read(["nodes"], signal);
    if (isFault(nodes)) return text`whether ${node} is Ready: ${nodes.detail}`;
    return isReady(nodes.find(({ metadata }) => metadata.name === node))
      ? undefined
      : text`${node} is not Ready`;
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return text`no new SSH session to ${lanAddress}: ${error.fault.what}: ${error.fault.detail}`;
  }
}

const isReady = (node: KubeObject | undefined): boolean =>
  ((node?.status ?? {}) as { conditions?: readonly { type?: string; status?: string }[] }).conditions?.some(
    ({ type, status }) => type === "Ready" && status === "True",
  ) === true;

/** What the node says of the change by whatever way it can be reached; undefined when by none. */
async function toldState(context: StepContext) {
  const { node, lanAddress } = fixNoted(context.run.notes);
  for (const via of [lanAddress, undefined])
    try {
      return await changeState(context, node, via);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
    }
  return undefined;
}

/** Waits until the node has taken the change back, and says so. */
async function waitForRevert(context: StepContext, because: Text, until: number): Promise<Verified> {
  const { clock } = context.ports;
  const { node } = fixNoted(context.run.notes);
  for (;;) {
    const state = await toldState(context);
    if (state?.has(".kept")) return verified("passed", text`the change on ${node} was confirmed already`);
    if (state?.has(".reverted") && !state.has(".once"))
      return verified(
        "failed",
        text`${because}. The timer of ${node} ended before the change began: nothing was changed`,
      );
    if (state?.has(".undone"))
      return verified("failed", text`${because}. The node has taken the change back by itself`);
    if (clock.now() >= until)
      return verified(
        "unknown",
        state === undefined
          ? text`${because}. ${node} cannot be reached, so whether it has taken the change back is not known`
          : text`${because}. The timer has not taken it back (a restart of ${node} ends it): ${code("/migrate rollback")} does`,
      );
    context.show(text`${because}; waiting until ${node} takes it back by itself`);
    await clock.sleep(againMs, context.signal);
  }
}

export const fixNodeChange = defineStep({
  id: "fix-node-change",
  kind: "act",
  title: "Arm the way back on the node, then change it",
  reversibleWhile: text`the node can be reached; until it is confirmed it goes back by itself`,
  ready: async (context) => {
    const { findings, notes } = await readied(context);
    const noted = fixNoted(context.run.notes);
    return notes === undefined || JSON.stringify(notes) === JSON.stringify(noted)
      ? findings
      : [
          {
            code: "fix-changed",
            severity: "error",
            subject: { kind: "node", name: noted.node },
            facts: {},
            text: text`${noted.node} is no longer as it was when this run began: the change would be another one`,
            remedy: text`End this run and start again`,
          },
        ];
  },
  plan: async (context) => {
    const { node, change, undo, title, timer } = fixNoted(context.run.notes);
    const { revert, settle } = fixNodeInputsOf(context.run.inputs);
    const does = commandsOf(context);
    return {
      deeds: [
        shellDeed("mark", `mark the change on ${node}`, node, does.mark, does.isMarked),
        shellDeed("arm", `arm the way back on ${node} (${timer}, ${revert} s)`, node, does.arm, does.isArmed),
        shellDeed("change", title, node, does.change, does.hasBegun),
      ],
      undo: [shellDeed("take-back", `take it back on ${node}`, node, does.takeBack, does.isUndone)],
      diffs: [{ object: `node ${node}`, uid: null, before: [...pasted(undo)], after: [...pasted(change)] }],
      prediction: [
        text`${title}. Unless it is confirmed within ${revert} s, ${node} takes it back by itself; confirmed it is after a new SSH session by cable and ${settle} s of Ready`,
        text`A restart of ${node} in between ends that timer and not the change: then ${code("/migrate rollback")} takes it back`,
      ],
      predicted: { node, title },
      instructions: [],
      blocks: [
        { kind: "evidence", title: `Change on ${node}`, lines: [...pasted(change)] },
        { kind: "evidence", title: "The way back", lines: [...pasted(undo)] },
      ],
    };
  },
  verify: async (context) => {
    const { clock } = context.ports;
    const { node, lanAddress } = fixNoted(context.run.notes);
    const { revert, settle } = fixNodeInputsOf(context.run.inputs);
    const began = clock.now();
    // Confirming has to come before the timer, so looking ends well before it.
    const until = began + Math.max(0, revert * 1_000 * 0.8);
    const wait = (because: Text) => waitForRevert(context, because, began + revert * 1_000 + timerSlackMs);
    let goodSince: number | undefined;
    let because: Text = text`nothing was seen of the change`;
    while (clock.now() < until) {
      const not = await whyNot(context);
      if (not === "over") return wait(text`the change on ${node} was not confirmed in time`);
      goodSince = not === undefined ? (goodSince ?? clock.now()) : undefined;
      because = not ?? because;
      if (goodSince !== undefined && clock.now() - goodSince >= settle * 1_000)
        return verified(
          "passed",
          text`changed; a new SSH session to ${lanAddress} works by cable and ${node} is Ready since ${settle} s`,
          { notes: { proven: true } },
        );
      await clock.sleep(againMs, context.signal);
    }
    return wait(because);
  },
});
