import type { Clock } from "#shared/clock.ts";
import { currentStep, nextMove } from "#shared/runs/next-move.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { plain } from "#shared/text.ts";
import type { Goal } from "./world.ts";

/** What people see and do; they read messages, so their look at the run is no call of the product. */
export type People = Readonly<{
  goal: Goal;
  clock: Clock;
  look: () => Promise<RunState | undefined>;
  ask: (who: "operator" | "approver", words: string) => Promise<void>;
  /** Applies the Helm values by hand. */
  applyValues: () => Promise<unknown>;
  /** Told of every halt they meet. */
  onHalt: (said: string) => void;
}>;

/** What is done next, whatever happened before; how the run ended when there is nothing left to do. */
export async function doNext(people: People): Promise<string | undefined> {
  const { ask, clock, goal } = people;
  const state = await people.look();
  if (state === undefined) await ask("operator", "migrate start bgp-to-l2");
  else if (state.ended !== undefined) return state.ended.how;
  else {
    const move = nextMove(state, clock.now());
    const digest = currentStep(state)?.planned?.digest ?? "";
    if (move.do === "wait-for-time") await clock.sleep(move.until - clock.now() + 1);
    else if (move.do !== "wait-for-person") await ask("operator", "migrate next");
    else if (move.why === "approval") await ask("approver", `migrate approve ${state.id} ${digest}`);
    else if (move.why === "manual" && goal === "and back") await ask("operator", "migrate rollback");
    else if (move.why === "manual") {
      await people.applyValues();
      await ask("operator", "migrate done --said applied");
    } else {
      const { halted } = state;
      if (halted !== undefined) people.onHalt(`${halted.step} ${halted.code}: ${plain(halted.because)}`);
      await ask("operator", "migrate retry");
    }
  }
  return undefined;
}
