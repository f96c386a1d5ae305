import type { Json } from "../json.ts";
import type { Precondition } from "./write.ts";

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json | undefined } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A merge patch that is refused with 409 unless the object is still the one that was looked at: the API server compares
 * `metadata.uid` and `metadata.resourceVersion` of a patched object with those it has.
 */
export function patchBody(patch: Json, is: Precondition): Json {
  if (!isObject(patch)) return patch;
  const metadata = isObject(patch.metadata) ? patch.metadata : {};
  return {
    ...patch,
    metadata: {
      ...metadata,
      uid: is.uid,
      ...(is.resourceVersion === undefined ? {} : { resourceVersion: is.resourceVersion }),
    },
  };
}
