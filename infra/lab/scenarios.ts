import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { sites } from "#shared/twin/sites/all.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { dnsScenarios } from "./dns/scenarios.ts";
import { stories } from "./stories.ts";

export type LabScenario = Readonly<{
  site: () => SiteSpec;
  /** What happens as soon as the site is up; takes its time on the site's clock. */
  afterwards?: (twin: Twin) => void | Promise<void>;
  /** What a newcomer is told. */
  story: string;
  /** The first thing worth typing. */
  first: string;
}>;

/** Everything that `--scenario` takes: sites, and sites whose names go wrong. */
export const labScenarios: Readonly<Record<string, LabScenario>> = Object.fromEntries([
  ...Object.entries(sites).map(([name, site]) => [
    name,
    { site, ...(stories[name] ?? { story: "", first: "/arping all" }) },
  ]),
  ...dnsScenarios.map(({ name, words, site, afterwards, ask }) => [
    name,
    {
      site,
      ...(afterwards && { afterwards }),
      story: `Something is wrong with names here: ${words}.`,
      first: `/dns explain ${ask}`,
    },
  ]),
]);
