import { resolve4 } from "node:dns/promises";
import type { HostedZone } from "../dns/zones.ts";
import type { NameServer } from "../drift/verify-applied.ts";
import { FaultError } from "../fault.ts";

/**
 * Addresses of a zone's delegation set, one of each server, over IPv4: functions have no IPv6. `known` are addresses of
 * name servers that the machine's resolver does not know.
 */
export const resolveNameServers =
  (known: Readonly<Record<string, string>>) =>
  async (zone: HostedZone): Promise<readonly NameServer[]> =>
    Promise.all(
      (zone.nameServers ?? []).map(async (name): Promise<NameServer> => {
        const given = known[name];
        if (given !== undefined) return { name, address: given };
        try {
          const [address] = await resolve4(name);
          if (address !== undefined) return { name, address };
        } catch (error) {
          const detail = error instanceof Error ? error.message : String(error);
          throw new FaultError({ kind: "unreachable", what: `address of ${name}`, detail });
        }
        throw new FaultError({ kind: "unreachable", what: `address of ${name}`, detail: "it has none" });
      }),
    );
