import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { loadConfig } from "#bot/load-config.ts";
import { knownToSite, problemLine, readSiteRunbooks } from "#bot/site-runbooks.ts";
import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import { plain } from "#shared/text.ts";

const known = {
  checks: ["wired-and-wifi", "lan-nic", "rp-filter"],
  builtIn: [
    {
      id: "service-unreachable",
      title: "A service does not answer",
      summary: ["the path"],
      argument: { usage: "SERVICE", kinds: ["service"], example: "httpbin" },
      codes: ["no-ready-endpoint"],
      diagnose: async (_, word) => ({ noSuch: [`asked for ${word}`], next: [] }),
      steps: [{ id: "diagnose", title: "Look", kind: "diagnose" }],
    },
  ] as readonly IncidentRunbook[],
  taken: ["cold-start"],
};

const read = (source: string) => readSiteRunbooks(source, "site.yaml", known);
const problems = (source: string): readonly string[] => {
  const result = read(source);
  return result.ok ? [] : result.problems.map((problem) => problemLine("site.yaml", problem));
};

const good = `runbooks:
  - id: power-loss
    title: The rack lost power
    summary: What to switch on first.
    steps:
      - checks: [wired-and-wifi, lan-nic]
        nodes: [karstark]
      - do: Go to the rack. Look at the UPS.
        timeout: 10m
      - id: nodes
        title: Start the nodes
        do: Top to bottom
  - id: shop-down
    title: The shop is down
    summary: Like service-unreachable, for the one that pays.
    diagnose: service-unreachable
    argument: shop
    steps:
      - title: Tell the owner
        do: Call 12
      - diagnose: true
        title: See that it is back
  - id: any-down
    title: Something is down
    summary: With a word.
    diagnose: service-unreachable
    steps:
      - do: Breathe
`;

describe("a site's own runbooks", () => {
  it("become runbooks like ours, with where they come from", async () => {
    const result = read(good);
    if (!result.ok) throw new Error(problems(good).join("\n"));
    const [power, shop, any] = result.runbooks;
    expect(power).toMatchObject({ id: "power-loss", source: "site.yaml:2", codes: [] });
    expect(power?.diagnose).toBeUndefined();
    expect(power?.steps).toEqual([
      {
        id: "check-wired-and-wifi-lan-nic",
        title: "Check wired-and-wifi, lan-nic",
        kind: "checks",
        checks: ["wired-and-wifi", "lan-nic"],
        nodes: ["karstark"],
      },
      {
        id: "go-to-the-rack",
        title: "Go to the rack",
        kind: "manual",
        instruction: ["Go to the rack. Look at the UPS."],
        timeoutSeconds: 600,
      },
      { id: "nodes", title: "Start the nodes", kind: "manual", instruction: ["Top to bottom"] },
    ]);
    expect(shop?.argument).toBeUndefined();
    expect(shop?.steps.map(({ kind }) => kind)).toEqual(["manual", "diagnose"]);
    const asked = await shop?.diagnose?.({} as never, "ignored", {} as never);
    expect(asked !== undefined && "noSuch" in asked && plain(asked.noSuch)).toBe("asked for shop");
    expect(any?.argument?.usage).toBe("SERVICE");
    // Named without a place, the diagnosis comes first.
    expect(any?.steps.map(({ id }) => id)).toEqual(["diagnose", "breathe"]);
    const word = await any?.diagnose?.({} as never, "httpbin", {} as never);
    expect(word !== undefined && "noSuch" in word && plain(word.noSuch)).toBe("asked for httpbin");
  });

  it.each([
    ["runbooks: []", /site.yaml:1:11 runbooks is \[\]; /],
    ["runbook: []", /1:1 runbook there is no "runbook" here; nearest: "runbooks"/],
    ["- a\n b: [", /is not YAML here/],
    [
      good.replace("lan-nic]", "lan-nick]"),
      /6:34 runbooks\[0\].steps\[0\].checks\[1\] is "lan-nick", which is no check; nearest: "lan-nic"/,
    ],
    [
      good.replace("id: power-loss", "id: Power Loss"),
      /2:9 runbooks\[0\].id is "Power Loss"; must be lower-case words with dashes/,
    ],
    [
      good.replace("id: power-loss", "id: service-unreachable"),
      /is "service-unreachable", which is one of the built-in runbooks/,
    ],
    [good.replace("id: power-loss", "id: cold-start"), /which another runbook is called already/],
    [
      good.replace("id: shop-down", "id: power-loss"),
      /13:9 runbooks\[1\].id is "power-loss", which another runbook/,
    ],
    [
      good.replace("timeout: 10m", "timeout: 10 minutes"),
      /9:18 runbooks\[0\].steps\[1\].timeout is "10 minutes"; must be a time such as/,
    ],
    [good.replace("timeout: 10m", "timeout: 1s"), /must be between 10s and 24h/],
    [
      good.replace("diagnose: service-unreachable", "diagnose: service-unreachabl"),
      /which is no runbook with a diagnosis; nearest: "service-unreachable"/,
    ],
    [
      good.replace("    diagnose: service-unreachable\n    argument", "    argument"),
      /argument needs "diagnose" beside it/,
    ],
    [
      good.replace("        nodes: [karstark]", "        do: and this"),
      /has "checks" and "do" of "checks", "do" and "diagnose"; expected exactly one/,
    ],
    [
      good.replace("        title: Start the nodes\n        do: Top to bottom\n", "        title: Nothing\n"),
      /has none of "checks", "do" and "diagnose"/,
    ],
    [
      good.replace("        do: Top to bottom", "        do: Top\n        nodes: [a]"),
      /nodes needs "checks" beside it/,
    ],
    [
      good.replace("      - do: Breathe", "      - do: Breathe\n        tmeout: 10m"),
      /tmeout there is no "tmeout" here; nearest: "timeout"/,
    ],
    [
      good.replace(
        "      - id: nodes\n        title",
        "      - diagnose: true\n      - id: nodes\n        title",
      ),
      /needs "diagnose" of the runbook to name one of service-unreachable/,
    ],
  ])("are told what is wrong, with its place: %#", (source, expected) => {
    expect(problems(source).join("\n")).toMatch(expected);
  });

  it("tells every problem at once, in the order of the file", () => {
    const all = problems(
      good
        .replace("lan-nic]", "nothing]")
        .replace("10m", "soon")
        .replace("argument: shop", "argumnt: shop")
        .replace("summary: With a word.", ""),
    );
    expect(all).toHaveLength(4);
    expect(all.map((line) => Number(line.split(":")[1]))).toEqual([6, 9, 17, 23]);
  });

  it("never breaks on any text, and takes none that it cannot name a runbook of", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (source) => {
        const result = read(source);
        expect(result.ok || result.problems.length > 0).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const result = read(JSON.stringify(value));
        expect(result.ok).toBe(false);
      }),
    );
  });
});

