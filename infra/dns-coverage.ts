import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { type DnsScenario, dnsScenarios } from "./lab/dns/scenarios.ts";
import { runInMemory } from "./lab/in-memory.ts";

/** What `/dns explain` said of a scenario's name: ids of diagnoses by how sure it was. */
export type Explained = Readonly<{
  scenario: DnsScenario;
  state: string;
  certain: readonly string[];
  possible: readonly string[];
  /** Probes that were not possible, and why. */
  blind: readonly string[];
}>;

/** What is held against an answer. A certainty about another thing than the fault is the worst of them. */
export type Misjudged = Readonly<{
  kind: "wrong certainty" | "missing verdict" | "false alarm" | "wrong state";
  what: string;
}>;

const minuteMs = 60_000;
/** Between an answer and the same question again. */
const secondsBetween = 5;

/** The 16 reasons of `/dns explain`, in the order of their numbers. */
export const dnsLines: readonly Readonly<{ line: string; words: string }>[] = [
  { line: "D1", words: "the zone is not delegated" },
  { line: "D2", words: "the parent names another set of servers" },
  { line: "D3", words: "a server that does not serve the zone" },
  { line: "D4", words: "a server that cannot be reached" },
  { line: "D5", words: "the wrong one of two zones of one name" },
  { line: "D6", words: "the record is in a private zone alone" },
  { line: "D7", words: "a change that is not everywhere yet" },
  { line: "D8", words: "a resolver remembers that the name did not exist" },
  { line: "D9", words: "a resolver remembers an older value" },
  { line: "D10", words: "a delegation below the zone hides the record" },
  { line: "D11", words: "a wildcard or CNAME that does not do what it seems to" },
  { line: "D12", words: "the site's resolver filters private addresses" },
  { line: "D13", words: "the site's resolver answers for the domain itself" },
  { line: "D14", words: "a DS record that no key matches" },
  { line: "D15", words: "the client asks elsewhere" },
  { line: "D16", words: "the record belongs to somebody else" },
];

type Data = Readonly<{
  state: string;
  certain: readonly string[];
  possible: readonly string[];
  probes: readonly Readonly<{ id: string; fault?: string }>[];
}>;

/** Boots the scenario's site in memory, lets two minutes pass, and asks as a person would, again after five seconds; the last answer counts. */
export async function explainScenario(scenario: DnsScenario, times = 1): Promise<Explained> {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
  const { twin, app, people } = runInMemory(scenario.site(), clock);
  try {
    const happening = Promise.resolve(scenario.afterwards?.(twin));
    await clock.advance(2 * minuteMs);
    await happening;
    const [person] = people;
    const words = `dns explain ${scenario.ask}`;
    const ask = async () => {
      const asking = await app.ask({ door: "console", person, account: "operator", words });
      return asking.kind === "answer"
        ? asking.reply
        : clock.runUntil(asking.job.run(() => {}, new AbortController().signal));
    };
    for (let before = 1; before < times; before++) {
      await ask();
      await clock.advance(secondsBetween * 1_000);
    }
    const reply = await ask();
    const data = reply.data as Data | undefined;
    if (data?.certain === undefined) throw new Error(`${words}: ${JSON.stringify(reply.verdict)}`);
    const blind = data.probes.flatMap(({ id, fault }) => (fault === undefined ? [] : [`${id}: ${fault}`]));
    return { scenario, state: data.state, certain: data.certain, possible: data.possible, blind };
  } finally {
    twin.stop();
  }
}

export async function explainScenarios(): Promise<readonly Explained[]> {
  const all: Explained[] = [];
  for (const scenario of dnsScenarios) all.push(await explainScenario(scenario));
  return all;
}

/** What is wrong about an answer; empty when it is right. */
export function misjudged({ scenario, state, certain, possible }: Explained): readonly Misjudged[] {
  const { certain: due, possible: hint } = scenario;
  const strangers = certain.filter((id) => !due.includes(id));
  const isWell = scenario.state === "resolves";
  const missing = [...due.filter((id) => !certain.includes(id))];
  if (hint !== undefined && !possible.includes(hint)) missing.push(hint);
  return [
    ...strangers.map((what): Misjudged => ({ kind: isWell ? "false alarm" : "wrong certainty", what })),
    ...missing.map((what): Misjudged => ({ kind: "missing verdict", what })),
    ...(state === scenario.state ? [] : [{ kind: "wrong state", what: state } as const]),
  ];
}

const cell = (words: string): string => words.replaceAll("|", "\\|");

/** The third table of the page. */
export function dnsCoverage(explained: readonly Explained[]): string {
  const good = explained.filter((each) => misjudged(each).length === 0);
  const count = (kind: Misjudged["kind"]) =>
    explained.flatMap(misjudged).filter((each) => each.kind === kind).length;
  const rows = dnsLines.flatMap(({ line, words }) => {
    const mine = good.filter(({ scenario }) => scenario.line === line);
    if (mine.length === 0) return [`| ${line} | ${cell(words)} | | not yet |`];
    return mine.map(({ scenario, certain }) => {
      const said =
        certain.length > 0 ? "certain" : scenario.state === "resolves" ? "all well here" : "possible";
      const codes = certain.length > 0 ? certain : [scenario.possible ?? ""];
      const verdict = `${said}: ${codes.map((code) => `\`${code}\``).join(", ")}`;
      return `| ${line} | ${cell(words)} | \`${scenario.name}\`: ${cell(scenario.words)} | ${verdict} |`;
    });
  });
  const caught = dnsLines.filter(({ line }) => good.some(({ scenario }) => scenario.line === line)).length;
  return `
## D: why a name does not resolve

${caught} of ${dnsLines.length} reasons are told apart by \`/dns explain\`, in ${explained.length} worlds that \`npm start -- --scenario NAME\` boots as well:
${count("wrong certainty")} wrong certainties, ${count("missing verdict")} missing verdicts, ${count("false alarm")} false alarms. Some faults look alike from outside; of those it says what
they may be and what decides.

| line | why | on the model | said |
|---|---|---|---|
${rows.join("\n")}
`;
}
