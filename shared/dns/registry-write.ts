import type { AwsSettings } from "./aws-adjust.ts";
import { type AwsChange, type ChangeAction, requiresDeleteCreate, sentRecordSet } from "./aws-change.ts";
import { type Endpoint, ownerLabel, withLabels } from "./endpoint.ts";
import { decodeName } from "./fqdn.ts";
import { decryptText } from "./ownership-encryption.ts";
import { formatOwnershipText, nonceLabel, ownershipText } from "./ownership-text.ts";
import { writtenTxts } from "./ownership-written.ts";
import type { Changes, Update } from "./plan.ts";
import { type RecordSet, valuesOf } from "./record-set.ts";
import { type OwnershipRecord, ownable, type Registry, txtKey } from "./registry.ts";
import { atLeast } from "./release.ts";

/** An endpoint on its way to the provider, a record or an ownership TXT. */
type Sent = Readonly<{ endpoint: Endpoint; group: string; unpredictable: boolean }>;

export type TxtIndex = ReadonlyMap<string, Pick<OwnershipRecord, "set">>;

const asRecord = (endpoint: Endpoint): Sent => ({
  endpoint,
  group: decodeName(endpoint.name),
  unpredictable: false,
});

/**
 * The value of an ownership TXT. An encrypted one can be told only where the zone has it already: the nonce is kept, and
 * the same text under the same nonce gives the same value.
 */
function txtValue(
  endpoint: Endpoint,
  there: RecordSet | undefined,
  { flags, key }: Registry,
): string | undefined {
  if (flags.encryptEnabled !== true) return formatOwnershipText(endpoint.labels);
  const value = there && valuesOf(there)[0];
  const opened = value !== undefined && key ? decryptText(value, key) : undefined;
  return opened &&
    opened.nonce === endpoint.labels[nonceLabel] &&
    opened.text === ownershipText(endpoint.labels)
    ? value
    : undefined;
}

/** The ownership TXTs of a record, with its set identifier and properties (registry/txt generateTXTRecord). */
function ownershipOf(endpoint: Endpoint, registry: Registry, txts: TxtIndex): readonly Sent[] {
  if (registry.owner === "") return [];
  return writtenTxts(ownable(endpoint), registry.flags, registry.rules).map(({ name }): Sent => {
    const value = txtValue(endpoint, txts.get(txtKey(name, endpoint.setIdentifier))?.set, registry);
    return {
      endpoint: {
        name,
        type: "TXT",
        targets: [value ?? '""'],
        ttl: 0,
        setIdentifier: endpoint.setIdentifier,
        labels: {},
        providerSpecific: endpoint.providerSpecific,
      },
      group: decodeName(endpoint.name),
      unpredictable: value === undefined,
    };
  });
}

/**
 * Updates that make the provider panic: records and TXTs of old and new are paired by position, and before 0.19 one more
 * new TXT than old ones reads past the end (an alias whose `cname-…` is too long becomes an address whose `a-…` is not).
 */
export function unpairedUpdates({ update }: Changes, registry: Registry): readonly Update[] {
  if (registry.owner === "" || atLeast(registry.release, "0.19.0")) return [];
  const count = (endpoint: Endpoint): number =>
    writtenTxts(ownable(endpoint), registry.flags, registry.rules).length;
  const surplus = update.reduce((sum, { from, to }) => sum + count(to) - count(from), 0);
  return surplus > 0 ? update.filter(({ from, to }) => count(to) > count(from)) : [];
}

/**
 * The changes the AWS provider is handed for a plan: each record with its ownership TXTs, in the release's names and the
 * exact text. A TXT is not created where an ownership TXT of that name stands, whoever's it is (since 0.19).
 */
export function providerChanges(
  changes: Changes,
  registry: Registry,
  aws: AwsSettings,
  zone: Readonly<{ txts: TxtIndex; taken: Readonly<{ has: (key: string) => boolean }> }>,
): readonly AwsChange[] {
  const send =
    (action: ChangeAction) =>
    ({ endpoint, group, unpredictable }: Sent): AwsChange => ({
      action,
      set: sentRecordSet(endpoint, aws),
      group,
      unpredictable,
    });
  const withTxts = (endpoints: readonly Endpoint[]): readonly Sent[] => [
    ...endpoints.map(asRecord),
    ...endpoints.flatMap((endpoint) => ownershipOf(endpoint, registry, zone.txts)),
  ];
  const skipsTaken = atLeast(registry.release, "0.19.0");
  const created = changes.create.flatMap((endpoint): readonly Sent[] => {
    const owned = registry.owner === "" ? endpoint : withLabels(endpoint, { [ownerLabel]: registry.owner });
    const txts = ownershipOf(owned, registry, zone.txts).filter(
      ({ endpoint: { name, setIdentifier } }) => !skipsTaken || !zone.taken.has(txtKey(name, setIdentifier)),
    );
    return [asRecord(owned), ...txts];
  });
  const from = withTxts(changes.update.map((update) => update.from));
  const to = withTxts(changes.update.map((update) => update.to));
  const updated = to.flatMap((next, i): readonly AwsChange[] => {
    const before = from[i];
    // Paired by position upstream; what has no partner is left out.
    if (before === undefined) return [];
    return requiresDeleteCreate(before.endpoint, next.endpoint)
      ? [send("DELETE")(before), send("CREATE")(next)]
      : [send("UPSERT")(next)];
  });
  return [...created.map(send("CREATE")), ...withTxts(changes.delete).map(send("DELETE")), ...updated];
}
