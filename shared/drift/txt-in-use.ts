import { decodeName } from "../dns/fqdn.ts";
import { writtenTxts } from "../dns/ownership-written.ts";
import type { RecordSet } from "../dns/record-set.ts";
import { ownable, txtKey } from "../dns/registry.ts";
import { ownershipTxts } from "./ownership.ts";
import type { Scene } from "./scene.ts";

/** Whether any of the controllers reads a record of the zone by this TXT, or writes it for one. */
export const isInUse = (scene: Scene, txt: RecordSet): boolean =>
  scene.looks.some((look) => {
    const found = look.txts.get(txtKey(txt.name, txt.setIdentifier ?? ""));
    const name = found?.reading?.name;
    const records = name === undefined ? [] : scene.at(decodeName(name));
    return records.some((set) => {
      const endpoint = look.current(set);
      return (
        endpoint !== undefined &&
        (ownershipTxts(look, endpoint).some((each) => each.set === txt) ||
          writtenTxts(ownable(endpoint), look.registry.flags, look.registry.rules).some(
            (each) =>
              decodeName(each.name) === txt.name && endpoint.setIdentifier === (txt.setIdentifier ?? ""),
          ))
      );
    });
  });
