import { describe, expect, it } from "vitest";
import { actions } from "#bot/actions/all.ts";
import { createApp } from "#bot/app.ts";
import { commands } from "#bot/commands/all.ts";
import { readFlags, runCli } from "#bot/doors/cli.ts";
import type { Conclusion } from "#shared/incidents/diagnosis.ts";
import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import { text } from "#shared/text.ts";
// What a handler loads while it runs stands still on a clock that does.
import "#shared/checks/all.ts";
import "#shared/incidents/runbooks/all.ts";
import { fault, healthy, newWorld, product, toyRunbook } from "../incidents/incident-product.ts";

/** One command on a laptop: kubeconfig and SSH, and no ledger, no board, no Slack. */
async function onALaptop(
  argv: readonly string[],
  truth?: () => Conclusion,
  more: (own: IncidentRunbook) => readonly IncidentRunbook[] = (own) => [own],
  file?: string,
) {
  const world = newWorld();
  if (truth !== undefined) world.truth = truth;
  const bot = product(world, { hasBoard: false, runbooks: more(toyRunbook(world)) });
  const { ledger: _, board: __, ...bare } = bot.deps;
  const deps = file === undefined ? bare : { ...bare, readFile: async () => file };
  const out: string[] = [];
  const err: string[] = [];
  const app = createApp({
    commands,
    actions,
    deps,
    roles: () => [],
    people: [],
    groupsOf: async () => [],
    changesClosed: () => "acting takes an approval given in Slack.",
    log: (entry) => err.push(JSON.stringify(entry)),
  });
  const code = await world.clock.runUntil(
    runCli({
      app,
      commands,
      flags: readFlags(argv),
      person: undefined,
      account: "nobody",
      streams: {
        out: (words) => out.push(words),
        err: (words) => err.push(words),
        columns: 80,
        colour: false,
        progress: true,
      },
      signal: new AbortController().signal,
    }),
  );
  return { code, out: out.join(""), err: err.join("") };
}

const run = ["runbook", "run", "toy-unreachable", "httpbin", "--json"];

const withGap: Conclusion = { kind: "unknown", text: text`too little could be seen` };

describe("arpeggio runbook run ... --json", () => {
  it.each([
    ["is broken", undefined, 1],
    ["is well", () => healthy, 0],
    ["cannot be told", () => withGap, 3],
    ["cannot be looked at", () => fault(), 3],
  ] as const)("exits by law when it %s, with exactly one document", async (_, truth, code) => {
    const done = await onALaptop(run, truth);
    expect(done.code).toBe(code);
    expect(done.err).toBe("");
    const document = JSON.parse(done.out) as Record<string, unknown>;
    expect(document.cluster).toBe("toy");
  });

  it("holds the whole diagnosis", async () => {
    const { out } = await onALaptop(run);
    expect(JSON.parse(out)).toMatchObject({
      data: {
        runbook: "toy-unreachable",
        subject: "httpbin",
        checks: [],
        diagnosis: {
          firstBroken: "endpoints",
          conclusion: { kind: "cause", causes: [{ code: "no-ready-endpoint" }] },
          links: [{ id: "name" }, { id: "endpoints", outcome: "failed" }],
        },
      },
    });
  });

  it("is no pass when all is well and something could not be seen", async () => {
    const { code, out } = await onALaptop(run, undefined, (own) => [
      {
        ...own,
        diagnose: async () => ({
          runbook: own.id,
          subject: { kind: "service", name: "httpbin" },
          title: "httpbin",
          links: [
            {
              id: "route",
              title: "A route leads there",
              because: text`no vantage behind the router`,
              outcome: "unknown",
              fault: { kind: "not-configured", what: "vantage", detail: "none behind the router" },
            },
          ],
          conclusion: healthy,
          findings: [],
          seen: [],
          changes: undefined,
          startedAt: 0,
          endedAt: 1,
          facts: {},
        }),
      },
    ]);
    expect(code).toBe(3);
    expect(out).toMatch(/fault-not-configured/);
  });

  it.each([
    [["runbook", "run", "toy-unreachable", "htpbin", "--json"]],
    [["runbook", "run", "toy-unreachable", "--json"]],
    [["runbook", "run", "toy-unreachabl", "httpbin", "--json"]],
  ])("exits with 2 for words that are not understood: %j", async (argv) => {
    const { code, out } = await onALaptop(argv);
    expect(code).toBe(2);
    expect((JSON.parse(out) as { verdict: unknown }).verdict).toBeDefined();
  });

  it("says in a terminal what it is doing, and what to do in the words of a shell", async () => {
    const { code, out, err } = await onALaptop(run.slice(0, -1));
    expect(code).toBe(1);
    expect(err).toMatch(/asking 3 servers/);
    expect(out).toMatch(/BROKEN/);
    expect(out).toMatch(/arpeggio migrate plan bgp-to-l2/);
    expect(out).not.toMatch(/opens an incident/);
  });

  it("runs a site's own checks and tells what people do then", async () => {
    const { code, out } = await onALaptop(["runbook", "run", "look-around", "--json"], undefined, () => [
      {
        id: "look-around",
        title: "Look around",
        summary: ["looks"],
        codes: [],
        steps: [
          { id: "nics", title: "Interfaces", kind: "checks", checks: ["lan-nic"], nodes: ["karstark"] },
          { id: "go", title: "Go there", kind: "manual", instruction: ["Take the lift"] },
        ],
      },
    ]);
    // The API is away here: unknown, never a pass.
    expect(code).toBe(3);
    expect(out).toMatch(/Take the lift/);
  });
});

describe("what needs the bot", () => {
  it.each(["status", "export I-1"])("runbook %s says where to ask", async (words) => {
    const { code, out } = await onALaptop(["runbook", ...words.split(" ")]);
    expect(code).toBe(3);
    expect(out).toMatch(/there is no ledger here/);
  });

  it("runbook check judges a file before any bot does", async () => {
    const judge = async (source: string) =>
      onALaptop(["runbook", "check", "site.yaml"], undefined, undefined, source);
    const good = "runbooks: [{ id: a, title: A, summary: s, steps: [{ checks: [lan-nic] }] }]";
    const fine = await judge(good);
    expect(fine.code).toBe(0);
    expect(fine.out).toMatch(/site\.yaml holds 1 runbook: a/);
    const wrong = await judge(good.replace("lan-nic", "lan-nick").replace("title", "titel"));
    expect(wrong.code).toBe(2);
    expect(wrong.out).toMatch(/has 3 problems/);
    expect(wrong.out).toMatch(/site\.yaml:1:62 .*"lan-nick", which is no\s+check; nearest:\s+"lan-nic"/);
    expect((await onALaptop(["runbook", "check", "nothing.yaml"])).code).toBe(2);
    const endless = await judge("runbooks: &a [*a]");
    expect(endless.code).toBe(2);
    expect(endless.out).toMatch(/an alias stands in what it is an alias of/);
  });
});
