import { ownerOf } from "../dns/endpoint.ts";
import { registryOf } from "../dns/forecast.ts";
import { decodeName, type Fqdn, isWithin } from "../dns/fqdn.ts";
import type { RecordSet } from "../dns/record-set.ts";
import { readRegistry } from "../dns/registry.ts";
import type { Finding } from "../finding.ts";
import { finding } from "../migration/define-step.ts";
import { code, text } from "../text.ts";
import type { AskedName } from "./asking.ts";
import { type DnsView, recordsIn, wishesOf } from "./dns-view.ts";
import { isNew } from "./move.ts";
import { looksAt } from "./publishers.ts";

/** A name of the new domain that has to stand, as the cluster wants it. */
export type NewName = AskedName & Readonly<{ publisher: string }>;

/** Every record that the new domain has to have, with what its zone says of it. */
export async function newNames(view: DnsView): Promise<readonly NewName[]> {
  const sets = await recordsIn(view, view.newZone);
  const found = new Map<string, NewName>();
  const owners = new Set(view.movers.flatMap(({ read }) => read?.controller.owner ?? []));
  for (const mover of view.movers) {
    const { read } = mover;
    if (read === undefined) continue;
    const { endpoints, ownership } = readRegistry(sets, registryOf(read.controller));
    for (const endpoint of wishesOf(mover, view.lists).endpoints) {
      const name = decodeName(endpoint.name) as Fqdn;
      if (!isNew(name, view.move) || !looksAt(mover, name)) continue;
      const there = endpoints.find((each) => decodeName(each.name) === name && each.type === endpoint.type);
      const text = ownership.find(({ reading }) => reading?.name === name) ?? ownership[0];
      found.set(`${name} ${endpoint.type}`, {
        name,
        type: endpoint.type,
        wanted: endpoint.targets,
        owner: there === undefined ? undefined : ownerOf(there),
        ours: [...owners],
        txt: text !== undefined && isWithin(text.set.name, view.move.to) ? text.set.name : undefined,
        publisher: mover.name,
      });
    }
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export type InZone = Readonly<{ findings: readonly Finding[]; missing: readonly NewName[] }>;

const valuesAt = (
  sets: readonly RecordSet[],
  { name, type }: NewName,
): readonly string[] | "alias" | undefined => {
  const set = sets.find((each) => each.name === name && each.type === type);
  if (set === undefined) return undefined;
  return set.answer.kind === "alias"
    ? "alias"
    : set.answer.values.map((value) => value.replace(/\.$/, "").toLowerCase());
};

/** Whether record and ownership are right in the zone, name by name. */
export async function judgeInZone(view: DnsView, names: readonly NewName[]): Promise<InZone> {
  const sets = await recordsIn(view, view.newZone);
  const findings: Finding[] = [];
  const missing: NewName[] = [];
  for (const each of names) {
    const { name, type, wanted, owner, ours } = each;
    const subject = { kind: "name", name } as const;
    const values = valuesAt(sets, each);
    if (values === undefined) {
      missing.push(each);
      continue;
    }
    const targets = wanted.map((target) => target.toLowerCase());
    if (values !== "alias" && [...values].sort().join() !== [...targets].sort().join())
      findings.push(
        finding(
          "record-wrong-target",
          "error",
          subject,
          text`${name} ${type} holds ${values.join(", ")}, and the cluster wants ${targets.join(", ")}`,
        ),
      );
    const isOurs = ours.some((mine) => mine === "" || owner === mine);
    if (!isOurs)
      findings.push(
        finding(
          owner === undefined ? "ownership-missing" : "ownership-foreign",
          "error",
          subject,
          owner === undefined
            ? text`${name} ${type} stands, and no ownership text makes it ours: ExternalDNS will never change or delete it`
            : text`${name} ${type} is owned by ${code(owner)}, not by ${ours.join(", ")}: ExternalDNS will never change or delete it`,
          { remedy: text`Who wrote what: ${code(`/dns explain ${name}`)}` },
        ),
      );
  }
  return { findings, missing };
}
