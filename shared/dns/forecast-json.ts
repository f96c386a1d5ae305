import type { Json } from "../json.ts";
import type { AwsChange } from "./aws-change.ts";
import type { Forecast } from "./forecast.ts";
import { valuesOf } from "./record-set.ts";

/** Names without trailing dot and with `*`; a value nobody can know (an encrypted text to come) is left out. */
export function changeJson({ action, set, unpredictable }: AwsChange): { readonly [key: string]: Json } {
  return {
    action,
    name: set.name,
    type: set.type,
    ...(set.setIdentifier !== undefined && { setIdentifier: set.setIdentifier }),
    ...(set.answer.kind === "alias"
      ? { aliasTarget: set.answer.target.name }
      : { ...(!unpredictable && { values: [...valuesOf(set)] }), ttl: set.answer.ttl }),
  };
}

/** What `arpeggio dns forecast --json` prints, and nothing else. */
export const forecastJson = (
  { changes, accepted, refused, silent }: Forecast,
  unknown: readonly string[],
): { readonly [key: string]: Json } => ({
  changes: changes.map(changeJson),
  accepted,
  refused: refused.map(({ change, why }) => ({ name: change.set.name, type: change.set.type, why })),
  silent: silent.map(({ name, type, why }) => ({ name, type, why })),
  unknown: [...unknown],
});
