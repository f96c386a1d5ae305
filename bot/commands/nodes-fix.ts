import * as z from "zod";
import type { Check } from "#shared/checks/check.ts";
import type { FixAnswer, FixPlan, Lines } from "#shared/checks/fix.ts";
import { type GatherPorts, nodeSource, readLists, visitNodes } from "#shared/checks/gather.ts";
import { askingFor, planFix } from "#shared/checks/plan-fix.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import { nearest } from "#shared/nearest.ts";
import type { Block, Reply, Verdict } from "#shared/reply.ts";
import { prepareStep } from "#shared/runs/prepare-step.ts";
import { code, join, plain, strong, type Text, text } from "#shared/text.ts";
import { beginRun } from "../runs/begin-run.ts";
import { isReply, openDesk } from "../runs/desk.ts";
import { type Context, defineVerb } from "./command.ts";

type Words = Readonly<{ cluster: string; node: string; check: Check }>;

const usage = (cluster: string, what: string, word: string, known: readonly string[]): Reply => {
  const near = nearest(word, known);
  return {
    verdict: {
      word: "Usage",
      outcome: "usage",
      text: text`No ${what} ${code(word)} on ${cluster}.${near === undefined ? "" : text` Nearest: ${code(near)}.`}`,
    },
    cluster,
    findings: [],
    blocks: [],
    next: [text`${what === "node" ? "Nodes" : "Checks"}: ${known.slice(0, 40).join(", ")}`],
    actions: [],
    data: { known },
  };
};

const lines = (title: string, shown: Lines): readonly Block[] =>
  shown.length === 0 ? [] : [{ kind: "evidence", title, lines: shown }];

/** The steps in the order they are to be taken, numbered as far as there is something to do. */
function planBlocks(plan: FixPlan, isOneOfMany: boolean): readonly Block[] {
  let step = 0;
  const numbered = (title: string, shown: Lines): readonly Block[] =>
    shown.length === 0 ? [] : lines(`${++step}. ${title}`, shown);
  return [
    ...(isOneOfMany ? [{ kind: "prose", text: [strong(plain(plan.title))] } as const] : []),
    ...numbered("Arm the way back first: it runs by itself after five minutes", plan.arm),
    ...numbered("Change it", plan.change),
    ...numbered("See that it worked", plan.verify),
    ...numbered("Only then call the armed way back off", plan.disarm),
    { kind: "prose", text: text`Lasts: ${plan.lasts}.` },
    ...plan.notes.map((note): Block => ({ kind: "prose", text: text`Note: ${note}.` })),
    ...lines("To go back later", plan.undo),
    ...plan.instead.flatMap(({ title, lines: shown }) => lines(title, shown)),
  ];
}

const planJson = (plan: FixPlan) => ({
  title: plain(plan.title),
  arm: plan.arm,
  change: plan.change,
  verify: plan.verify,
  disarm: plan.disarm,
  undo: plan.undo,
  lasts: plain(plan.lasts),
  instead: plan.instead,
  notes: plan.notes.map(plain),
});

const page = (check: Check): Text =>
  text`Why and how to fix it by hand: ${code(`/nodes explain ${check.id}`)}`;

/** Whether `--apply` can make it: every part is there as commands and not as words alone. */
const isDoable = (plans: readonly FixPlan[]): boolean =>
  plans.every(({ commands }) => commands !== undefined);

const whoDoesIt = (plans: readonly FixPlan[], node: string, check: Check): readonly Block[] => {
  const byHand = plans.filter(({ commands }) => commands === undefined);
  if (byHand.length === 0) return [];
  const rest =
    byHand.length < plans.length
      ? text` (${join(
          byHand.map(({ title }) => title),
          "; ",
        )})`
      : [];
  return [
    {
      kind: "prose",
      text: text`${code("--apply")} cannot make this change${rest}: where it comes from again is for a person to decide. Paste the lines above on ${node} yourself, in their order; the way back that is armed first undoes a mistake. Then ${code(`/nodes check ${node} --only ${check.id}`)}.`,
    },
  ];
};

