import type { AskServer } from "../dns/answer.ts";
import { dig } from "../probes/dig.ts";
import type { Shell } from "../probes/shell.ts";

/** Asks name servers with `dig` on a vantage. */
export const askThrough =
  (shell: Shell, vantage: string): AskServer =>
  async (server, question, signal) => {
    const output = await shell(
      { kind: "vantage", name: vantage },
      dig.argv(server, question),
      signal ? { signal } : {},
    );
    return dig.read(output);
  };
