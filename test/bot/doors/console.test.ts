import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { runConsole } from "#bot/doors/console.ts";
import { type InMemory, runInMemory } from "#infra/lab/in-memory.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { Clock } from "#shared/clock.ts";
import type { Reply } from "#shared/reply.ts";
import { sites } from "#shared/twin/sites/all.ts";

const began = Date.now();
const fast: Clock = {
  now: () => began + (Date.now() - began) * 50,
  sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
};

const greeting: Reply = {
  verdict: { word: "Lab", outcome: "info", text: ["is up."] },
  findings: [],
  blocks: [],
  actions: [],
};

let product: InMemory | undefined;
afterEach(() => product?.twin.stop());

type Typed = Readonly<{
  lines: readonly string[];
  json?: boolean;
  colour?: boolean;
  tty?: boolean;
  mayChangePerson?: boolean;
  columns?: number;
}>;

/** Types the lines into a console on the site with Wi-Fi on, and gives all that was written. */
async function typing({
  lines,
  json = false,
  colour = false,
  tty = false,
  mayChangePerson = true,
  columns = 80,
}: Typed): Promise<string> {
  const spec = sites["goldentooth-l2"]?.();
  if (!spec) throw new Error("the site is gone");
  product = runInMemory(spec, fast);
  await fast.sleep(5_000);
  const input = Object.assign(new PassThrough(), tty ? { isTTY: true } : {});
  const output = Object.assign(new PassThrough(), { columns });
  let written = "";
  output.on("data", (chunk: Buffer) => {
    written += chunk.toString();
  });
  input.end(`${lines.join("\n")}\n`);
  await runConsole({
    app: product.app,
    people: product.people,
    person: product.people[0],
    account: "operator",
    mayChangePerson,
    input,
    output,
    json,
    colour,
    greeting,
    signal: new AbortController().signal,
  });
  return written;
}

describe("the console", () => {
  it("answers a line at a time, with or without the slash, in the order typed", async () => {
    const written = await typing({ lines: ["/arpeggio whoami", "arping httpbin", "", "nonsense"] });
    const heads = written.split("\n").filter((line) => /^[✓✗›•?!]/.test(line));
    expect(heads).toEqual([
      "• You: are operator, operator in console.",
      expect.stringMatching(/^✓ OK {2}goldentooth · httpbin 10\.4\.11\.1 · cargyll eth0 answers/),
      expect.stringMatching(/^› Not understood: There is no command "nonsense"/),
    ]);
  });

  it("prints one JSON document a line, and nothing else", async () => {
    const written = await typing({ lines: ["arping prometheus", "arping htpbin", "whoami"], json: true });
    const documents = written
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(documents.map((d) => d.verdict.word)).toEqual(["CONFLICT", "Not understood", "Not understood"]);
    expect(documents[0].data).toMatchObject({ verdict: "two-nics", node: "karstark", next: "inchfield" });
  });

  it("presses the numbered button of the last answer that had one", async () => {
    const written = await typing({
      lines: ["arping httpbin", "arpeggio whoami", "/press 1", "/press 7", "/press"],
    });
    expect(written.match(/httpbin 10\.4\.11\.1/g)).toHaveLength(2);
    expect(written).toContain("[1] Probe again");
    expect(written).toMatch(/There is no button 7\.[\s\S]*Buttons: \[1\] Probe again/);
    expect(written).toMatch(/There is no button without a number\./);
  });

  it("says that there is nothing to press before anything offered a button", async () => {
    expect(await typing({ lines: ["/press 1"] })).toMatch(/No message has offered a button yet/);
  });

  it("changes person in the lab only, and names the nearest", async () => {
    const lab = await typing({ lines: ["/as approver", "arpeggio whoami", "/as approvr", "/as"] });
    expect(lab).toMatch(/You: are approver from here on\.[\s\S]*You: are approver, approver in console\./);
    expect(lab).toMatch(/There is nobody called "approvr"\. Nearest: approver/);
    expect(lab).toMatch(/\/as needs a name\./);
    const real = await typing({ lines: ["/as approver", "arpeggio whoami"], mayChangePerson: false });
    expect(real).toMatch(/works in the lab only/);
    expect(real).toMatch(/You: are operator/);
  });

  it("stops at /quit and does not run what follows", async () => {
    const written = await typing({ lines: ["/quit", "arpeggio whoami"] });
    expect(written).toBe("");
  });

  it("greets and prompts on a terminal, and redraws progress in place", async () => {
    const written = await typing({ lines: ["arping httpbin"], tty: true });
    expect(written).toContain("Lab: is up.");
    expect(written).toContain("arpeggio> ");
    expect(written).toMatch(/started: \/arping httpbin[\s\S]*\r\u001b\[2K/);
  });

  it("colours only when asked to, and says the same either way", async () => {
    const coloured = await typing({ lines: ["arpeggio help"], colour: true });
    expect(coloured).toContain("\u001b[");
    const bare = coloured.replaceAll(/\u001b\[\d+m/g, "");
    expect(bare).toBe(await typing({ lines: ["arpeggio help"] }));
  });

  it.each([40, 80, 120])("keeps to %i columns", async (columns) => {
    const written = await typing({ lines: ["arping prometheus", "nodes impact karstark"], columns });
    expect(written.split("\n").filter((line) => line.length > columns)).toEqual([]);
  });
});
