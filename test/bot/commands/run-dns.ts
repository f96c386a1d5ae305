import type { Deps } from "#bot/commands/command.ts";
import { dns } from "#bot/commands/dns.ts";
import { parseCommand } from "#bot/parse.ts";
import { FaultError } from "#shared/fault.ts";
import type { Reply } from "#shared/reply.ts";

/** Runs the words a person would type, through the parser that the CLI uses; `files` is all there is to read. */
export async function runDns(
  words: string | readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<Reply> {
  const list = typeof words === "string" ? words.split(" ") : words;
  const parsed = parseCommand(["dns", ...list], [dns], "cli");
  if (parsed.kind !== "verb") throw new Error(`parsed as ${JSON.stringify(parsed)}`);
  return parsed.verb.handle({
    input: parsed.input,
    deps: {
      readFile: async (path: string): Promise<string> => {
        const content = files[path];
        if (content === undefined)
          throw new FaultError({ kind: "unreadable", what: path, detail: "no such file or directory" });
        return content;
      },
    } as Deps,
    cluster: undefined,
    caller: { door: "cli", account: "tester", person: undefined, groups: undefined, roles: [] },
    show: () => {},
    signal: new AbortController().signal,
  });
}
