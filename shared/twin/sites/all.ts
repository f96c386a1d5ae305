import type { SiteSpec } from "../site-spec.ts";
import { goldentooth } from "./goldentooth.ts";
import { goldentoothBgp, goldentoothBgp016 } from "./goldentooth-bgp.ts";
import { goldentoothL2 } from "./goldentooth-l2.ts";
import { healthy } from "./healthy.ts";

/** The sites the lab can boot, by name. */
export const sites: Readonly<Record<string, () => SiteSpec>> = {
  goldentooth,
  "goldentooth-bgp": goldentoothBgp,
  "goldentooth-bgp-0.16": goldentoothBgp016,
  "goldentooth-l2": goldentoothL2,
  healthy,
};
