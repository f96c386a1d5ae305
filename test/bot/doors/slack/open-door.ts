import type { App, Asked, Asking, Job, Pressed } from "#bot/asking.ts";
import type { Wishes } from "#bot/doors/slack/board.ts";
import type { Pace } from "#bot/doors/slack/pace.ts";
import type { ThreadWords } from "#bot/doors/slack/thread-words.ts";
import { type SlackDoor, type SlackDoorConfig, startSlackDoor } from "#bot/doors/slack.ts";
import { secret } from "#bot/environment.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createMemoryLedger } from "#shared/ledger/memory.ts";
import type { Reply } from "#shared/reply.ts";
import { code, text } from "#shared/text.ts";

export const answer = (word: string, said: string, more: Partial<Reply> = {}): Reply => ({
  verdict: { word, outcome: "ok", text: [said] },
  cluster: "goldentooth",
  findings: [],
  blocks: [],
  actions: [],
  ...more,
});

export const answered = (reply: Reply): Asking => ({ kind: "answer", reply });

export const job = (run: Job["run"], more: Partial<Job> = {}): Asking => ({
  kind: "job",
  job: { id: "R-17", title: "/arping httpbin", cluster: "goldentooth", slow: false, run, ...more },
});

export type Doing = Readonly<{
  ask?: (asked: Asked) => Asking | Promise<Asking>;
  press?: (pressed: Pressed) => Asking | Promise<Asking>;
}>;

export type OpenDoor = Readonly<{
  door: SlackDoor;
  workspace: SlackWorkspace;
  asked: Asked[];
  pressed: Pressed[];
  ledger: Ledger;
  log: Readonly<Record<string, unknown>>[];
}>;

export type Opening = Doing &
  Readonly<{
    via?: "http" | "socket";
    workspace?: SlackWorkspace;
    ledger?: Ledger;
    owner?: string;
    slack?: Partial<SlackDoorConfig>;
    pace?: Partial<Pace>;
    threads?: ThreadWords;
    wishes?: Wishes;
  }>;

const people = new Map([
  ["U0OPERATOR", { name: "operator", slack: "U0OPERATOR" }],
  ["U0APPROVER", { name: "approver", slack: "U0APPROVER" }],
  ["U0FOREIGN", { name: "foreign", slack: "U0FOREIGN" }],
]);

export const quick: Pace = {
  answerWithinMs: 600,
  privateWithinMs: 700,
  messageMs: 100,
  editsPerMinute: 40,
  channelBurst: 3,
  doubleClickMs: 3_000,
  farewellMs: 300,
  leaseMs: 1_000,
  longLeaseMs: 1_500,
};

/** Opened things, closed again in order by `closeAll`. */
const open: (() => Promise<void>)[] = [];

export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).toReversed()) await close();
}

export async function newWorkspace(
  ...starting: Parameters<typeof startSlackWorkspace>
): Promise<SlackWorkspace> {
  const workspace = await startSlackWorkspace(...starting);
  open.push(workspace.close);
  return workspace;
}

export const newLedger = (): Ledger => createMemoryLedger({ now: () => Date.now() });

/** A door with a fake app behind it, on a strict workspace. */
export async function openDoor(opening: Opening = {}): Promise<OpenDoor> {
  const workspace = opening.workspace ?? (await newWorkspace());
  const ledger = opening.ledger ?? newLedger();
  const asked: Asked[] = [];
  const pressed: Pressed[] = [];
  const log: Readonly<Record<string, unknown>>[] = [];
  const app: App = {
    ask: async (one) => {
      asked.push(one);
      return (
        opening.ask?.(one) ??
        answered({
          ...answer("Not understood", `no ${one.words}`),
          verdict: { word: "Not understood", outcome: "usage", text: text`no command ${code(one.words)}.` },
        })
      );
    },
    press: async (one) => {
      pressed.push(one);
      return opening.press?.(one) ?? answered(answer("OK", `pressed ${one.action} ${one.value}`));
    },
  };
  const { spec } = workspace;
  const door = await startSlackDoor({
    app,
    slack: {
      botToken: secret(spec.app.botToken),
      ...(opening.via === "socket"
        ? { appToken: secret(spec.app.appToken) }
        : { signingSecret: secret(spec.app.signingSecret), port: 0, host: "127.0.0.1" }),
      apiUrl: workspace.apiUrl,
      team: spec.team.id,
      prefix: "",
      commands: ["arping", "nodes", "arpeggio"],
      groups: [],
      channels: [],
      ...opening.slack,
    },
    ledger,
    people: (id) => people.get(id),
    clock: systemClock,
    log: (entry) => log.push(entry),
    owner: opening.owner ?? "door-1",
    pace: { ...quick, ...opening.pace },
    ...(opening.threads === undefined ? {} : { threads: opening.threads }),
    ...(opening.wishes === undefined ? {} : { wishes: opening.wishes }),
  });
  if (door.requestUrl !== undefined) workspace.setRequestUrl(door.requestUrl);
  open.push(door.stop);
  return { door, workspace, asked, pressed, ledger, log };
}

export const inChannel = { user: "U0OPERATOR", channel: "C0PLATFORM" } as const;
export const arping = { ...inChannel, command: "/arping", text: "httpbin" } as const;

/** A promise that a test settles when it wants the work behind it to end. */
export const held = <T>() => Promise.withResolvers<T>();
