import { clusterWishes, wishKinds } from "#shared/dns/cluster-wishes.ts";
import { controllerViews } from "#shared/dns/snapshot-views.ts";
import type { Json } from "#shared/json.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import { readOn } from "#shared/twin/read-on.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import type { LambdaName } from "../../bundle.ts";
import type { dnsConfigOf } from "../dns/config.ts";
import type { LabDns } from "../dns/start.ts";
import type { Deployment } from "./functions.ts";

/** Where an address of the model can be asked on this machine, `127.53.0.4#5353`. */
const standsAt = ({ servers }: LabDns, ip: string): string | undefined => {
  const server = servers.find((each) => each.ip === ip);
  return server && `${server.listens}#${server.port}`;
};

/** Name servers of the model's zones by name; those that stand nowhere are left out. */
function nameServersOf({ dns }: SiteSpec, lab: LabDns): Readonly<Record<string, string>> {
  const known = (dns?.zones ?? [])
    .flatMap(({ nameServers }) => nameServers)
    .map(({ name, ip }) => [name as string, standsAt(lab, ip)] as const);
  return Object.fromEntries(known.filter((each): each is readonly [string, string] => each[1] !== undefined));
}

const plain = ({
  prefix,
  suffix,
  wildcardReplacement,
}: Readonly<{ prefix?: string; suffix?: string; wildcardReplacement?: string }>) => ({
  ...(prefix && { prefix }),
  ...(suffix && { suffix }),
  ...(wildcardReplacement && { wildcardReplacement }),
});

/**
 * What whoever deploys the functions for this site would write into their settings: owners and the names of ownership
 * texts are those of the ExternalDNS that run when the first event comes.
 */
export async function labDeployments(
  site: Readonly<{
    cluster: string;
    spec: SiteSpec;
    store: ObjectStore;
    dnsConfig: NonNullable<ReturnType<typeof dnsConfigOf>>;
    dns: LabDns;
    approvers: readonly string[];
    slackChannel: string;
    slackTokenSecret: string;
    slackApiUrl: string;
    env: Readonly<Record<string, string>>;
  }>,
): Promise<Readonly<Record<LambdaName, Deployment>>> {
  const { cluster, spec, store, dnsConfig, env } = site;
  const lists = await readOn(store)([...wishKinds]);
  const controllers = controllerViews(clusterWishes(cluster, lists)).map(({ controller }) => controller);
  const owners = [...new Set(controllers.map(({ owner }) => owner).filter((owner) => owner !== ""))];
  const affixes = [...new Set(controllers.map(({ ownership }) => JSON.stringify(plain(ownership))))];
  // The lab's Route 53 counts no calls of other people.
  const common = { cluster, zones: dnsConfig.zones, callsPerSecond: 5 };
  const settings: Readonly<Record<LambdaName, Json>> = {
    "scan-drift": { ...common, slackChannel: site.slackChannel },
    "apply-changes": {
      ...common,
      approvers: [...site.approvers],
      owners: owners.length === 0 ? ["default"] : owners,
      ...(affixes.length > 0 && { affixes: affixes.map((each) => JSON.parse(each) as Json) }),
      nameServers: nameServersOf(spec, site.dns),
    },
  };
  return {
    "scan-drift": {
      env: { ...env, SLACK_TOKEN_SECRET: site.slackTokenSecret, SLACK_API_URL: site.slackApiUrl },
      settings: settings["scan-drift"],
    },
    "apply-changes": { env, settings: settings["apply-changes"] },
  };
}
