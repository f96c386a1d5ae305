import type { VantagePlace } from "../site/site.ts";

/** Where clients of a rehearsal are, as it says so. */
export const placeNames: Readonly<Record<VantagePlace, string>> = {
  "lan-wired": "on the LAN",
  "lan-wifi": "on Wi-Fi",
  "behind-router": "behind the router",
};
export const places = Object.keys(placeNames) as readonly VantagePlace[];

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
