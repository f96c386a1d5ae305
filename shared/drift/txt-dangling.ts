import { decodeName } from "../dns/fqdn.ts";
import type { OwnershipRecord } from "../dns/registry.ts";
import { txtKey } from "../dns/registry.ts";
import { text } from "../text.ts";
import { fitsAffix, meantUnderAnotherAffix } from "./another-affix.ts";
import type { Drift, Offer } from "./drift.ts";
import { by, defineDrift, placeOf, repairWith, shownTtl } from "./drift-at.ts";
import { deleteTxt } from "./offers.ts";
import { isProvablyOurs, otherClaimants } from "./ownership.ts";
import { type Look, type Scene, silentOf } from "./scene.ts";
import { isInUse } from "./txt-in-use.ts";

/** Ownership TXTs of ours whose creation Route 53 refuses because they stand: up to 0.18 the record is never made. */
const inTheWay = (look: Look): readonly OwnershipRecord[] =>
  look.forecast.refused.flatMap(({ change }) => {
    const txt =
      change.action === "CREATE" && change.set.type === "TXT"
        ? look.txts.get(txtKey(change.set.name, change.set.setIdentifier ?? ""))
        : undefined;
    return txt === undefined || !isProvablyOurs(look, txt) ? [] : [txt];
  });

/** Nothing in the zone, of any type or format, may be what it speaks for. */
function removal(look: Look, scene: Scene, txt: OwnershipRecord): Offer | undefined {
  const speaksFor = decodeName(txt.reading?.name ?? txt.set.name);
  if (!isProvablyOurs(look, txt) || !look.matches(speaksFor)) return undefined;
  if (otherClaimants(scene, txt.set, undefined).length > 0 || isInUse(scene, txt.set)) return undefined;
  return deleteTxt(txt.set);
}

/** Why nobody can say that its record is gone; `undefined` when it is. */
function doubt(look: Look, scene: Scene, txt: OwnershipRecord): string | undefined {
  const [meant] = meantUnderAnotherAffix(scene, txt.set);
  if (meant !== undefined)
    return `wrong name format or another affix: it may speak for ${meant.name} ${meant.type}`;
  return fitsAffix(look, txt.set)
    ? undefined
    : "wrong name format or another affix: it is no name that this ExternalDNS writes";
}

/** An ownership record of ours whose record is gone. */
export const txtDangling = defineDrift({
  id: "txt-dangling",
  title: "An ownership record stands without its record",
  detect: (scene) =>
    scene.looks.flatMap((look) => {
      const dangling = silentOf(look, "dangling-txt").flatMap(
        (row) => look.txts.get(txtKey(row.name, row.setIdentifier)) ?? [],
      );
      const blocking = new Set(inTheWay(look));
      return [...new Set([...dangling, ...blocking])].map((txt): Drift => {
        const unclear = doubt(look, scene, txt);
        return {
          kind: "txt-dangling",
          severity: blocking.has(txt) ? "error" : "warning",
          ...placeOf(scene, txt.set),
          ownership: unclear === undefined ? "orphan-txt" : "ambiguous",
          owner: look.registry.owner,
          want: [],
          have: shownTtl(txt.set),
          ...repairWith(
            unclear === undefined ? removal(look, scene, txt) : undefined,
            "delete it",
            "it may speak for another record of the zone, or for a name this ExternalDNS does not look at",
          ),
          because: blocking.has(txt)
            ? text`${unclear ?? "its record is gone"}; ${by(look)} creates both in one batch, and Route 53 refuses what exists`
            : text`${unclear ?? "its record is gone"}; ${by(look)} removes an ownership record only together with its record`,
        };
      });
    }),
});
