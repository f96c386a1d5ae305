import { changedTypes } from "#shared/drift/guards.ts";

/** A statement as IAM takes it. */
export type Statement = Readonly<{
  Sid: string;
  Effect: "Allow";
  Action: readonly string[];
  Resource: readonly string[];
  Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}>;

type Zone = Readonly<{ id: string; name: string }>;

/** IAM counts every character of a managed policy but white space; ten policies fit on one role (IAM quotas). */
const mostCharacters = 6_144;
const mostPolicies = 10;
/** The longest there is, so that a policy fits in every partition. */
const longestPartition = "aws-us-gov";

const hostedZone = (partition: string, { id }: Zone): string => `arn:${partition}:route53:::hostedzone/${id}`;

const policyOf = (statements: readonly Statement[]) => ({ Version: "2012-10-17", Statement: statements });

const size = (statements: readonly Statement[]): number => JSON.stringify(policyOf(statements)).length;

const readStatement = (partition: string, zones: readonly Zone[]): Statement => ({
  Sid: "ReadZones",
  Effect: "Allow",
  Action: ["route53:GetHostedZone", "route53:ListResourceRecordSets"],
  Resource: zones.map((zone) => hostedZone(partition, zone)),
});

/**
 * `ForAllValues` is also true where a key is absent, so the zones stand as resources beside it. Names end in the zone's
 * own name, apex included; a wildcard's asterisk comes as `\052`, which `*` takes like any other text.
 */
const writeStatement = (partition: string, zones: readonly Zone[]): Statement => ({
  Sid: "ChangeRecords",
  Effect: "Allow",
  Action: ["route53:ChangeResourceRecordSets"],
  Resource: zones.map((zone) => hostedZone(partition, zone)),
  Condition: {
    "ForAllValues:StringLike": {
      "route53:ChangeResourceRecordSetsNormalizedRecordNames": [
        ...new Set(zones.map(({ name }) => `*${name}`)),
      ],
    },
    "ForAllValues:StringEquals": {
      "route53:ChangeResourceRecordSetsRecordTypes": changedTypes,
      "route53:ChangeResourceRecordSetsActions": ["CREATE", "UPSERT", "DELETE"],
    },
  },
});

/** As many zones in one policy as fit. */
function pack(zones: readonly Zone[], statement: (partition: string, zones: readonly Zone[]) => Statement) {
  const groups: Zone[][] = [];
  for (const zone of zones) {
    const last = groups.at(-1);
    if (last !== undefined && size([statement(longestPartition, [...last, zone])]) <= mostCharacters)
      last.push(zone);
    else groups.push([zone]);
  }
  return groups;
}

/**
 * What the functions may do in the zones, in as few managed policies as IAM's limits leave. Throws where the writer's
 * role, which gets both kinds, would need more policies than a role can have.
 */
export function zoneRights(
  zones: readonly Zone[],
  partition: string,
): Readonly<{ read: readonly Statement[]; write: readonly Statement[] }> {
  const read = pack(zones, readStatement);
  const write = pack(zones, writeStatement);
  const policies = read.length + write.length;
  if (policies > mostPolicies)
    throw new Error(
      `${zones.length} zones need ${policies} managed policies on the role of apply-changes; IAM takes ${mostPolicies} of ${mostCharacters} characters. Deploy two stacks, each with a part of the zones.`,
    );
  return {
    read: read.map((group) => readStatement(partition, group)),
    write: write.map((group) => writeStatement(partition, group)),
  };
}
