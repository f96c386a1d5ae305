import { Document, parseDocument } from "yaml";
import { atLeast } from "../metallb/versions.ts";

/** How the speakers speak BGP, as the chart calls it (charts/metallb/values.yaml, v0.16.1). */
export type FrrMode = "native" | "frr" | "frr-k8s";

/** Keys people write that MetalLB's chart does not have: it takes them in silence and makes nothing of them. */
const noSuchKeys = [
  "spec",
  "configInline",
  "existingConfigMap",
  "ipAddressPools",
  "addressPools",
  "address-pools",
  "l2Advertisements",
  "bgpAdvertisements",
  "bgpPeers",
  "peers",
];

export type HelmValues = Readonly<{
  text: string;
  /** Keys of the given values that the chart does not know. */
  unknownKeys: readonly string[];
  changed: readonly Readonly<{ key: string; from: string; to: string }>[];
}>;

/**
 * The values a person handed over with FRR switched off for the release in use: since 0.16 that takes two switches, and
 * the older one alone leaves a second DaemonSet. Only these are in the text: other values may hold secrets, and what is handed
 * over is shown and kept. `problem` where they are no YAML mapping.
 */
export function withoutFrr(given: string, version: string): HelmValues | Readonly<{ problem: string }> {
  const document = parseDocument(given.trim() === "" ? "{}" : given);
  const [error] = document.errors;
  if (error !== undefined) return { problem: error.message.split("\n")[0] ?? "not YAML" };
  const root: unknown = document.toJS();
  if (typeof root !== "object" || root === null || Array.isArray(root))
    return { problem: "not a mapping of values" };
  const switches: readonly (readonly string[])[] = [
    ["speaker", "frr", "enabled"],
    // The chart knows frrk8s since 0.14; it is on by default since 0.16.
    ...(atLeast(version, "0.14.0") ? [["frrk8s", "enabled"]] : []),
  ];
  const off = new Document({});
  const changed: { key: string; from: string; to: string }[] = [];
  for (const path of switches) {
    const before = document.getIn(path);
    const isDefault = path[0] === "frrk8s" && !atLeast(version, "0.16.0") && before === undefined;
    if (isDefault) continue;
    off.setIn(path, false);
    if (before === false) continue;
    changed.push({
      key: path.join("."),
      from: before === undefined ? "not set" : String(before),
      to: "false",
    });
  }
  return {
    text: String(off),
    unknownKeys: Object.keys(root).filter((key) => noSuchKeys.includes(key)),
    changed,
  };
}
