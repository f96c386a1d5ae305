import type { SiteSpec } from "../site-spec.ts";
import { goldentooth } from "./goldentooth.ts";
import { goldentoothL2 } from "./goldentooth-l2.ts";
import { healthy } from "./healthy.ts";

/** The sites the lab can boot, by name. */
export const sites: Readonly<Record<string, () => SiteSpec>> = {
  goldentooth,
  "goldentooth-l2": goldentoothL2,
  healthy,
};
