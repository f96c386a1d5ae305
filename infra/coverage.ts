import type { ClusterPorts } from "#bot/commands/command.ts";
import { checks as registered } from "#shared/checks/all.ts";
import type { Check } from "#shared/checks/check.ts";
import { type GatherPorts, nodeSource, readLists, visitNodes } from "#shared/checks/gather.ts";
import { judgeAll } from "#shared/checks/run.ts";
import type { Listed } from "#shared/kubernetes/read.ts";
import type { Reply } from "#shared/reply.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { createVirtualClock, type VirtualClock } from "#shared/twin/virtual-clock.ts";
import { coverageLines } from "./coverage-lines.ts";
import { type Scenario, scenarios } from "./coverage-scenarios.ts";
import { type InMemory, runInMemory } from "./lab/in-memory.ts";

/** What a scenario really raised: codes of checks, or verdict and finding codes of a command; each once, sorted. */
export type Raised = Readonly<{ scenario: Scenario; codes: readonly string[] }>;

const minuteMs = 60_000;
const valuesPath = "metallb-values.yaml";

function around({
  config,
  helmValues,
  pastTheWebhook = [],
}: Scenario): (ports: ClusterPorts) => ClusterPorts {
  return (ports) => ({
    ...ports,
    config: {
      ...ports.config,
      site: { ...ports.config.site, ...config },
      ...(helmValues === undefined
        ? {}
        : {
            migration: {
              ...(ports.config.migration ?? defaultMigration),
              helmValues: { metallb: valuesPath },
            },
          }),
    },
    read: async (kinds, signal) => {
      const lists = await ports.read(kinds, signal);
      const withMore = kinds.map((kind): readonly [string, Listed] => {
        const more = pastTheWebhook.filter((each) => each.kind === kind).map((each) => each.object);
        const listed: Listed = lists[kind];
        return [kind, Array.isArray(listed) ? [...listed, ...more] : listed];
      });
      return Object.fromEntries(withMore) as typeof lists;
    },
  });
}

async function askChecks(
  product: InMemory,
  clock: VirtualClock,
  checks: readonly Check[],
): Promise<readonly string[]> {
  const cluster = [...product.deps.clusters.values()][0] as ClusterPorts;
  let count = 0;
  const ports: GatherPorts = { ...cluster, clock, newNonce: () => `nonce-${String(++count)}` };
  const visiting = async () => {
    const lists = await readLists(ports, checks);
    return visitNodes(ports, lists, nodeSource(lists.nodes, cluster.config), { checks });
  };
  const results = judgeAll(checks, await clock.runUntil(visiting()));
  return results.flatMap((result) =>
    result.outcome === "failed" ? result.findings.map(({ code }) => code) : [],
  );
}

/** Codes of a command's answer: its findings, causes of silence, and verdicts about addresses, apart from those that say all is well. */
function codesOf({ findings, data }: Reply): readonly string[] {
  const said = data as
    | Readonly<{
        verdict?: string;
        candidates?: readonly Readonly<{ id: string }>[];
        addresses?: readonly Readonly<{ verdict?: string }>[];
      }>
    | undefined;
  const verdicts = [said?.verdict, ...(said?.addresses ?? []).map(({ verdict }) => verdict)];
  return [
    ...findings.map(({ code }) => code),
    ...(said?.candidates ?? []).map(({ id }) => id),
    ...verdicts.filter((verdict) => typeof verdict === "string" && verdict !== "expected"),
  ] as readonly string[];
}

async function askCommand(product: InMemory, clock: VirtualClock, words: string): Promise<readonly string[]> {
  const [person] = product.people;
  const asking = await product.app.ask({ door: "console", person, account: "operator", words });
  if (asking.kind === "answer") return codesOf(asking.reply);
  return codesOf(await clock.runUntil(asking.job.run(() => {}, new AbortController().signal)));
}

/** Runs one scenario on a site and a clock of its own. */
export async function runScenario(
  scenario: Scenario,
  checks: readonly Check[] = registered,
): Promise<Raised> {
  // A visit is a long chain of awaits: all of it runs before time moves on.
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
  const product = runInMemory(
    scenario.site(),
    clock,
    around(scenario),
    scenario.helmValues === undefined ? {} : { [valuesPath]: scenario.helmValues },
  );
  try {
    await clock.advance(minuteMs);
    if (scenario.afterwards !== undefined) {
      scenario.afterwards(product.twin);
      await clock.advance(minuteMs);
    }
    const codes =
      scenario.ask === undefined
        ? await askChecks(product, clock, checks)
        : await askCommand(product, clock, scenario.ask);
    return { scenario, codes: [...new Set(codes)].sort() };
  } finally {
    product.twin.stop();
  }
}

export async function runScenarios(checks: readonly Check[] = registered): Promise<readonly Raised[]> {
  const raised: Raised[] = [];
  for (const scenario of scenarios) raised.push(await runScenario(scenario, checks));
  return raised;
}

const cell = (words: string): string => words.replaceAll("|", "\\|");

/** Only what was expected of a scenario counts for its lines, and of that only what was raised. */
const caught = ({ scenario, codes }: Raised): readonly string[] =>
  scenario.expect.filter((code) => codes.includes(code));

/** The page, from what the scenarios raised. */
export function coveragePage(raised: readonly Raised[]): string {
  const lines = coverageLines.map((each) => ({
    ...each,
    runs: raised.filter((one) => one.scenario.lines.includes(each.line) && caught(one).length > 0),
  }));
  const rows = lines.flatMap(({ line, words, taught, runs }) => {
    const row = (...cells: readonly [string, string, string]) =>
      `| ${[line, cell(words), ...cells].join(" | ")} |`.replaceAll(/ {2,}/g, " ");
    const told = runs.map((each) => {
      const asked = each.scenario.ask === undefined ? "/nodes check" : `/${each.scenario.ask}`;
      const codes = caught(each).map((code) => `\`${code}\``);
      return row(cell(each.scenario.words), `\`${asked}\``, codes.join(", "));
    });
    if (taught !== undefined) return [...told, row("", "", `taught: [${taught.page}](${taught.page})`)];
    return told.length > 0 ? told : [row("", "", "not yet")];
  });
  const isCaught = lines.filter(({ runs }) => runs.length > 0).length;
  const isTaught = lines.filter(({ runs, taught }) => runs.length === 0 && taught !== undefined).length;
  return `<!-- Made by npm run generate from runs on the model; do not edit. -->

# What is caught

${isCaught} of ${lines.length} lines are caught, ${isTaught} taught, ${lines.length - isCaught - isTaught} not yet.

A line that is caught has a run: a site of the model with that fault, what was asked, and the codes that came. A line that is
taught is about something no machine sees, such as what a person concludes from a command or what a switch keeps to itself: a page
says what to do instead. Some lines have both. Runs on the model prove that the code looks at the right thing; that real
kernels and programs print what the model prints is proven by \`npm run test:net\` and by captured output.

| line | what goes wrong | on the model | asked | raised |
|---|---|---|---|---|
${rows.join("\n")}
`;
}
