import type { Clock } from "../clock.ts";
import type { Machine } from "./machine.ts";
import type { ObjectStore } from "./object-store.ts";
import type { SiteSpec } from "./site-spec.ts";
import type { Schedule } from "./twin.ts";

export type Speakers = Readonly<{
  powerChanged: (node: string, on: boolean) => void;
  stopSpeaker: (node: string) => void;
  startSpeaker: (node: string) => void;
  partition: (groups: readonly (readonly string[])[]) => void;
  stop: () => void;
}>;

export type SpeakersOptions = Readonly<{
  spec: SiteSpec;
  clock: Clock;
  store: ObjectStore;
  newId: () => string;
  schedule: Schedule;
  nodes: readonly Machine[];
}>;

export function createSpeakers(_options: SpeakersOptions): Speakers {
  return {
    powerChanged: () => {},
    stopSpeaker: () => {},
    startSpeaker: () => {},
    partition: () => {},
    stop: () => {},
  };
}
