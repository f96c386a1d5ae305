import type { AwsChange } from "../dns/aws-change.ts";
import { chooseForUpdate, withoutConflictingCnames } from "../dns/conflict.ts";
import { type Endpoint, ownerLabel, property, resourceLabel, withLabels } from "../dns/endpoint.ts";
import { decodeName, isWithin } from "../dns/fqdn.ts";
import { isTooLong, meantTxts, whyNeverOwned, writtenTxts } from "../dns/ownership-written.ts";
import { isChanged } from "../dns/plan.ts";
import type { RecordSet } from "../dns/record-set.ts";
import { ownable, txtKey } from "../dns/registry.ts";
import { providerChanges } from "../dns/registry-write.ts";
import { mismatch } from "../dns/route53-judge.ts";
import type { Offer, PlannedChange } from "./drift.ts";
import { isOurs, isProvablyOurs, otherClaimants, ownershipTxts, txtNamesOf } from "./ownership.ts";
import { idKey } from "./record-key.ts";
import { sameSet } from "./same-set.ts";
import { candidatesFor, type Look, type Scene } from "./scene.ts";

/** Record and ownership TXTs as this release writes them, and as its DELETE will repeat them. */
export function writtenBy(look: Look, scene: Scene, endpoint: Endpoint): readonly AwsChange[] {
  const { controller } = look.view;
  return providerChanges(
    { create: [], update: [], delete: [endpoint], createsBlockedByOwner: [] },
    look.registry,
    {
      release: controller.release,
      preferCname: controller.preferCname,
      evaluateTargetHealth: controller.evaluateTargetHealth,
    },
    {
      txts: new Map(
        [...ownershipTxts(look, endpoint)].map((txt) => [
          txtKey(txt.set.name, txt.set.setIdentifier ?? ""),
          txt,
        ]),
      ),
      taken: new Set(),
    },
  ).filter(({ set }) => isWithin(set.name, scene.zone));
}

/** What the release's DELETE of a record would run into, by the record set it happens to. */
export function deleteProblems(
  look: Look,
  scene: Scene,
  endpoint: Endpoint,
): readonly Readonly<{ set: RecordSet; why: string; there: RecordSet | undefined }>[] {
  return writtenBy(look, scene, endpoint).flatMap((change) => {
    const there = scene.held(change.set);
    const why = there === undefined ? "it is not there" : mismatch(change, there, scene.zone);
    return why === undefined ? [] : [{ set: change.set, why, there }];
  });
}

/** The object that has, or gets, the name of an owned record. */
export function chosenFor(look: Look, endpoint: Endpoint): Endpoint | undefined {
  const row = candidatesFor(look, endpoint);
  const kept = withoutConflictingCnames(row);
  return kept.length === 0 ? undefined : chooseForUpdate(endpoint, kept);
}

/** Name, type, targets, properties and TTL are what ExternalDNS would write: owning it leaves nothing to change. */
export const isExactlyWanted = (wanted: Endpoint, current: Endpoint): boolean =>
  !isChanged(wanted, current, { migrateFromOwner: undefined }) &&
  (wanted.ttl > 0 || current.ttl === 300 || property(current, "alias") === "true");

/** The labels its ownership text should have: ours, and the object that wants it now. */
function properLabels(look: Look, endpoint: Endpoint): Endpoint {
  const resource = chosenFor(look, endpoint)?.labels[resourceLabel];
  return withLabels(endpoint, {
    [ownerLabel]: look.registry.owner,
    ...(resource !== undefined && resource !== "" && { [resourceLabel]: resource }),
  });
}

/**
 * Makes the ownership TXTs exactly what this release writes, so that its later DELETE matches. `undefined` when they are
 * so already or cannot be made so: a name taken by somebody's ordinary TXT or another owner, a text nobody can know
 * (encrypted), a name no zone holds, a name that speaks for another record which is not ours.
 */
export function ownershipChanges(
  look: Look,
  scene: Scene,
  endpoint: Endpoint,
): readonly PlannedChange[] | undefined {
  const { registry } = look;
  if (
    registry.owner === "" ||
    whyNeverOwned(ownable(endpoint), registry.flags, registry.rules, scene.zone).length > 0
  )
    return undefined;
  const out: PlannedChange[] = [];
  for (const change of writtenBy(look, scene, properLabels(look, endpoint))) {
    if (idKey(change.set) === idKey(endpoint)) continue;
    if (change.unpredictable) return undefined;
    const there = scene.held(change.set);
    if (there === undefined) {
      if (cannotStand(scene, change.set) || speaksForOthers(scene, change.set, endpoint)) return undefined;
      out.push({ action: "CREATE", set: change.set });
      continue;
    }
    const txt = look.txts.get(txtKey(there.name, there.setIdentifier ?? ""));
    if (txt === undefined || !isProvablyOurs(look, txt)) return undefined;
    if (!sameSet(there, change.set)) {
      if (there.routing.policy !== change.set.routing.policy) return undefined;
      if (isShared(scene, there, endpoint)) return undefined;
      out.push({ action: "UPSERT", before: there, set: change.set });
    }
  }
  return out.length === 0 ? undefined : out;
}

/** Exactly one object wants it: with two, the label of the one that is written would decide between them. */
export const hasOneClaimant = (look: Look, endpoint: Endpoint): boolean =>
  candidatesFor(look, endpoint).length === 1;

/** One TXT that cannot be stored is missed in every round, and everything of the record is written again. */
export const canRest = (look: Look, scene: Scene, endpoint: Endpoint): boolean =>
  meantTxts(ownable(endpoint), look.registry.flags, look.registry.rules).every(
    ({ name }) => !isTooLong(name) && isWithin(name, scene.zone),
  );

