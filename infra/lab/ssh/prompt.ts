import type { ServerChannel } from "ssh2";
import type { RunProgram } from "#shared/twin/program.ts";
import { runLine } from "./run-line.ts";

const keys = { interrupt: "\x03", endOfInput: "\x04", backspace: "\x7f", altBackspace: "\b", escape: "\x1b" };

/**
 * A line loop for people who `ssh NODE` into the lab: a prompt, the machine's programs, Ctrl-C, Ctrl-D, `exit`. With a
 * terminal the client is in raw mode, so echo and line editing happen here; without one, lines are read as they come.
 */
export function serveShell(
  channel: ServerChannel,
  options: Readonly<{ machine: string; terminal: boolean; run: RunProgram }>,
): void {
  const { machine, terminal, run } = options;
  const pending: string[] = [];
  let typed = "";
  let escapeSequence = "";
  let lastExit = 0;
  let running: AbortController | undefined;
  let ending = false;

  const toTerminal = (text: string) => (terminal ? text.replaceAll("\n", "\r\n") : text);
  const prompt = () => {
    if (terminal) channel.write(`${machine}:~# `);
  };
  const end = () => {
    if (ending) return;
    ending = true;
    channel.exit(lastExit);
    channel.end();
  };
  const next = async (): Promise<void> => {
    if (running || ending) return;
    const line = pending.shift();
    if (line === undefined) return;
    const command = line.trim();
    if (command === "exit" || command === "logout") {
      end();
      return;
    }
    if (command !== "") {
      running = new AbortController();
      const { exitCode } = await runLine(run, machine, command, {
        write: (stream, text) => {
          if (ending) return;
          if (stream === "stderr" && !terminal) channel.stderr.write(text);
          else channel.write(toTerminal(text));
        },
        signal: running.signal,
      });
      lastExit = exitCode;
      running = undefined;
    }
    if (pending.length === 0 && inputEnded) {
      end();
      return;
    }
    prompt();
    await next();
  };
  let inputEnded = false;

  const take = (char: string) => {
    if (escapeSequence !== "") {
      // Cursor keys and the like: ESC, "[", parameters, one letter. There is no history to move in.
      escapeSequence += char;
      if (escapeSequence.length > 2 ? /[@-~]/.test(char) : char !== "[" && char !== "O") escapeSequence = "";
      return;
    }
    if (char === keys.escape) escapeSequence = char;
    else if (char === "\r" || char === "\n") {
      if (terminal) channel.write("\r\n");
      pending.push(typed);
      typed = "";
      void next();
    } else if (char === keys.interrupt) {
      if (terminal) channel.write("^C\r\n");
      typed = "";
      pending.length = 0;
      if (running) running.abort();
      else prompt();
    } else if (char === keys.endOfInput) {
      if (typed === "" && !running) end();
    } else if (char === keys.backspace || char === keys.altBackspace) {
      if (typed !== "" && terminal) channel.write("\b \b");
      typed = [...typed].slice(0, -1).join("");
    } else if (char >= " ") {
      typed += char;
      if (terminal) channel.write(char);
    }
  };

  const decoder = new TextDecoder();
  channel.on("data", (chunk: Buffer) => {
    for (const char of decoder.decode(chunk, { stream: true })) take(char);
  });
  channel.on("end", () => {
    inputEnded = true;
    if (typed !== "") pending.push(typed);
    typed = "";
    if (pending.length > 0) void next();
    else if (!running) end();
  });
  channel.on("close", () => {
    ending = true;
    running?.abort();
  });
  prompt();
}
