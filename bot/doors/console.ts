import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { nearest } from "#shared/nearest.ts";
import type { Person } from "#shared/policy/identity.ts";
import type { Action, Reply } from "#shared/reply.ts";
import { renderJson } from "#shared/report/json.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { code, plain, text } from "#shared/text.ts";
import type { App, Asking } from "../asking.ts";
import { keepPictures, type SavePicture } from "../pictures.ts";
import { type BoardNews, type ConsoleBoard, changedLines, compact, onScreen } from "./console-board.ts";

export type ConsoleOptions = Readonly<{
  app: App;
  people: readonly Person[];
  /** Who types at the start. */
  person: Person | undefined;
  account: string;
  /** Whether `/as NAME` may change who types: only in the lab, where nobody is anybody. */
  mayChangePerson: boolean;
  input: Readable & { isTTY?: boolean };
  output: Writable & { columns?: number };
  json: boolean;
  colour: boolean;
  /** Shown before the first prompt of a terminal. */
  greeting: Reply;
  /** Standing messages are printed when they change, their notes below them. */
  board?: ConsoleBoard;
  /** Pictures become files: a terminal shows none. */
  savePicture?: SavePicture;
  signal: AbortSignal;
}>;

const usage = (words: string, hint: Reply["next"]): Reply => ({
  verdict: { word: "Not understood", outcome: "usage", text: [words] },
  findings: [],
  blocks: [],
  ...(hint ? { next: hint } : {}),
  actions: [],
});

const info = (word: string, words: string): Reply => ({
  verdict: { word, outcome: "info", text: [words] },
  findings: [],
  blocks: [],
  actions: [],
});

/**
 * The console: a line in, an answer out, one after the other. On a terminal it prompts and redraws progress in place;
 * on a pipe it reads a line at a time and, with `json`, prints one JSON document a line.
 */