/**
 * Some release takes the text for another record's that stands: `a-web` is the typed one of `web` and the legacy one of a
 * host `a-web`. Where that record is not ours, writing the text would hand it over to ExternalDNS; where it is, and gets
 * the same TXT, the two would undo each other's for ever.
 */
const speaksForOthers = (scene: Scene, txt: RecordSet, endpoint: Endpoint): boolean =>
  isShared(scene, txt, endpoint) ||
  otherClaimants(scene, txt, endpoint).some(
    // The legacy format was never written for AAAA, and beside it any ordinary TXT may stand.
    (set) =>
      !(set.name === endpoint.name && (set.type === "AAAA" || set.type === "TXT")) &&
      owningLooks(scene, set).length === 0,
  );

const owningLooks = (scene: Scene, set: RecordSet): readonly Readonly<{ look: Look; record: Endpoint }>[] =>
  scene.looks.flatMap((look) => {
    const record = look.current(set);
    return record !== undefined && isOurs(look, record) ? [{ look, record }] : [];
  });

/** Another record of ours gets the same TXT. */
const isShared = (scene: Scene, txt: RecordSet, endpoint: Endpoint): boolean =>
  otherClaimants(scene, txt, endpoint).some((set) =>
    owningLooks(scene, set).some(({ look: { registry }, record }) =>
      writtenTxts(ownable(record), registry.flags, registry.rules).some(
        ({ name }) => decodeName(name) === txt.name,
      ),
    ),
  );

/** Beside a CNAME, or beside a record set of the same type with another routing policy. */
const cannotStand = ({ at }: Scene, { name, type, routing }: RecordSet): boolean =>
  at(name).some(
    (other) => other.type === "CNAME" || (other.type === type && other.routing.policy !== routing.policy),
  );

/** Ownership TXTs of ours, of any format, that speak for this record and for no other record that stays. */
export const ownTxts = (look: Look, scene: Scene, endpoint: Endpoint): readonly RecordSet[] =>
  [...txtNamesOf(look, endpoint)].flatMap((name) => {
    const txt = look.txts.get(txtKey(name, endpoint.setIdentifier));
    return txt !== undefined &&
      isProvablyOurs(look, txt) &&
      otherClaimants(scene, txt.set, endpoint).length === 0
      ? [txt.set]
      : [];
  });

/** Those of them that neither this release nor another of our controllers writes for the record. */
export function obsoleteTxts(look: Look, scene: Scene, endpoint: Endpoint): readonly RecordSet[] {
  const written = new Set(
    scene.looks
      .filter(({ registry }) => registry.owner === look.registry.owner)
      .flatMap(({ registry }) => writtenTxts(ownable(endpoint), registry.flags, registry.rules))
      .map(({ name }) => decodeName(name)),
  );
  return ownTxts(look, scene, endpoint).filter(({ name }) => !written.has(name));
}

export const deletion = (set: RecordSet): PlannedChange => ({ action: "DELETE", before: set, set });

/** Takes an owned record away with its ownership TXTs, in one batch. `undefined` for what is not provably ours. */
export function cleanUp(look: Look, scene: Scene, endpoint: Endpoint): Offer | undefined {
  const set = scene.held(endpoint);
  if (set === undefined || !isOurs(look, endpoint) || isApexCore(scene, set)) return undefined;
  return offered("clean-up", [deletion(set), ...ownTxts(look, scene, endpoint).map(deletion)], {
    look,
    scene,
    endpoint,
  });
}

export const deleteTxt = (set: RecordSet): Offer => ({
  kind: "clean-up",
  changes: [deletion(set)],
  given: [],
});

type About = Readonly<{ look: Look; scene: Scene; endpoint: Endpoint }>;

/** With what has to stand meanwhile: the record, and what proves whose it is. */
export function offered(
  kind: Offer["kind"],
  changes: readonly PlannedChange[],
  { look, scene, endpoint }: About,
): Offer {
  const touched = new Set(changes.map(({ set }) => idKey(set)));
  const record = scene.held(endpoint);
  const proof = ownershipTxts(look, endpoint).map(({ set }) => set);
  return {
    kind,
    changes,
    given: [...(record ? [record] : []), ...proof].filter((set) => !touched.has(idKey(set))),
  };
}

/** The zone's own NS and SOA: nobody touches them. */
export const isApexCore = (
  { zone }: Pick<Scene, "zone">,
  { name, type }: Pick<RecordSet, "name" | "type">,
): boolean => name === zone && (type === "NS" || type === "SOA");

/** Puts an owned record to what is wanted of it, its ownership TXTs with it. */
export function restore(look: Look, scene: Scene, current: Endpoint, to: Endpoint): Offer | undefined {
  const before = scene.held(current);
  if (before === undefined || !isOurs(look, current) || isApexCore(scene, before)) return undefined;
  const sent = writtenBy(look, scene, { ...to, name: current.name, labels: current.labels }).find(
    ({ set }) => idKey(set) === idKey(before),
  );
  if (
    sent === undefined ||
    sent.set.routing.policy !== before.routing.policy ||
    sent.set.unmodelled !== undefined
  )
    return undefined;
  if (sameSet(sent.set, before) || sent.set.answer.kind === "alias" || before.answer.kind === "alias")
    return undefined;
  return offered(
    "restore",
    [
      {
        action: "UPSERT",
        before,
        set: { ...sent.set, ...(before.unmodelled && { unmodelled: before.unmodelled }) },
      },
      ...(ownershipChanges(look, scene, current) ?? []),
    ],
    { look, scene, endpoint: current },
  );
}
