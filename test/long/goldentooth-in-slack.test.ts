import { afterEach, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { setBgpMode } from "#infra/lab/set-bgp-mode.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { currentStep, nextMove } from "#shared/runs/next-move.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { withFaults } from "#shared/twin/sites/faults.ts";
import {
  approver,
  channel,
  clock,
  closeSlack,
  openSlack,
  operator,
  stamped,
} from "../bot/doors/slack/two-people-in-slack.ts";
import { dnsSite, move, quiet } from "../shared/domain-move/dns-sites.ts";
import { withIssuer } from "../shared/wildcard-tls/tls-sites.ts";

afterEach(closeSlack);

const ready = { conditions: [{ type: "Ready", status: "True", message: "issued" }] };

async function started(via: "http" | "socket") {
  const at = await openSlack(via, withFaults(dnsSite({ release: "0.21.0" }), withIssuer()), (ports) => ({
    ...ports,
    config: { ...ports.config, migration: { ...defaultMigration, ...quiet } },
  }));
  await at.workspace.command({
    ...operator,
    ...stamped(),
    command: "/migrate",
    text: `start goldentooth --with from=${move.from},to=${move.to}`,
  });
  return at;
}
type At = Awaited<ReturnType<typeof started>>;

async function byHand(at: At): Promise<void> {
  const state = await lastRun(at.ledger, "goldentooth");
  const step = state && currentStep(state);
  if (step?.id === "frr-off") setBgpMode(at.twin, "native");
  if (step?.id === "wildcard-certificate")
    for (const deed of step.planned?.plan.deeds ?? [])
      if (deed.kind === "document")
        for (const document of parseAllDocuments(deed.text))
          at.twin.store.create("certificates", { ...(document.toJS() as KubeObject), status: ready });
  await clock.leap(180_000);
}

/** Presses what the run's message offers, until it stands at this step or has ended. A halt is retried. */
async function press(at: At, until: string): Promise<void> {
  for (let turn = 0; turn < 80; turn++) {
    const message = await at.workspace.waitFor(
      () => {
        const head = at.head();
        return head !== undefined && /WAITS|STOPPED|DONE/.test(at.read(head).slice(0, 12)) && head;
      },
      60_000,
      "somebody to be waited for",
    );
    const state = await lastRun(at.ledger, "goldentooth");
    if (state === undefined) throw new Error("nothing ran");
    const now = nextMove(state, clock.now());
    const step = currentStep(state)?.id;
    if (state.ended !== undefined || (step === until && now.do === "wait-for-person")) return;
    const said = at.read(message);
    const { version } = state;
    const click = (user: string, label: string) => at.workspace.click({ ...stamped(), user, message, label });
    if (now.do === "wait-for-person" && said.includes("[Approve and run]"))
      await click(approver.user, "Approve and run");
    else if (now.do === "wait-for-person" && said.includes("[It is done]")) {
      await byHand(at);
      await click(operator.user, "It is done");
    } else if (now.do === "wait-for-person" && said.includes("STOPPED"))
      await click(operator.user, /\[(Retry step \d+)\]/.exec(said)?.[1] ?? "");
    const before = Date.now();
    while ((await lastRun(at.ledger, "goldentooth"))?.version === version && Date.now() - before < 2_000)
      await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("no end in 80 turns");
}

describe("goldentooth by two people in Slack", () => {
  test("from plan to final verification, over signed HTTP", async () => {
    const at = await started("http");
    await press(at, "");
    const end = await at.stands(/all \d+ steps ended/);
    await at.workspace.waitFor(
      () => at.workspace.thread(channel, end.ts).some((m) => /PROVEN.*Final verification/s.test(at.read(m))),
      30_000,
      "the last proof",
    );
    expect(at.workspace.violations()).toEqual([]);
  }, 280_000);

  test("and all the way back, over Socket Mode", async () => {
    const at = await started("socket");
    await press(at, "frr-off");
    const message = at.head();
    if (message === undefined) throw new Error("no message");
    await at.workspace.mention({ ...operator, ...stamped(), threadTs: message.ts, text: "rollback" });
    await at.stands(/everything it changed was taken back/);
    expect(at.twin.reach("guest-client", "10.4.11.1").ok).toBe(true);
    expect(at.workspace.violations()).toEqual([]);
  }, 280_000);
});
