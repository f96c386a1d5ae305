import { type Endpoint, ownerOf } from "../dns/endpoint.ts";
import { decodeName } from "../dns/fqdn.ts";
import { mayBeEncrypted } from "../dns/ownership-encryption.ts";
import { legacyTxtName, typedTxtName } from "../dns/ownership-name.ts";
import { claimants, matchName, matchTypeOf, matchTypesFor, writtenTxts } from "../dns/ownership-written.ts";
import { type RecordSet, valuesOf } from "../dns/record-set.ts";
import { type OwnershipRecord, ownable, txtKey } from "../dns/registry.ts";
import { txtUnderAnotherAffix } from "./another-affix.ts";
import type { Ownership } from "./drift.ts";
import { idKey } from "./record-key.ts";
import type { Look, Scene } from "./scene.ts";

/** Every name under which some release keeps, or kept, the ownership of a record. */
export function txtNamesOf(look: Look, endpoint: Endpoint): ReadonlySet<string> {
  const { flags, rules } = look.registry;
  const record = ownable(endpoint);
  const names = writtenTxts(record, flags, rules).map(({ name }) => name);
  names.push(legacyTxtName(endpoint.name, flags), typedTxtName(endpoint.name, endpoint.type, flags));
  if (record.alias === true) names.push(typedTxtName(endpoint.name, "CNAME", flags));
  return new Set(names.map(decodeName));
}

/** The ownership TXTs that this release takes for the record's, in the order of the names it tries. */
export function ownershipTxts(look: Look, endpoint: Endpoint): readonly OwnershipRecord[] {
  const { flags, rules } = look.registry;
  const name = matchName(endpoint.name, flags);
  const types = matchTypesFor(ownable(endpoint), rules);
  return [...txtNamesOf(look, endpoint)].flatMap((txtName) => {
    const found = look.txts.get(txtKey(txtName, endpoint.setIdentifier));
    return found?.reading?.name === name && types.includes(matchTypeOf(found.reading, rules)) ? [found] : [];
  });
}

/**
 * Written in the zone by the owner id of this controller. `--migrate-from-txt-owner` makes a release take another's
 * records for its own in memory: that is no proof.
 */
export const isProvablyOurs = (look: Look, txt: OwnershipRecord): boolean =>
  look.registry.owner !== "" && txt.labels.owner === look.registry.owner;

/** The record is ours, and every ownership TXT that says something about it says so. */
export function isOurs(look: Look, endpoint: Endpoint): boolean {
  const { owner, migrateFromOwner } = look.registry;
  if (owner === "" || ownerOf(endpoint) !== owner) return false;
  if (migrateFromOwner === undefined) return true;
  const txts = ownershipTxts(look, endpoint);
  return txts.length > 0 && txts.every((txt) => isProvablyOurs(look, txt));
}

/** An ordinary TXT that looks like an encrypted ownership text, where the record's would be. */
export function sealedTxt(look: Look, scene: Scene, endpoint: Endpoint): RecordSet | undefined {
  for (const name of txtNamesOf(look, endpoint)) {
    const set = scene.held({ name, type: "TXT", setIdentifier: endpoint.setIdentifier });
    if (set && !look.txts.has(txtKey(name, endpoint.setIdentifier)) && mayBeEncrypted(valuesOf(set)))
      return set;
  }
  return undefined;
}

/** An ownership TXT of somebody else that another release may read as the record's, though this one does not. */
const strangerTxt = (look: Look, endpoint: Endpoint): OwnershipRecord | undefined => {
  for (const name of txtNamesOf(look, endpoint)) {
    const txt = look.txts.get(txtKey(name, endpoint.setIdentifier));
    if (txt !== undefined && !isProvablyOurs(look, txt)) return txt;
  }
  return undefined;
};

export type Whose = Readonly<{ ownership: Ownership; owner?: string }>;

export function whose(look: Look, scene: Scene, endpoint: Endpoint): Whose {
  const owner = ownerOf(endpoint);
  if (owner === undefined || owner === "") {
    const stranger = strangerTxt(look, endpoint);
    if (stranger !== undefined) return { ownership: "ambiguous", owner: stranger.labels.owner ?? "" };
    const set = scene.held(endpoint);
    const elsewhere = set && txtUnderAnotherAffix(scene, set);
    if (elsewhere !== undefined) return { ownership: "ambiguous", owner: elsewhere.labels.owner ?? "" };
    return { ownership: sealedTxt(look, scene, endpoint) === undefined ? "unowned" : "unreadable" };
  }
  if (owner === look.registry.owner && !isOurs(look, endpoint)) {
    const [txt] = ownershipTxts(look, endpoint);
    return { ownership: "foreign", owner: txt?.labels.owner ?? owner };
  }
  return { ownership: scene.owners.has(owner) ? "ours" : "foreign", owner };
}

/**
 * Other records of the zone that an ownership TXT of this name may speak for, under any release's format and any of the
 * controllers' affixes. As long as there is one, nobody can prove that the TXT is idle.
 */
export function otherClaimants(
  scene: Scene,
  txt: RecordSet,
  than: Pick<Endpoint, "name" | "type" | "setIdentifier"> | undefined,
): readonly RecordSet[] {
  const out = new Set<RecordSet>();
  for (const { registry } of scene.looks)
    for (const claim of claimants(txt.name, registry.flags))
      for (const set of scene.at(claim.name)) {
        if (set === txt || (set.setIdentifier ?? "") !== (txt.setIdentifier ?? "")) continue;
        if (than !== undefined && set.name === than.name && set.type === than.type) continue;
        if (than !== undefined && scene.leaving.has(idKey(than)) && scene.leaving.has(idKey(set))) continue;
        const aliasName = set.answer.kind === "alias" && claim.type === "CNAME";
        if (claim.type === null ? !isOwnershipTxt(scene, set) : claim.type === set.type || aliasName)
          out.add(set);
      }
  return [...out];
}

const isOwnershipTxt = ({ looks }: Scene, set: RecordSet): boolean =>
  set.type === "TXT" && looks.some(({ txts }) => txts.has(txtKey(set.name, set.setIdentifier ?? "")));