export async function runConsole(options: ConsoleOptions): Promise<void> {
  const { app, input, output, json, colour, people } = options;
  const interactive = input.isTTY === true && !json;
  let person = options.person;
  let account = options.account;
  /** The buttons people can press: those of the last answer that had any. */
  let buttons: readonly Action[] = [];
  const columns = (): number => Math.max(40, output.columns || 80);
  const write = (value: string): void => void output.write(value);

  const print = (reply: Reply): void => {
    if (json) {
      write(`${JSON.stringify(renderJson(reply))}\n`);
      return;
    }
    write(`${renderTerminal(reply, { columns: columns(), colour }).trimEnd()}\n\n`);
  };

  /** The command at work: Ctrl-C ends it, and only at the prompt the console. */
  let running: AbortController | undefined;

  let transient = "";
  const clear = (): void => {
    if (transient !== "") write("\r\u001b[2K");
    transient = "";
  };
  const show = (interim: Reply): void => {
    if (!interactive) return;
    const bare = { ...interim, why: undefined, blocks: [], findings: [], next: [], actions: [] };
    const [line = ""] = renderTerminal(bare as Reply, { columns: columns() - 1, colour })
      .trim()
      .split("\n");
    if (line === transient) return;
    clear();
    write(line);
    transient = line;
  };

  /** The last standing message on the screen, until somebody types. */
  let standing: Reply | undefined;
  /** What an answer says beyond the standing message above it; undefined when that is another one. */
  const beyond = (reply: Reply): string | undefined => {
    if (standing === undefined || plain(standing.verdict.text) !== plain(reply.verdict.text))
      return undefined;
    const [above, said] = [plain(standing.why ?? []), plain(reply.why ?? [])];
    return said.endsWith(above) ? said.slice(0, said.length - above.length).trim() : undefined;
  };

  const finish = async (asking: Asking): Promise<void> => {
    let reply: Reply;
    if (asking.kind === "answer") reply = asking.reply;
    else {
      const { job } = asking;
      if (job.slow) {
        show({
          verdict: { word: job.id, outcome: "running", text: text`started: ${code(job.title)}` },
          findings: [],
          blocks: [],
          actions: [],
        });
      }
      const cancel = new AbortController();
      running = cancel;
      reply = await job.run(show, AbortSignal.any([options.signal, cancel.signal]));
      reply = await keepPictures(options.savePicture, reply);
      running = undefined;
      clear();
    }
    if (reply.actions.length > 0) buttons = reply.actions;
    const more = json ? undefined : beyond(reply);
    if (more === undefined) print(reply);
    else if (more !== "") write(`${more}\n\n`);
  };

  const as = (name: string | undefined): Reply => {
    if (!options.mayChangePerson)
      return usage("/as works in the lab only; here you are who you logged in as.", undefined);
    const names = people.map((p) => p.name);
    const found = people.find((p) => p.name === name);
    if (!found) {
      const near = nearest(name ?? "", names);
      return usage(
        `${name ? `There is nobody called "${name}".` : "/as needs a name."}${near ? ` Nearest: ${near}` : ""}`,
        [text`People: ${names.join(", ")}`],
      );
    }
    person = found;
    account = found.os ?? found.name;
    return info("You", `are ${found.name} from here on.`);
  };

  const handle = async (line: string): Promise<"go on" | "stop"> => {
    const words = line.trim().replace(/^\//, "");
    const [first, second] = words.split(/\s+/);
    if (words === "") return "go on";
    if (first === "quit" || first === "exit") return "stop";
    if (first === "as") {
      print(as(second));
    } else if (first === "press") {
      const action = /^\d+$/.test(second ?? "") ? buttons[Number(second) - 1] : undefined;
      if (action) {
        await finish(
          await app.press({ door: "console", person, account, action: action.id, value: action.value }),
        );
      } else {
        const known = buttons.map((button, i) => `[${i + 1}] ${button.label}`).join("  ");
        print(
          usage(`There is no button ${second ?? "without a number"}.`, [
            [known === "" ? "No message has offered a button yet." : `Buttons: ${known}`],
          ]),
        );
      }
    } else {
      await finish(await app.ask({ door: "console", person, account, words }));
    }
    return "go on";
  };

  /** The prompt, drawn again below what came in between. */
  let prompt = (): void => {};

  const told = (news: BoardNews): void => {
    const drawn = (reply: Reply, indent = 0): readonly string[] =>
      renderTerminal(reply, { columns: columns() - indent, colour })
        .trimEnd()
        .split("\n");
    const isPassing = news.reply.verdict.outcome === "running";
    const lines =
      news.kind === "note"
        ? [
            ...drawn(news.reply, 2).map((line) => `  ${line}`.trimEnd()),
            ...news.files.map((file) => `  (file ${file.name}, ${file.text.length} bytes)`),
          ]
        : changedLines(
            drawn(
              onScreen(
                news.key,
                isPassing ? { ...news.reply, actions: [], next: [] } : news.reply,
                news.before,
              ),
            ),
            news.before && drawn(compact(news.before)),
            isPassing,
          );
    // Buttons that were this message's give way with it; those of others stay.
    if (news.kind === "message" && (news.reply.actions.length > 0 || buttons === news.before?.actions))
      buttons = news.reply.actions;
    if (lines.length === 0) return;
    if (news.kind === "message" && !isPassing) standing = news.reply;
    const passing = transient;
    if (interactive) write("\r\u001b[2K");
    transient = "";
    write(`${lines.join("\n")}\n\n`);
    if (passing !== "") {
      write(passing);
      transient = passing;
    } else prompt();
  };

  if (interactive) print(options.greeting);
  const lines = createInterface({
    input,
    ...(interactive ? { output: output as NodeJS.WritableStream, prompt: "arpeggio> " } : {}),
    terminal: interactive,
  });
  let closed = false;
  lines.once("close", () => {
    closed = true;
  });
  let isPrompting = false;
  prompt = () => {
    if (isPrompting && !closed) lines.prompt(true);
  };
  const ask = (): void => {
    isPrompting = true;
    lines.prompt();
  };
  // A program that reads a document a command would stumble over messages that nobody asked for.
  if (!json) options.board?.watch(told);
  lines.on("SIGINT", () => {
    if (running) running.abort();
    else lines.close();
  });
  const stop = (): void => lines.close();
  options.signal.addEventListener("abort", stop, { once: true });
  if (interactive) ask();
  try {
    for await (const line of lines) {
      isPrompting = false;
      standing = undefined;
      if ((await handle(line)) === "stop") break;
      // The end of input may have come while the command was at work.
      if (interactive && !closed) ask();
    }
  } finally {
    options.board?.watch(() => {});
    options.signal.removeEventListener("abort", stop);
    lines.close();
  }
}
