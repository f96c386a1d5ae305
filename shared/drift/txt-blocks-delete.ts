import { type Endpoint, property } from "../dns/endpoint.ts";
import { formatOwnershipText } from "../dns/ownership-text.ts";
import { writtenTxts } from "../dns/ownership-written.ts";
import { ownable, txtKey } from "../dns/registry.ts";
import { text } from "../text.ts";
import type { Drift } from "./drift.ts";
import { by, defineDrift, placeOf, repairWith, shownTtl } from "./drift-at.ts";
import { deleteProblems, offered, ownershipChanges } from "./offers.ts";
import { isOurs } from "./ownership.ts";
import { candidatesFor, type Look, refusalFor, type Scene } from "./scene.ts";

/** Most records pass here without anything being built: exact text, TTL 300, one value, no routing, no alias. */
function isPlainlyFine(look: Look, scene: Scene, endpoint: Endpoint): boolean {
  const { registry } = look;
  if (registry.flags.encryptEnabled === true || endpoint.setIdentifier !== "" || endpoint.ttl === 0)
    return false;
  if (property(endpoint, "alias") === "true" || property(endpoint, "aws/health-check-id") !== undefined)
    return false;
  const value = formatOwnershipText(endpoint.labels);
  return writtenTxts(ownable(endpoint), registry.flags, registry.rules, scene.zone).every(({ name }) => {
    const answer = look.txts.get(txtKey(name, ""))?.set.answer;
    return (
      answer?.kind === "values" &&
      answer.ttl === 300 &&
      answer.values.length === 1 &&
      answer.values[0] === value
    );
  });
}

/** What the next round rewrites, or takes away without trouble, is exact again. */
const isSettled = (look: Look, endpoint: Endpoint): boolean =>
  (look.updated.has(endpoint) && refusalFor(look, endpoint) === undefined) ||
  (candidatesFor(look, endpoint).length === 0 && look.view.controller.policy !== "sync");

function found(look: Look, scene: Scene, endpoint: Endpoint): readonly Drift[] {
  const { registry } = look;
  if (!isOurs(look, endpoint) || !registry.isManaged(endpoint.type) || !look.matches(endpoint.name))
    return [];
  if (isPlainlyFine(look, scene, endpoint) || isSettled(look, endpoint)) return [];
  const problems = deleteProblems(look, scene, endpoint).filter(({ there }) => there !== undefined);
  if (problems.length === 0) return [];
  const onlyTxts = problems.every(
    ({ set }) => look.txts.has(txtKey(set.name, set.setIdentifier ?? "")) && set.type === "TXT",
  );
  const changes = onlyTxts ? ownershipChanges(look, scene, endpoint) : undefined;
  return problems.map(({ set, there, why }) => ({
    kind: "txt-blocks-delete",
    severity: "warning",
    ...placeOf(scene, set),
    ownership: "ours",
    owner: registry.owner,
    want: shownTtl(set),
    have: there === undefined ? [] : shownTtl(there),
    ...repairWith(
      changes && offered("repair-ownership", changes, { look, scene, endpoint }),
      "write the ownership record exactly",
      "ExternalDNS rewrites it only when the record changes",
    ),
    because: text`${by(look)} deletes by repeating what it would write, and Route 53 deletes only an exact match: ${why}`,
  }));
}

/** ExternalDNS's later delete of an owned record will fail: text, TTL or routing are not what it repeats. */
export const txtBlocksDelete = defineDrift({
  id: "txt-blocks-delete",
  title: "ExternalDNS's delete of an owned record will be refused",
  detect: (scene) =>
    scene.looks.flatMap((look) =>
      look.registry.owner === ""
        ? []
        : look.forecast.read.endpoints.flatMap((endpoint) => found(look, scene, endpoint)),
    ),
});
