import type { Clock } from "#shared/clock.ts";
import { currentStep, nextMove } from "#shared/runs/next-move.ts";
import type { RunState } from "#shared/runs/run-state.ts";
import { plain } from "#shared/text.ts";
import type { Hands } from "./by-hand.ts";

/** What people see and do; they read messages, so their look at the run is no call of the product. */
export type People = Readonly<{
  /** What the operator types first. */
  start: string;
  /** The step at which they go back as soon as it waits for them; left out: never. */
  backAt?: string;
  /** They go back there without waiting to be asked, while no process lives. */
  first?: unknown;
  clock: Clock;
  look: () => Promise<RunState | undefined>;
  ask: (who: "operator" | "approver", words: string) => Promise<void>;
  hands: Hands;
  /** Told of every halt they meet. */
  onHalt: (said: string) => void;
}>;

/** The speakers come up again one after the other. */
const rollMs = 180_000;

const patienceMs = 5_000;

/** What a manual step asks for. */
async function doManual(state: RunState, { hands, clock, ask }: People): Promise<void> {
  const step = currentStep(state);
  for (const deed of step?.planned?.plan.deeds ?? [])
    if (deed.kind === "document" && step?.id === "wildcard-certificate") await hands.apply(deed.text);
  if (step?.id === "frr-off") {
    await hands.setMode("native");
    await clock.sleep(rollMs);
  }
  await ask("operator", "migrate done --said applied");
}

/** Puts right what a halt is about, as far as it is theirs to put right. */
async function cure({ step, code }: NonNullable<RunState["halted"]>, { hands, clock }: People) {
  if (step === "persist") await hands.commit("pools");
  if (step === "persist-dns") await hands.commit("names");
  if (code === "way-back-closed") {
    await hands.setMode("frr");
    await clock.sleep(rollMs);
  }
}

/** Before a process that has just started goes on by itself: they go back where the story has it so. */
export async function turnBack({ first, backAt, look, ask }: People): Promise<void> {
  if (first === undefined) return;
  const state = await look();
  if (state === undefined || state.ended !== undefined || state.back !== undefined) return;
  if (currentStep(state)?.id === backAt) await ask("operator", "migrate rollback");
}

/** What is done next, whatever happened before; how the run ended when there is nothing left to do. */
export async function doNext(people: People): Promise<string | undefined> {
  const { ask, clock, backAt } = people;
  const state = await people.look();
  if (state === undefined) await ask("operator", people.start);
  else if (state.ended !== undefined) return state.ended.how;
  else {
    const move = nextMove(state, clock.now());
    const digest = currentStep(state)?.planned?.digest ?? "";
    if (move.do === "wait-for-time") await clock.sleep(move.until - clock.now() + 1);
    else if (move.do !== "wait-for-person") {
      // Busy: what a dead process held has not run out. Nobody presses again at once.
      await clock.sleep(patienceMs);
      await ask("operator", "migrate next");
    } else if (move.step === backAt && state.back === undefined) await ask("operator", "migrate rollback");
    else if (move.why === "approval") await ask("approver", `migrate approve ${state.id} ${digest}`);
    else if (move.why === "manual") await doManual(state, people);
    else {
      const { halted } = state;
      if (halted !== undefined) {
        people.onHalt(`${halted.step} ${halted.code}: ${plain(halted.because)}`);
        await cure(halted, people);
      }
      await ask("operator", "migrate retry");
    }
  }
  return undefined;
}
