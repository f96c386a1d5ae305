import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commands } from "#bot/commands/all.ts";
import { readConfig } from "#bot/config.ts";
import { parseCommand } from "#bot/parse.ts";
import { splitWords } from "#bot/words.ts";
import { FaultError, isFault } from "#shared/fault.ts";
import { readDump } from "#shared/metallb/dump.ts";
import { readArping } from "#shared/probes/arping-output.ts";
import { readNics } from "#shared/probes/ip-addr.ts";
import { renderArgv } from "#shared/probes/render-argv.ts";

/** The same promises as in `npm test`, over many more inputs. */
const runs = { numRuns: 200_000 } as const;

const typedOrFault = (read: () => unknown): void => {
  try {
    read();
  } catch (error) {
    if (!(error instanceof FaultError) || !isFault(error.fault)) throw error;
  }
};

describe("no text crashes a reader", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.string({ unit: fc.constantFrom(..."[]{}\"':,0aA \n\\") }),
  );

  it("arping output", () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "Unicast reply from 10.4.11.1 [DC:A6:32:0A:1B:0B]  0.640ms",
        "42 bytes from dc:a6:32:0a:1b:0b (10.4.11.1): index=0 time=95.998 usec",
        "Sent 3 probes (3 broadcast(s))",
        "Received 3 response(s)",
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) =>
        typedOrFault(() => readArping(lines.map((line) => ({ text: line })))),
      ),
      runs,
    );
  });

  it("ip -j", () => {
    fc.assert(
      fc.property(text, (input) => typedOrFault(() => readNics(input))),
      runs,
    );
  });

  it("a dump", () => {
    fc.assert(
      fc.property(text, (input) => typedOrFault(() => readDump(input))),
      runs,
    );
  });

  it("a config", () => {
    fc.assert(
      fc.property(text, (input) => void readConfig(input, (path) => path)),
      { numRuns: 20_000 },
    );
  });

  it("a command", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(...commands.map((c) => c.name), "--json", "--count", "watch", "impact"),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        splitWords(words.join(" "));
        expect(parseCommand(words, commands, "slack").kind).toBeTypeOf("string");
      }),
      runs,
    );
  });
});

it("a real shell gives every argument back", () => {
  const argument = fc
    .string({ unit: "grapheme" })
    .filter((a) => !/[\u0000-\u001f\u007f-\u009f]|\p{Cs}/u.test(a));
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1, maxLength: 30 }), (args) => {
      const printed = execFileSync("/bin/sh", ["-c", renderArgv(["printf", "%s\\0", ...args])], {
        encoding: "utf8",
      });
      expect(printed).toBe(args.map((a) => `${a}\0`).join(""));
    }),
    { numRuns: 3_000 },
  );
});
