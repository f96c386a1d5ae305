import { labelsOf } from "../dns/fqdn.ts";
import { claimants } from "../dns/ownership-written.ts";
import type { RecordSet } from "../dns/record-set.ts";
import { type OwnershipRecord, txtKey } from "../dns/registry.ts";
import type { Look, Scene } from "./scene.ts";

const ownable = new Set(["A", "AAAA", "CNAME", "NS", "MX", "PTR", "SRV", "NAPTR", "TXT", "DNAME"]);

/** `plain`: its type stands in front of its label after a prefix. The others are also ordinary names: `a-web-2`, `api-web`. */
type Shape = "plain" | "thin";

type Part = Readonly<{ name: string; before: string; after: string; affix: "prefix" | "suffix" }>;

/** Every name that can stand in a TXT name with something before its first label, or after it. */
export function partsOf(txtName: string): readonly Part[] {
  const labels = txtName.split(".");
  const out: Part[] = [];
  for (let at = 1; at < labels.length; at++) {
    const rest = labels.slice(at).join(".");
    const last = labels[at - 1] ?? "";
    const ahead = labels.slice(0, at - 1).join(".");
    for (let from = 0; from < last.length; from++) {
      const before = `${ahead === "" ? "" : `${ahead}.`}${last.slice(0, from)}`;
      out.push({ name: `${last.slice(from)}.${rest}`, before, after: "", affix: "prefix" });
    }
    const first = labels[0] ?? "";
    const between = labels.slice(1, at).join(".");
    const dash = first.indexOf("-") + 1;
    for (const start of new Set([0, dash]))
      for (let end = start + 1; end <= first.length; end++) {
        const after = `${first.slice(end)}${between === "" ? "" : `.${between}`}`;
        const before = first.slice(0, start);
        if (after !== "")
          out.push({ name: `${first.slice(start, end)}.${rest}`, before, after, affix: "suffix" });
      }
  }
  return out;
}

const hasToken = (affix: string, type: string): boolean => affix.split(/[^a-z0-9]/).includes(type);

function shapeOf({ before, after, affix }: Part, type: string): Shape | undefined {
  const t = type.toLowerCase();
  if (affix === "prefix") {
    if (before.endsWith(`${t}-`) || hasToken(before, t)) return "plain";
    // The legacy format says no type, and there is none for AAAA.
    const saysType = before.endsWith("-") && ownable.has(before.slice(0, -1).toUpperCase());
    return type !== "AAAA" && /[-._]$/.test(before) && !saysType ? "thin" : undefined;
  }
  if (before === `${t}-` || hasToken(after, t)) return "thin";
  return type !== "AAAA" && before === "" && /^[-._]/.test(after) ? "thin" : undefined;
}

/** Record sets that a release reads by an ownership TXT which stands: nothing else has to be meant for them. */
const isSpokenFor = ({ looks }: Scene, set: RecordSet): boolean =>
  looks.some((look) => {
    const owner = look.current(set)?.labels.owner;
    return owner !== undefined && owner !== "";
  });

const isOwnershipTxt = ({ looks }: Scene, set: RecordSet): boolean =>
  set.type === "TXT" && looks.some(({ txts }) => txts.has(txtKey(set.name, set.setIdentifier ?? "")));

/**
 * Records of the zone for which an ownership TXT of this name may stand under an affix that none of the controllers has:
 * with none, or with any prefix or suffix around type and label. Another cluster may write so with the same owner id, and
 * so did this one before `--txt-prefix` was changed.
 */
export function meantUnderAnotherAffix(scene: Scene, txt: RecordSet): readonly RecordSet[] {
  const out = new Set<RecordSet>();
  const setIdentifier = txt.setIdentifier ?? "";
  const consider = (name: string, shape: (type: string) => Shape | undefined): void => {
    for (const set of scene.at(name)) {
      if (set === txt || (set.setIdentifier ?? "") !== setIdentifier || !ownable.has(set.type)) continue;
      if (name === scene.zone && set.type === "NS") continue;
      const kinds = [shape(set.type), ...(set.answer.kind === "alias" ? [shape("CNAME")] : [])];
      if (isOwnershipTxt(scene, set)) continue;
      if (kinds.includes("plain") || (kinds.includes("thin") && !isSpokenFor(scene, set))) out.add(set);
    }
  };
  for (const { name, type } of claimants(txt.name, {}))
    consider(name, (of) =>
      type === null ? (of === "AAAA" ? undefined : "thin") : of === type ? "plain" : undefined,
    );
  const zoneLabels = labelsOf(scene.zone).length;
  for (const part of partsOf(txt.name)) {
    const depth = part.name.split(".").length;
    // Every name of a zone ends in the name of its apex: that says nothing.
    if (depth <= zoneLabels) continue;
    consider(part.name, (type) => shapeOf(part, type));
  }
  return [...out];
}

/** Whether the name is one that this controller could write for something. */
export const fitsAffix = ({ registry }: Look, txt: RecordSet): boolean =>
  claimants(txt.name, registry.flags).length > 0;

const known = new WeakMap<Scene, ReadonlyMap<RecordSet, OwnershipRecord>>();

/** An ownership TXT that may be the record's under another affix, whoever its owner is. */
export function txtUnderAnotherAffix(scene: Scene, set: RecordSet): OwnershipRecord | undefined {
  let found = known.get(scene);
  if (found === undefined) {
    const all = new Map<RecordSet, OwnershipRecord>();
    const txts = new Set(scene.looks.flatMap((look) => [...look.txts.values()]));
    const seen = new Set<RecordSet>();
    for (const txt of txts) {
      if (seen.has(txt.set)) continue;
      seen.add(txt.set);
      const ours = new Set(
        scene.looks.flatMap(({ registry }) =>
          claimants(txt.set.name, registry.flags).map(({ name }) => name),
        ),
      );
      for (const record of meantUnderAnotherAffix(scene, txt.set))
        if (!ours.has(record.name) && !isSpokenFor(scene, record)) all.set(record, txt);
    }
    found = all;
    known.set(scene, found);
  }
  return found.get(set);
}
