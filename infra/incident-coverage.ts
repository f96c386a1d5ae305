import { type Answered, heldAgainst, isEither, type Said } from "./incident-matrix.ts";
import type { IncidentScenario } from "./incident-scenario.ts";

/** What a run of the matrix comes to. */
export type Figures = Readonly<{
  scenarios: number;
  wrongCertainties: number;
  missing: number;
  falseAlarms: number;
  /** Right answers that name the truth and decide. */
  decided: number;
  /** Right answers of several readings, the truth among them. */
  either: number;
}>;

export function figuresOf(answered: readonly Answered[]): Figures {
  const held = answered.flatMap(heldAgainst);
  const count = (kind: (typeof held)[number]["kind"]) => held.filter((each) => each.kind === kind).length;
  const right = answered.filter((each) => heldAgainst(each).length === 0);
  return {
    scenarios: answered.length,
    wrongCertainties: count("wrong certainty"),
    missing: count("missing verdict"),
    falseAlarms: count("false alarm"),
    decided: right.filter((each) => !isEither(each)).length,
    either: right.filter(isEither).length,
  };
}

const cell = (words: string): string => words.replaceAll("|", "\\|");

const codes = (list: readonly string[]): string => list.map((code) => `\`${code}\``).join(", ");

function saidWords(said: Said): string {
  switch (said.kind) {
    case "certain":
      return codes(said.codes);
    case "candidates":
      return `either ${codes(said.codes)}`;
    case "healthy":
      return "all is well";
    case "unknown":
      return "cannot be told";
  }
}

const titles: Readonly<Record<IncidentScenario["kind"], string>> = {
  "one fault": "One fault",
  "two faults": "Two faults",
  recorded: "Recorded output of real programs",
  "half blind": "Something that would tell cannot be looked at",
  healthy: "Nothing wrong with what is asked about",
};

const markOf = (answered: Answered): string => {
  const held = heldAgainst(answered);
  if (held.length > 0) return held.map(({ kind, what }) => `**${kind}**: ${what}`).join("; ");
  return isEither(answered) ? "the truth is among them" : "";
};

function table(answered: readonly Answered[], kind: IncidentScenario["kind"]): string {
  const rows = answered
    .filter(({ scenario }) => scenario.kind === kind)
    .map((each) => {
      const { scenario, said } = each;
      return `| ${cell(scenario.words)}${scenario.lines.length > 0 ? ` (${scenario.lines.join(", ")})` : ""} | \`${scenario.runbook} ${scenario.ask}\` | ${cell(saidWords(said))} | ${cell(markOf(each))} |`.replaceAll(
        / {2,}/g,
        " ",
      );
    });
  return `### ${titles[kind]} (${rows.length})

| what is wrong | asked | said | held against it |
|---|---|---|---|
${rows.join("\n")}
`;
}

/** The last list of the page. */
export function incidentCoverage(answered: readonly Answered[]): string {
  const { scenarios, wrongCertainties, missing, falseAlarms, decided, either } = figuresOf(answered);
  const count = (kind: IncidentScenario["kind"]) =>
    answered.filter(({ scenario }) => scenario.kind === kind).length;
  return `
## I: what the on-call runbooks say at night

${scenarios} worlds: ${count("one fault")} with one fault, ${count("two faults")} with two, ${count("recorded")} with recorded output of real programs in place of the model's,
${count("half blind")} in which something that would tell cannot be looked at, and ${count("healthy")} in which nothing is wrong with what is asked about. Of each it was written down what was broken there and which codes name it,
before anybody asked. ${wrongCertainties} wrong certainties, ${missing} missing verdicts, ${falseAlarms} false alarms; ${decided} answers decide, ${either} name several
readings with the truth among them. A certainty about what is not so is the worst of these: where two worlds look alike, only
readings are right.

${(Object.keys(titles) as (keyof typeof titles)[]).map((kind) => table(answered, kind)).join("\n")}`;
}
