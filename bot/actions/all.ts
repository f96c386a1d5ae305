import type { Action } from "./action.ts";
import { again } from "./again.ts";
import { driftButtons } from "./drift-buttons.ts";
import { incidentButtons } from "./incident-buttons.ts";
import { runButtons } from "./run-buttons.ts";

/** Every button we offer. A new one is a file beside this and a line here. */
export const actions: readonly Action[] = [again, ...runButtons, ...driftButtons, ...incidentButtons];
