import fc from "fast-check";
import { policies } from "#shared/dns/policy.ts";
import { anyWanted, anyZone } from "../dns/any-zone.ts";
import type { Site } from "./scans.ts";

const releases = ["0.16.0", "0.17.0", "0.18.0", "0.19.0", "0.20.0", "0.21.0", "0.22.0"];

/** A zone as releases, people and other owners left it, with one ExternalDNS of any release and policy. */
export const anySite: fc.Arbitrary<Site> = fc.record({
  have: anyZone,
  want: anyWanted,
  release: fc.constantFrom(...releases),
  with: fc.record({ policy: fc.constantFrom(...policies) }),
});
