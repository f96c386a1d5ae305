import type { Person } from "#shared/policy/identity.ts";
import { exitCode, type Reply } from "#shared/reply.ts";
import { renderJson } from "#shared/report/json.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import type { App } from "../asking.ts";
import type { Command } from "../commands/command.ts";
import { keepPictures, type SavePicture } from "../pictures.ts";
import { quoteWords } from "../quote-words.ts";
import { asTypedInAShell } from "./as-typed-in-a-shell.ts";

export type CliFlags = Readonly<{
  words: readonly string[];
  json: boolean;
  colour: boolean | undefined;
  lab: boolean;
}>;

/** Takes the flags that belong to the door out of argv; the rest is the command. */
export function readFlags(argv: readonly string[]): CliFlags {
  const end = argv.indexOf("--");
  const ours = end < 0 ? argv : argv.slice(0, end);
  const words = [
    ...ours.filter((word) => !["--json", "--no-color", "--color", "--lab"].includes(word)),
    ...(end < 0 ? [] : argv.slice(end)),
  ];
  return {
    words,
    json: ours.includes("--json"),
    colour: ours.includes("--no-color") ? false : ours.includes("--color") ? true : undefined,
    lab: ours.includes("--lab"),
  };
}

/** `arpeggio status` means `/arpeggio status`: the program's own name may be left out before its own verbs. */
export function completeWords(words: readonly string[], commands: readonly Command[]): readonly string[] {
  const [first] = words;
  if (first === undefined || commands.some((command) => command.name === first && first !== "arpeggio"))
    return words;
  const own = commands.find((command) => command.name === "arpeggio");
  if (own?.verbs.some((verb) => verb.path[0] === first) && first !== "help") return ["arpeggio", ...words];
  return first === "arpeggio" && words[1] === "help" ? words.slice(1) : words;
}

export type CliStreams = Readonly<{
  out: (text: string) => void;
  err: (text: string) => void;
  columns: number;
  colour: boolean;
  /** Progress lines go to standard error only where somebody watches. */
  progress: boolean;
}>;

export function printReply(reply: Reply, json: boolean, streams: CliStreams): void {
  if (reply.jsonLines !== undefined)
    streams.out(reply.jsonLines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  else if (json) streams.out(`${JSON.stringify(renderJson(reply), null, 2)}\n`);
  else if (reply.document !== undefined) streams.out(reply.document);
  else
    streams.out(`${renderTerminal(reply, { columns: streams.columns, colour: streams.colour }).trimEnd()}\n`);
}

/** One command, one answer, one exit code. With `--json` exactly one document goes to standard output. */
export async function runCli(
  options: Readonly<{
    app: App;
    commands: readonly Command[];
    flags: CliFlags;
    person: Person | undefined;
    account: string;
    streams: CliStreams;
    savePicture?: SavePicture;
    signal: AbortSignal;
  }>,
): Promise<number> {
  const { app, flags, streams } = options;
  const words = quoteWords(completeWords(flags.words, options.commands));
  const asking = await app.ask({ door: "cli", person: options.person, account: options.account, words });
  let shown = "";
  const show = (interim: Reply): void => {
    if (!streams.progress || flags.json) return;
    const line = renderTerminal(
      { ...interim, blocks: [], findings: [], actions: [] },
      { columns: streams.columns, colour: streams.colour },
    )
      .trim()
      .split("\n")[0] as string;
    if (line === shown) return;
    shown = line;
    streams.err(`${line}\n`);
  };
  const reply = asking.kind === "answer" ? asking.reply : await asking.job.run(show, options.signal);
  const kept = await keepPictures(options.savePicture, reply);
  const local = asTypedInAShell({ ...kept, actions: [] }, options.commands);
  printReply(local, flags.json, streams);
  return exitCode(reply);
}
