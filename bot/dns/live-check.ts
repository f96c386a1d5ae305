import { type DriftLook, lookForDrift } from "#shared/drift/look.ts";
import type { Reply } from "#shared/reply.ts";
import { text } from "#shared/text.ts";
import type { Context } from "../commands/command.ts";
import { noSuchZone, noZones, type ZoneOrName, zonesFor } from "./dns-words.ts";
import { atName, zonesReply } from "./zone-messages.ts";

/** Looks at the zones that are meant, or says why it cannot. Says so while it looks. */
export async function lookFor(
  context: Context<unknown>,
  wanted: ZoneOrName | undefined,
): Promise<DriftLook | Reply> {
  const { cluster, deps, signal, show } = context;
  if (cluster === undefined) throw new Error("looking at zones needs a cluster");
  const { name, dns } = cluster.config;
  if (dns === undefined || cluster.zones === undefined) return noZones(cluster.config);
  const chosen = zonesFor(dns, wanted);
  if (wanted !== undefined && chosen.length === 0) return noSuchZone(name, dns, wanted);
  show({
    verdict: {
      word: "COMPARING",
      outcome: "running",
      text: text`${chosen.map((zone) => zone.name).join(", ")} with what ${name} wants`,
    },
    cluster: name,
    findings: [],
    blocks: [],
    actions: [],
  });
  return lookForDrift(
    {
      read: cluster.read,
      zones: cluster.zones,
      clock: deps.clock,
      ...(deps.ledger !== undefined && { ledger: deps.ledger }),
    },
    { cluster: name, dns, only: ({ id }) => chosen.some((zone) => zone.id === id) },
    signal,
  );
}

/** `/dns check [NAME]` on the cluster and its zones as they are. */
export async function checkLive(context: Context<unknown>, wanted: ZoneOrName | undefined): Promise<Reply> {
  const look = await lookFor(context, wanted);
  if ("verdict" in look) return look;
  const name = wanted !== undefined && "name" in wanted ? wanted.name : undefined;
  const isZone = look.zones.some(({ report }) => report.zone.name === name);
  const limit = isZone ? undefined : name;
  return zonesReply(
    context.cluster?.config.name ?? "",
    look.zones.map((each) => ({
      look: each,
      shown: atName(each.report.drifts, limit),
      resolved: [],
      snooze: undefined,
    })),
    limit,
  );
}
