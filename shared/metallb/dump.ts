import type { KubeObject } from "../kubernetes/read.ts";
import type { MetalLbObjects } from "./resources.ts";
import { parseMetalLbObjects } from "./resources.ts";

/** Reads the text of `kubectl get ... -A -o json`: a List, a single object, or an array of either. */
export function readDump(
  text: string,
): Readonly<{ ok: true; objects: MetalLbObjects }> | Readonly<{ ok: false; problems: readonly string[] }> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [`not JSON (${detail}); expected the output of kubectl get -o json`] };
  }
  const items = Array.isArray(parsed)
    ? parsed
    : typeof parsed === "object" &&
        parsed !== null &&
        "items" in parsed &&
        Array.isArray(parsed.items) &&
        !("kind" in parsed && parsed.kind !== "List")
      ? parsed.items
      : [parsed];
  const { objects, problems } = parseMetalLbObjects(items as readonly KubeObject[]);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, objects };
}