describe("the page", () => {
  it("shows a file that is taken as it stands, and the message that it quotes", async () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/site-runbooks.md"), "utf8");
    const [, , example = ""] = page.split("```yaml\n").map((part) => part.split("```")[0] ?? "");
    const real = { ...(await knownToSite()), taken: [] };
    const result = readSiteRunbooks(example, "runbooks.yaml", real);
    expect(result).toMatchObject({ ok: true, runbooks: [{ id: "power-loss" }, { id: "shop-down" }] });
    const slip = readSiteRunbooks(example.replace("default-route-nic]", "default-route-nick]"), "x", real);
    const [told] = slip.ok ? [] : slip.problems;
    expect(told && page.includes(problemLine("runbooks.yaml", told))).toBe(true);
  });
});

describe("the config", () => {
  const dir = mkdtempSync(join(tmpdir(), "arpeggio-site-runbooks-"));
  afterAll(() => rmSync(dir, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const config = (more: string): string =>
    `clusters:\n  - name: toy\n    site: { lanPrefix: 10.4.0.0/20 }\n${more}`;

  it("names the files, relative to itself; all of them are judged before anything starts", async () => {
    const id = (await knownToSite()).checks[0];
    file("one.yaml", `runbooks: [{ id: a, title: A, summary: s, steps: [{ checks: [${id}] }] }]`);
    file("two.yaml", "runbooks: [{ id: a, title: A, summary: s, steps: [{ checks: [nothing] }] }]");
    const fine = await loadConfig({
      ARPEGGIO_CONFIG: file("fine.yaml", config("runbooks: [one.yaml]\n")),
    });
    expect(fine.ok && fine.siteRunbooks.map((each) => each.id)).toEqual(["a"]);
    const wrong = await loadConfig({
      ARPEGGIO_CONFIG: file("wrong.yaml", config("runbooks: [one.yaml, two.yaml, three.yaml]\n")),
    });
    if (wrong.ok) throw new Error("it was taken");
    expect(wrong.reply.data).toEqual({
      problems: [
        `${join(dir, "two.yaml")}:1:18 runbooks[0].id is "a", which another runbook is called already`,
        expect.stringMatching(
          /two\.yaml:1:\d+ runbooks\[0\]\.steps\[0\]\.checks\[0\] is "nothing", which is no check; expected one of/,
        ),
        `${join(dir, "three.yaml")} (runbooks) cannot be read: there is no such file`,
      ],
    });
  });

  it("lets routes of alerts name them", async () => {
    const path = file(
      "routes.yaml",
      config(
        `runbooks: [one.yaml]\nhttp: { port: 9000 }\nalerts:\n  tokenFile: token\n  routes: [{ match: { alertname: A }, runbook: a, cluster: toy }]\n`,
      ),
    );
    const loaded = await loadConfig({ ARPEGGIO_CONFIG: path }, async () => []);
    expect(loaded.ok ? [] : loaded.reply.data).toEqual([]);
  });

  it("refuses a time zone that nobody knows", async () => {
    const path = file(
      "zone.yaml",
      config("").replace("10.4.0.0/20 }", "10.4.0.0/20, timeZone: Europe/Berln }"),
    );
    const loaded = await loadConfig({ ARPEGGIO_CONFIG: path });
    expect(loaded.ok ? "" : JSON.stringify(loaded.reply.data)).toMatch(
      /clusters\[0\]\.site\.timeZone is .*must be a time zone .*nearest: Europe\/Berlin/,
    );
  });
});
