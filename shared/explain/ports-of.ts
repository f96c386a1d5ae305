import type { AskServer } from "../dns/answer.ts";
import type { ReadZones } from "../dns/zones.ts";
import type { Shell } from "../probes/shell.ts";
import type { ClusterConfig } from "../site/site.ts";
import { askThrough } from "./ask-through.ts";
import type { ExplainPorts } from "./gather.ts";

/** A vantage in the segment and outside the cluster: only there the site's resolvers are the clients' resolvers. */
export const insideOf = ({ vantages }: ClusterConfig): string | undefined =>
  vantages.find(({ place, clusterNode }) => place !== "behind-router" && clusterNode === undefined)?.name;

/** Where questions about names can be asked from on a cluster. */
export function explainPortsOf(
  cluster: Readonly<{
    config: ClusterConfig;
    shell: Shell;
    zones?: ReadZones | undefined;
    ask?: AskServer | undefined;
  }>,
): ExplainPorts {
  const { config, shell, zones, ask } = cluster;
  const from = config.dns?.askFrom;
  const inside = insideOf(config);
  return {
    zones,
    here:
      from !== undefined
        ? { place: from, ask: askThrough(shell, from) }
        : ask === undefined
          ? undefined
          : { place: "the bot's machine", ask },
    inside: inside === undefined ? undefined : { place: inside, ask: askThrough(shell, inside) },
    publicResolvers: config.dns?.publicResolvers ?? [],
    siteResolvers: config.site.resolvers,
  };
}