/** The message for an answer. Nothing of it was done. */
export function fixReply(answer: FixAnswer, { cluster, node, check }: Words): Reply {
  const reply = (verdict: Verdict, more: Partial<Reply>): Reply => ({
    verdict,
    cluster,
    findings: [],
    blocks: [],
    actions: [],
    ...more,
  });
  switch (answer.kind) {
    case "plan":
      return reply(
        {
          word: "FIX",
          outcome: "info",
          text: text`${node} · ${check.id} · ${join(
            answer.plans.map(({ title }) => title),
            "; ",
          )}`,
        },
        {
          why: text`Nothing was changed. Paste the lines on ${node}, in this order.`,
          blocks: [
            ...answer.plans.flatMap((plan) => planBlocks(plan, answer.plans.length > 1)),
            ...whoDoesIt(answer.plans, node, check),
          ],
          next: [
            ...(isDoable(answer.plans)
              ? [
                  text`Have it made, approved by a second person: ${code(`/nodes fix ${node} ${check.id} --apply`)}`,
                ]
              : []),
            text`${code(`/nodes check ${node}`)}`,
            page(check),
          ],
          data: {
            node,
            check: check.id,
            kind: answer.kind,
            applies: isDoable(answer.plans),
            plans: answer.plans.map(planJson),
          },
        },
      );
    case "refused":
      return reply(
        {
          word: "REFUSED",
          outcome: "failed",
          text: text`${node} · ${check.id} · the change would cut something off`,
        },
        {
          why: text`Nothing was changed, and no command is printed until this is out of the way.`,
          findings: answer.obstacles.map(
            ({ what, first }): Finding => ({
              code: "fix-refused",
              severity: "error",
              subject: { kind: "node", name: node },
              facts: { check: check.id },
              text: what,
              remedy: first,
            }),
          ),
          next: [text`Then again: ${code(`/nodes fix ${node} ${check.id}`)}`],
          data: {
            node,
            check: check.id,
            kind: answer.kind,
            obstacles: answer.obstacles.map(({ what, first }) => ({
              what: plain(what),
              first: plain(first),
            })),
          },
        },
      );
    case "nothing-to-do":
      return reply(
        { word: "OK", outcome: "ok", text: text`${node} · ${check.id} · nothing to fix: ${answer.because}` },
        { data: { node, check: check.id, kind: answer.kind } },
      );
    case "by-hand":
      return reply(
        { word: "BY HAND", outcome: "info", text: text`${node} · ${check.id} · ${answer.because}` },
        { next: [page(check)], data: { node, check: check.id, kind: answer.kind } },
      );
    case "unknown":
      return reply(
        {
          word: "UNKNOWN",
          outcome: "unknown",
          text: text`${node} · ${check.id} · ${answer.fault.what}: ${answer.fault.detail}`,
        },
        {
          why: text`What the change might cut off could not be seen, so none is suggested.`,
          next: [page(check)],
          data: { node, check: check.id, kind: answer.kind, fault: answer.fault },
        },
      );
  }
}

/** Opens the run that makes the change; what must not be changed opens none. */
async function applyFix(context: Context<unknown>, node: string, check: string): Promise<Reply> {
  const desk = await openDesk(context);
  if (isReply(desk)) return desk;
  const { fixNode } = await import("#shared/runbooks/fix-node.ts");
  const [survey] = fixNode.steps;
  if (survey === undefined) throw new Error("fix-node has no steps");
  const inputs = { node, check };
  const prepared = await prepareStep(survey, {
    run: { id: "plan", runbook: fixNode.id, cluster: desk.name, inputs, notes: {} },
    ports: desk.runner.ports,
    signal: context.signal,
    show: () => {},
  });
  if (!("halt" in prepared)) return beginRun(desk, context.id, fixNode, inputs);
  const { because, findings } = prepared.halt;
  const isUnknown = findings.every(({ severity }) => severity === "unknown");
  return {
    verdict: {
      word: isUnknown ? "UNKNOWN" : "REFUSED",
      outcome: isUnknown ? "unknown" : "failed",
      text: text`${node} · ${check} · ${because}`,
    },
    cluster: desk.name,
    why: text`Nothing was changed.`,
    findings,
    blocks: [],
    next: [text`The change in words: ${code(`/nodes fix ${node} ${check}`)}`],
    actions: [],
    data: { node, check, refused: findings.map((each) => each.code) },
  };
}

/** `/nodes fix NODE CHECK`: prints the change for the node as it is now; with `--apply` it is made. */
export const fix = defineVerb({
  path: ["fix"],
  usage: "NODE CHECK [--apply]",
  summary:
    "The exact change that cures a failed check on a node, what makes it last, and the way back; --apply makes it.",
  examples: ["lipps wired-and-wifi"],
  positionals: ["node", "check"],
  options: [
    {
      name: "apply",
      about: "do it, approved by a second person; the node takes it back by itself unless it is confirmed",
    },
  ],
  input: z.object({ node: z.string(), check: z.string(), apply: z.boolean().optional() }),
  role: "viewer",
  effect: "read",
  takes: ({ apply }) => (apply === true ? { role: "operator", effect: "change" } : undefined),
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async (context) => {
    const { input, cluster, deps, signal } = context;
    if (!cluster) throw new Error("nodes fix needs a cluster");
    if (input.apply === true) return applyFix(context, input.node, input.check);
    const { name } = cluster.config;
    const { checks } = await import("#shared/checks/all.ts");
    const found = checks.find(({ id, codes }) => id === input.check || codes.includes(input.check));
    if (found === undefined)
      return usage(
        name,
        "check",
        input.check,
        checks.map(({ id }) => id),
      );
    const ports: GatherPorts = {
      config: cluster.config,
      read: cluster.read,
      shell: cluster.shell,
      clock: deps.clock,
      newNonce: () => [deps.newId(), deps.newId(), deps.newId(), deps.newId()].join("-"),
      signal,
    };
    const asking = found.fix === undefined ? [] : [found, askingFor(found, found.fix)];
    const listed = await readLists(ports, asking);
    const source = nodeSource(listed.nodes, cluster.config);
    // A list that the API did not give says nothing about who is missing from it.
    if (!source.names.includes(input.node) && source.from === "config")
      throw new FaultError({ ...source.because, what: `whether there is a node ${input.node}` });
    if (!source.names.includes(input.node)) return usage(name, "node", input.node, source.names);
    const words: Words = { cluster: name, node: input.node, check: found };
    if (found.fix === undefined)
      return fixReply(
        { kind: "by-hand", because: text`this takes a person: no command cures it on the node` },
        words,
      );
    const gathered = await visitNodes(ports, listed, source, { checks: asking, only: [input.node] });
    return fixReply(planFix(found, found.fix, gathered), words);
  },
});
