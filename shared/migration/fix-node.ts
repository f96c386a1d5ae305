import * as z from "zod";
import { isAddressedIn } from "../arp/mac-table.ts";
import { checks } from "../checks/all.ts";
import type { Check } from "../checks/check.ts";
import type { FixAnswer, NodeCommand } from "../checks/fix.ts";
import { type GatherPorts, nodeSource, readLists, visitNodes } from "../checks/gather.ts";
import { askingFor, planFix } from "../checks/plan-fix.ts";
import { judgeAll } from "../checks/run.ts";
import { FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import { type Confirmed, confirmed, markerOf, type Timer } from "../node-network/commit-confirmed.ts";
import { keptFor } from "../node-network/disable-nic.ts";
import { ipAddr } from "../probes/ip-addr.ts";
import { type ChangeState, nodeChangeState } from "../probes/node-change-state.ts";
import { type NodeTimers, nodeTimer } from "../probes/node-timer.ts";
import { nodeWireless } from "../probes/node-wireless.ts";
import type { StepContext } from "../steps/step.ts";
import { code, plain, type Text, text } from "../text.ts";
import { finding } from "./define-step.ts";

const seconds = (least: number, most: number, usual: number) =>
  z.coerce.number().int().min(least).max(most).default(usual);

/** What `/nodes fix NODE CHECK --apply` takes. */
export const fixNodeInputs = z.object({
  node: z.string().min(1).describe("The node that is changed"),
  check: z.string().min(1).describe("The check whose failure is cured"),
  revert: seconds(5, 3_600, 300).describe(
    "Seconds after which the node takes the change back unless it is confirmed",
  ),
  settle: seconds(0, 600, 60).describe("Seconds that the node has to stay Ready after the change"),
});

export const fixNodeInputsOf = (inputs: Readonly<Record<string, Json>>) => fixNodeInputs.parse(inputs);

/** What the survey wrote down: the change as data, so that later steps do what was seen and nothing else. */
export type FixNotes = Readonly<{
  node: string;
  check: string;
  title: string;
  change: readonly NodeCommand[];
  undo: readonly NodeCommand[];
  timer: Timer;
  /** Where the cable answers SSH. */
  lanAddress: string;
}>;

export const fixNoted = (notes: Readonly<Record<string, Json>>): FixNotes =>
  notes["fix-node-survey"] as unknown as FixNotes;

/** The commands of the run's change. */
export const commandsOf = ({ run }: Pick<StepContext, "run">): Confirmed => {
  const { change, undo, timer } = fixNoted(run.notes);
  const { revert } = fixNodeInputsOf(run.inputs);
  return confirmed({ run: run.id, timer, revertSeconds: revert, change, undo });
};

export const checkNamed = (name: string): Check | undefined =>
  checks.find(({ id, codes }) => id === name || codes.includes(name));

const gatherPorts = ({ ports, signal }: StepContext): GatherPorts => {
  const { config, read, shell, clock, newNonce, logs } = ports;
  return { config, read, shell, clock, newNonce, logs, signal };
};

/** The check's fix for the node as it is now. Throws FaultError where nobody knows whether there is such a node. */
export async function answerNow(context: StepContext): Promise<FixAnswer> {
  const { node, check: word } = fixNodeInputsOf(context.run.inputs);
  const check = checkNamed(word);
  if (check?.fix === undefined) return { kind: "by-hand", because: text`no command cures ${word}` };
  const ports = gatherPorts(context);
  const asking = [check, askingFor(check, check.fix)];
  const listed = await readLists(ports, asking);
  const source = nodeSource(listed.nodes, ports.config);
  if (!source.names.includes(node))
    throw new FaultError({
      kind: "not-configured",
      what: `node ${node}`,
      detail: source.from === "api" ? "the cluster has none of that name" : source.because.detail,
    });
  return planFix(check, check.fix, await visitNodes(ports, listed, source, { checks: asking, only: [node] }));
}

/** Whether the check passes on the node now. Undefined where it could not be judged, with why. */
export async function passesNow(context: StepContext): Promise<true | Text> {
  const { node, check: word } = fixNodeInputsOf(context.run.inputs);
  const check = checkNamed(word);
  if (check === undefined) return text`there is no check ${word}`;
  const ports = gatherPorts(context);
  const listed = await readLists(ports, [check]);
  const source = nodeSource(listed.nodes, ports.config);
  const [result] = judgeAll(
    [check],
    await visitNodes(ports, listed, source, { checks: [check], only: [node] }),
  );
  switch (result?.outcome) {
    case "passed":
    case "skipped":
      return true;
    case "failed":
      return result.findings[0]?.text ?? text`${word} fails`;
    case "unknown":
      return text`${result.fault.what}: ${result.fault.detail}`;
    default:
      return text`${word} was not judged`;
  }
}

const onNode = (name: string) => ({ kind: "node", name }) as const;

/** Where the change stands. `via`: over a new connection to that address. Throws FaultError. */
export async function changeState(
  { ports, run, signal }: StepContext,
  node: string,
  via?: string,
): Promise<ChangeState> {
  const output = await ports.shell(onNode(node), nodeChangeState.argv(run.id), {
    signal,
    ...(via === undefined ? {} : { via }),
  });
  return nodeChangeState.read(output);
}

async function timerOf({ ports, signal }: StepContext, node: string): Promise<Timer> {
  const has: NodeTimers = nodeTimer.read(await ports.shell(onNode(node), nodeTimer.argv(), { signal }));
  if (has.systemdRun) return "systemd-run";
  if (has.setsid) return "setsid";
  throw new FaultError({
    kind: "missing-tool",
    what: `a timer on ${node}`,
    detail: "neither systemd-run nor setsid is there, so nothing could take the change back",
  });
}

/** The address of the node's cable in the segment. Throws FaultError. */
async function lanAddressOf({ ports, signal }: StepContext, node: string): Promise<string> {
  const { site } = ports.config;
  const nics = ipAddr.read(await ports.shell(onNode(node), ipAddr.argv(), { signal }));
  const wireless = nodeWireless.read(await ports.shell(onNode(node), nodeWireless.argv(), { signal }));
  const cable = nics.find(
    (nic) =>
      nic.up &&
      nic.carrier &&
      nic.master === undefined &&
      !wireless.includes(nic.name) &&
      isAddressedIn(nic, site.lanPrefix),
  );
  const address = cable?.addresses.find(({ family, scope }) => family === 4 && scope === "global")?.address;
  if (address !== undefined) return address;
  throw new FaultError({
    kind: "unreadable",
    what: `the cable of ${node}`,
    detail: `no wired interface is up with an address in ${site.lanPrefix}`,
  });
}

export type Readied = Readonly<{ findings: readonly Finding[]; notes: FixNotes | undefined }>;

/** Everything that has to be true before a change is armed, and what it would be. */
export async function readied(context: StepContext): Promise<Readied> {
  const { node, check } = fixNodeInputsOf(context.run.inputs);
  const refuse = (code: string, severity: "error" | "unknown", said: Text, remedy?: Text): Readied => ({
    notes: undefined,
    findings: [finding(code, severity, onNode(node), said, remedy === undefined ? {} : { remedy })],
  });
  const answer = await answerNow(context);
  switch (answer.kind) {
    case "nothing-to-do":
      return refuse("fix-not-needed", "error", text`nothing to fix: ${answer.because}`);
    case "by-hand":
      return refuse("fix-by-hand", "error", answer.because);
    case "unknown":
      return refuse("fix-unknown", "unknown", text`${answer.fault.what}: ${answer.fault.detail}`);
    case "refused":
      return {
        notes: undefined,
        findings: answer.obstacles.map(({ what, first }) =>
          finding("fix-refused", "error", onNode(node), what, { remedy: first }),
        ),
      };
  }
  const commands = answer.plans.map((plan) => plan.commands);
  const known = commands.flatMap((each) => (each === undefined ? [] : [each]));
  if (known.length < commands.length)
    return refuse(
      "fix-by-hand",
      "error",
      text`this change has parts that only a person makes: ${answer.plans
        .filter((plan) => plan.commands === undefined)
        .map(({ title }) => plain(title))
        .join("; ")}`,
      text`${code(`/nodes fix ${node} ${check}`)} prints the lines to paste on ${node}, with the way back that is armed first`,
    );
  const state = await changeState(context, node);
  if (state.size > 0)
    return refuse(
      "fix-of-this-name",
      "error",
      text`${node} knows of a change of ${context.run.id} already: ${[...state].map((each) => `${markerOf(context.run.id)}${each}`).join(", ")}`,
      text`A new run has another name; these files may be deleted when that run has ended`,
    );
  return {
    findings: [],
    notes: {
      node,
      check: checkNamed(check)?.id ?? check,
      title: answer.plans.map(({ title }) => plain(title)).join("; "),
      change: known.flatMap(({ change }) => keptFor(context.run.id, change)),
      undo: known.flatMap(({ undo }) => keptFor(context.run.id, undo)),
      timer: await timerOf(context, node),
      lanAddress: await lanAddressOf(context, node),
    },
  };
}
