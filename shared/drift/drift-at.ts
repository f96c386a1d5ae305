import { type Endpoint, resourceLabel } from "../dns/endpoint.ts";
import { decodeName, type Fqdn } from "../dns/fqdn.ts";
import { type RecordSet, valuesOf } from "../dns/record-set.ts";
import type { Silent } from "../dns/silent.ts";
import type { Text } from "../text.ts";
import { text } from "../text.ts";
import type { Drift, DriftKind, Offer } from "./drift.ts";
import type { Look, Scene } from "./scene.ts";

export const defineDrift = (kind: DriftKind<Scene>): DriftKind<Scene> => kind;

type At = Readonly<{ name: string; type: string; setIdentifier?: string | undefined }>;

/** The place of a drift; names come out as they are stored. */
export const placeOf = (
  { zoneId }: Scene,
  { name, type, setIdentifier }: At,
): Pick<Drift, "zoneId" | "name" | "type" | "setIdentifier"> => ({
  zoneId,
  name: decodeName(name) as Fqdn,
  type,
  ...(setIdentifier !== undefined && setIdentifier !== "" && { setIdentifier }),
});

export const placeOfRow = (scene: Scene, { name, type, setIdentifier }: Silent) =>
  placeOf(scene, { name, type, setIdentifier });

export const shown = (set: RecordSet): readonly string[] =>
  set.answer.kind === "alias" ? [`alias ${set.answer.target.name}`] : valuesOf(set);

export const shownTtl = (set: RecordSet): readonly string[] => [
  ...shown(set),
  ...(set.answer.kind === "values" ? [`TTL ${set.answer.ttl} s`] : []),
];

export const objectOf = (endpoint: Endpoint): string => endpoint.labels[resourceLabel] ?? "an object";

const span = (seconds: number): string =>
  seconds % 60 === 0 && seconds > 0 ? `${seconds / 60} min` : `${seconds} s`;

/** "ExternalDNS will create it, in 1 min": only for what its own round does. */
export const externalDnsWill = ({ view }: Look, what: string): Text =>
  text`ExternalDNS will ${what}, in ${span(view.intervalSeconds)}`;

export const weWill = (what: string): Text => text`we will ${what}, after approval`;

export const nobodyWill = (why: string): Text => text`nobody will: ${why}`;

/** What a drift with an offer, or without, says about who puts it right. */
export const repairWith = (
  offer: Offer | undefined,
  what: string,
  why: string,
): Pick<Drift, "repair" | "outlook" | "offer"> =>
  offer === undefined
    ? { repair: "nobody", outlook: nobodyWill(why) }
    : { repair: "we", outlook: weWill(what), offer };

/** Route 53 refuses, or ExternalDNS does it. */
export const sentRound = (
  look: Look,
  refusal: string | undefined,
  what: string,
): Pick<Drift, "repair" | "outlook"> =>
  refusal === undefined
    ? { repair: "external-dns", outlook: externalDnsWill(look, what) }
    : {
        repair: "nobody",
        outlook: nobodyWill(`ExternalDNS tries in every round and Route 53 refuses it: ${refusal}`),
      };

export const by = ({ view }: Look): string =>
  `ExternalDNS ${view.controller.release.text} (${view.name}, policy ${view.controller.policy})`;
