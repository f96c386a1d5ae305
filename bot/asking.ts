import type { Person } from "#shared/policy/identity.ts";
import type { Reply } from "#shared/reply.ts";
import type { Door, Quoting } from "./commands/command.ts";

/** What somebody typed, normalised by the door: command name first, no slash (`arping httpbin --count 3`). */
export type Asked = Readonly<{
  door: Door;
  /** Undefined: the door knows who it is talking to, the config does not. Such a caller may read at most. */
  person: Person | undefined;
  /** Slack user id or account name, for the audit and for "who are you" answers. */
  account: string;
  /** Slack channel id; absent outside Slack. */
  channel?: string;
  words: string;
  /** The board's name of the thing in whose thread, or by whose button, it was asked: `incident/I-7`. */
  about?: string;
  /** The message that was pointed at. */
  quoting?: Quoting;
  /** Settles to false when this very input was taken before: then no run is begun and nothing is written for it. */
  isFirst?: Promise<boolean>;
}>;

/** A press of a button that one of our replies offered. */
export type Pressed = Readonly<Omit<Asked, "words" | "isFirst"> & { action: string; value: string }>;

/** Work that was accepted. `run` never rejects: faults come back as a Reply. `show` is latest-wins, never awaited. */
export type Job = Readonly<{
  /** `J-17`: what people and logs call it. A run that it opens has an id of its own, `R-17`. */
  id: string;
  /** `/arping httpbin`, as started messages name it. */
  title: string;
  cluster: string | undefined;
  /** Expected to take longer than two seconds: say that it started instead of waiting for the answer. */
  slow: boolean;
  /** Neither looks at anything nor changes anything: what comes twice may be done twice. */
  repeatable?: true;
  /** About the asker or the product itself (who am I, status): nobody else in the channel asked for it. */
  personal?: boolean;
  run: (show: (reply: Reply) => void, signal: AbortSignal) => Promise<Reply>;
}>;

export type Asking = Readonly<{ kind: "answer"; reply: Reply }> | Readonly<{ kind: "job"; job: Job }>;

/** The product behind its doors: same parser, same rights, same results for Slack, console and CLI. */
export type App = Readonly<{
  /** Parses, checks rights, finds the cluster. Never rejects, never gives silence. */
  ask: (asked: Asked) => Promise<Asking>;
  press: (pressed: Pressed) => Promise<Asking>;
}>;
