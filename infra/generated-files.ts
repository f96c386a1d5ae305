import { slackCommands } from "#bot/commands/all.ts";
import { configJsonSchema } from "#bot/config-schema.ts";
import { manifestYaml } from "#bot/doors/slack/manifest.ts";
import { checkPages } from "./check-pages.ts";
import { coveragePage, runScenarios } from "./coverage.ts";
import { dnsCoverage, explainScenarios } from "./dns-coverage.ts";
import { incidentCoverage } from "./incident-coverage.ts";
import { askIncidents } from "./incident-matrix.ts";
import { rbacFiles } from "./rbac.ts";
import { transcript, withTranscript } from "./transcript.ts";
import { walkthrough } from "./walkthrough.ts";

/** Files that are made from the code. `npm run generate` writes them; a test fails when one is not current. */
export const generatedFiles: readonly Readonly<{
  path: string;
  /** Takes what the file holds now, since only a part of it may be generated. */
  make: (before: string) => Promise<string>;
}>[] = [
  {
    path: "README.md",
    make: async (before) => withTranscript(before, await transcript("goldentooth-l2", ["arping prometheus"])),
  },
  { path: "docs/config.schema.json", make: async () => `${JSON.stringify(configJsonSchema(), null, 2)}\n` },
  {
    path: "infra/slack/manifest.yaml",
    make: async () => manifestYaml({ commands: slackCommands(), prefix: "", socketMode: true }),
  },
  {
    path: "docs/coverage.md",
    make: async () =>
      coveragePage(await runScenarios()) +
      dnsCoverage(await explainScenarios()) +
      incidentCoverage(await askIncidents()),
  },
  { path: "docs/walkthrough.md", make: walkthrough },
  ...checkPages,
  ...rbacFiles,
];
