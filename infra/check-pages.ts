import { checks } from "#shared/checks/all.ts";
import type { Check } from "#shared/checks/check.ts";
import { nodeProbes } from "#shared/checks/node-probes.ts";

const codes = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(", ");

/** What a check looks at, in words that a reader can follow by hand. */
const evidence = ({ needs, reads }: Check): string =>
  [
    ...needs.map((probe) => `- on the node: ${nodeProbes[probe].about} (\`${probe}\`)`),
    ...(reads.length > 0 ? [`- in the cluster: ${codes(reads)}`] : []),
    ...(needs.length + reads.length === 0 ? ["- whether the node could be reached at all"] : []),
  ].join("\n");

/** One page a check, made of the words in its file: the same that `/nodes explain` prints. */
export const checkPage = (check: Check): string => `# ${check.id}

${check.title}.

About ${check.about === "node" ? "each node" : "the cluster as a whole, or nodes beside each other"}. Codes: ${codes(check.codes)}.
Made from \`shared/checks/${check.id}.ts\`; run it alone with \`/nodes check --only ${check.id}\`.

## Why

${check.page.why.trim()}

## How it looks

${check.page.looks.trim()}

## How to fix it

${check.page.fix.trim()}

## What it looks at

${evidence(check)}

Where one of these cannot be read the check is unknown, never passed.
`;

/** The list of all pages, in the order in which people are told. */
export const checkIndex = (): string => `# Checks

\`/nodes check\` makes these checks, \`/nodes explain CHECK\` prints one of these pages. Pages are made from
\`shared/checks\` by \`npm run generate\`.

${checks.map(({ id, title }) => `- [${id}](${id}.md): ${title}`).join("\n")}

Every check has one of four outcomes: passed, failed, skipped (the question does not arise here, and why), unknown (we
could not look, and why). A check that compares nodes does not pass while a node could not be read.

## How a node is looked at

Everything the checks need of a node comes in one SSH exec: one script that never changes, \`sh -c\` with the commands of
the catalogue as its arguments. Each command has its own time limit and exit code, and its output travels between marks
that it cannot forge, so a program that hangs or prints nonsense spoils its own evidence only. Nothing is written on the
node, standard input is closed, no command changes anything. What needs root goes by \`sudo -n\`;
\`arpeggio sudoers\` prints the file that allows exactly that. A node that does not answer costs 20 s at most and delays
no other.

Codes that belong to no single check: \`node-silent\` (we could not visit the node, and its neighbours do not reach it
either), \`fault-...\` (we could not look: timed-out, unreachable, refused, denied, missing-tool, missing-privilege,
unreadable, truncated, not-configured, cancelled).

## A new check

A new check is one file in \`shared/checks\` and its line in \`shared/checks/all.ts\`: \`defineCheck\` takes what it needs of a
node (\`needs\`), what it reads of the cluster (\`reads\`), the words of its page, and a pure \`judge\`. Its test has a failing, a
passing and an unknown case.
`;

export const checkPages: readonly Readonly<{ path: string; make: () => Promise<string> }>[] = [
  { path: "docs/checks/README.md", make: async () => checkIndex() },
  ...checks.map((check) => ({
    path: `docs/checks/${check.id}.md`,
    make: async () => checkPage(check),
  })),
];
