import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { sites } from "#shared/twin/sites/all.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { dnsScenarios } from "./dns/scenarios.ts";
import { goldentoothMove, move } from "./goldentooth-move.ts";
import { stories } from "./stories.ts";

export type LabScenario = Readonly<{
  site: () => SiteSpec;
  /** What happens as soon as the site is up; takes its time on the site's clock. */
  afterwards?: (twin: Twin) => void | Promise<void>;
  /** What a newcomer is told. */
  story: string;
  /** The first thing worth typing. */
  first: string;
  /** The domain move of its config. */
  move?: Readonly<{ from: string; to: string }>;
}>;

/** Sites that have, or had, their names in the old domain. */
const hasOldDomain = (name: string): boolean => name.startsWith("goldentooth");

/** Everything that `--scenario` takes: sites, and sites whose names go wrong. */
export const labScenarios: Readonly<Record<string, LabScenario>> = Object.fromEntries([
  ...Object.entries(sites).map(([name, site]) => [
    name,
    { site, ...(stories[name] ?? { story: "", first: "/arping all" }), ...(hasOldDomain(name) && { move }) },
  ]),
  [
    "goldentooth-move",
    {
      site: goldentoothMove,
      story:
        "BGP carries every address and names are in hellholt.net. Tonight both move, and cert-manager stands by; /as approver approves.",
      first: "/migrate plan goldentooth",
      move,
    },
  ],
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
