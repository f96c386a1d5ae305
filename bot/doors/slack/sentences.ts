import type { Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import type { Job } from "../../asking.ts";

const bare = (verdict: Reply["verdict"], next: readonly Text[] = []): Reply => ({
  verdict,
  findings: [],
  blocks: [],
  actions: [],
  ...(next.length === 0 ? {} : { next }),
});

/** `J-17  goldentooth · started: /arping httpbin`. */
export const started = (job: Job): Reply => ({
  ...bare({ word: job.id, outcome: "running", text: text`started: ${code(job.title)}` }),
  ...(job.cluster === undefined ? {} : { cluster: job.cluster }),
});

export const working = (title: string): Reply =>
  bare({ word: "Asked", outcome: "running", text: text`${code(title)}; the answer comes here.` });

export const alreadyAsked = (title: string): Reply =>
  bare({
    word: "Asked before",
    outcome: "info",
    text: text`Slack delivered ${code(title)} twice. It runs once; its one answer comes in this channel.`,
  });

const denied = (why: Text, next: readonly Text[] = []): Reply =>
  bare({ word: "Not allowed", outcome: "denied", text: why }, next);

export const strangers = {
  team: denied(
    ["you belong to another workspace, and Arpeggio answers members of its own only."],
    [["ask somebody of this workspace to run it for you"]],
  ),
  bot: denied(["Arpeggio does not answer other bots and workflows."]),
  guest: denied(
    ["guests of this workspace cannot use Arpeggio."],
    [["ask a full member to run it, or an admin to add you to people: in the config"]],
  ),
  unsure: denied(
    [
      "Slack could not say whether you are a full member of this workspace, and the config does not know you.",
    ],
    [["try again in a minute"]],
  ),
} as const;

export const unknownCommand = (command: string, known: readonly string[]): Reply =>
  bare(
    {
      word: "Not understood",
      outcome: "usage",
      text: text`Arpeggio has no command ${code(command)}. The app's manifest and this version differ.`,
    },
    [known.length === 0 ? ["install the current manifest"] : text`commands here: ${known.join(", ")}`],
  );

export const unreadableInput: Reply = bare(
  {
    word: "Not understood",
    outcome: "usage",
    text: ["what Slack sent could not be read; nothing was done."],
  },
  [["type it again; if it stays, the log says which field is missing"]],
);

export const unknownAction: Reply = bare(
  {
    word: "Not understood",
    outcome: "usage",
    text: ["this button is not one of this version; nothing was done."],
  },
  [["type the command again for a fresh message"]],
);

export const noShortcuts: Reply = bare({
  word: "Not understood",
  outcome: "usage",
  text: ["Arpeggio has no shortcuts of that name and no forms; nothing was done."],
});

export const noRunHere: Reply = bare(
  {
    word: "Not understood",
    outcome: "usage",
    text: ["this message belongs to no run, so there is no next step; nothing was done."],
  },
  [["use it on the run's own message, or on one of its thread"]],
);

export const noIncidentHere: Reply = bare(
  {
    word: "Not understood",
    outcome: "usage",
    text: [
      "this message belongs to another thing than an incident, and those have no timeline; nothing was done.",
    ],
  },
  [["use it on a message of an incident's thread, or beside threads while one incident is open"]],
);

export const doorFault = (id: string): Reply =>
  bare(
    {
      word: "Fault",
      outcome: "fault",
      text: text`the answer was lost on an error of ours; the log has it as ${code(id)}.`,
    },
    [["ask again; if it was a change, look first whether it was made"]],
  );

/** What is true after a restart in the middle of something that was asked. */
export const interrupted = (title: string): Reply =>
  bare(
    {
      word: "UNKNOWN",
      outcome: "unknown",
      text: text`${code(title)} was at work when the bot stopped, so its outcome is not known here.`,
    },
    [text`ask again: ${code(title)}`],
  );

export const notes = {
  /** No membership: one message at the end is all that works. */
  invite: text`invite the bot to this channel (${code("/invite @arpeggio")}): then it answers with live updates`,
  filesNeedMembership: [
    "The files this message names cannot be attached: the bot is not in this channel.",
  ] as Text,
  filesNeedScope: text`The files this message names cannot be attached: the app lacks the scope ${code("files:write")}.`,
  filesFailed: (why: string): Text => [`The files this message names could not be attached: ${why}.`],
  repeated: [
    "Possibly repeated: Slack did not confirm the first sending, so this may be here twice.",
  ] as Text,
  sentElsewhere: (title: string): Text =>
    text`You get this here because the channel in which ${code(title)} was asked takes no message from the bot.`,
} as const;

export const boardNotes = {
  repeated: [
    "Possibly repeated: Slack did not confirm an earlier sending. If there are two, this one is kept current.",
  ] as Text,
  anew: [
    "Posted anew: the message before this one can no longer be edited; its thread holds what came before.",
  ] as Text,
  elsewhere: (channel: string): Text =>
    text`Told here because ${code(channel)} takes no message from the bot.`,
} as const;

/** Lines that concern the delivery of a reply, put under its verdict. */
export const withNotes = (reply: Reply, under: readonly Text[], next: readonly Text[] = []): Reply => ({
  ...reply,
  ...(under.length === 0
    ? {}
    : {
        why: [
          ...(reply.why ?? []),
          ...under.flatMap((note, i): Text => (i > 0 || reply.why?.length ? [" ", ...note] : note)),
        ],
      }),
  ...(next.length === 0 ? {} : { next: [...(reply.next ?? []), ...next] }),
});
