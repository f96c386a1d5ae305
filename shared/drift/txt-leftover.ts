import type { Endpoint } from "../dns/endpoint.ts";
import { decodeName } from "../dns/fqdn.ts";
import { writtenTxts } from "../dns/ownership-written.ts";
import { type OwnershipRecord, ownable, txtKey } from "../dns/registry.ts";
import { text } from "../text.ts";
import type { Drift, Offer } from "./drift.ts";
import { by, defineDrift, placeOf, repairWith, shownTtl } from "./drift-at.ts";
import { deleteTxt } from "./offers.ts";
import { isOurs, isProvablyOurs, otherClaimants, ownershipTxts } from "./ownership.ts";
import { type Look, type Scene, silentOf } from "./scene.ts";

/** The record of ours that this release reads by the TXT. */
function recordOf(look: Look, scene: Scene, { set, reading }: OwnershipRecord): Endpoint | undefined {
  const name = reading === undefined ? undefined : decodeName(reading.name);
  const candidates = (name === undefined ? [] : scene.at(name)).flatMap((each) => look.current(each) ?? []);
  const matched = candidates.filter((each) => ownershipTxts(look, each).some((txt) => txt.set === set));
  return matched.length === 1 ? matched[0] : undefined;
}

/** The new one has to stand first, and no other release among the controllers may still live by the old one. */
function removal(look: Look, scene: Scene, txt: OwnershipRecord): Offer | undefined {
  const record = recordOf(look, scene, txt);
  if (record === undefined || !isProvablyOurs(look, txt) || !isOurs(look, record)) return undefined;
  const { flags, rules } = look.registry;
  const written = writtenTxts(ownable(record), flags, rules, scene.zone);
  const stand = written.every(({ name }) => {
    const there = look.txts.get(txtKey(name, record.setIdentifier));
    return there !== undefined && isProvablyOurs(look, there) && ownershipTxts(look, record).includes(there);
  });
  if (written.length === 0 || !stand || otherClaimants(scene, txt.set, record).length > 0) return undefined;
  const livesByIt = scene.looks.some(
    ({ registry }) =>
      registry !== look.registry &&
      registry.owner === look.registry.owner &&
      writtenTxts(ownable(record), registry.flags, registry.rules).some(
        ({ name }) => decodeName(name) === txt.set.name,
      ),
  );
  return livesByIt ? undefined : deleteTxt(txt.set);
}

/** Legacy and `cname-` ownership records beside the ones this release writes: it never removes them. */
export const txtLeftover = defineDrift({
  id: "txt-leftover",
  title: "An ownership record of an older format is left over",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      silentOf(look, "leftover-txt").flatMap((row): readonly Drift[] => {
        const txt = look.txts.get(txtKey(row.name, row.setIdentifier));
        if (txt === undefined) return [];
        return [
          {
            kind: "txt-leftover",
            severity: "warning",
            ...placeOf(scene, txt.set),
            ownership: "wrong-name-format",
            owner: look.registry.owner,
            want: [],
            have: shownTtl(txt.set),
            ...repairWith(
              removal(look, scene, txt),
              "delete it",
              "the ownership record of this release has to stand first, and no other record may live by this one",
            ),
            because: text`${row.why}; ${by(look)}`,
          },
        ];
      }),
    ),
});
