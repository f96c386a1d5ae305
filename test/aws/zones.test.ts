import { CreateHostedZoneCommand, Route53Client } from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, describe, inject } from "vitest";
import { connectRoute53 } from "#shared/adapters/route53.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { type ZonesUnderTest, zonesContract } from "#test/contract/zones.ts";
import { credentials, type Moto, region, startMoto } from "./support/moto.ts";

const installed = inject("moto");

describe.skipIf("missing" in installed)("a third-party Route 53", () => {
  let moto: Moto;
  beforeAll(async () => {
    if ("server" in installed) moto = await startMoto(installed.server);
  });
  afterAll(() => moto?.stop());

  zonesContract(
    "moto over the AWS SDK",
    async (wanted): Promise<ZonesUnderTest> => {
      const client = new Route53Client({ region, endpoint: moto.url, credentials });
      const ids: string[] = [];
      for (const [i, { name, private: PrivateZone }] of wanted.entries()) {
        const { HostedZone } = await client.send(
          new CreateHostedZoneCommand({
            Name: name,
            CallerReference: `contract-${i}`,
            HostedZoneConfig: { PrivateZone, Comment: "contract" },
            ...(PrivateZone && { VPC: { VPCRegion: region, VPCId: "vpc-0contract" } }),
          }),
        );
        ids.push(HostedZone?.Id?.replace("/hostedzone/", "") ?? "");
      }
      client.destroy();
      const { read, change, close } = connectRoute53({
        region,
        endpoint: moto.url,
        credentials,
        clock: systemClock,
        callsPerSecond: 10_000,
        attempts: 2,
      });
      return { read, change, ids, close: async () => close() };
    },
    // docs/aws-peers.md says which of the two AWS's documentation agrees with.
    {
      spelling: "a DELETE has to repeat values in the order of the CREATE, and names in its case",
      "create-other": "only a CREATE that is equal to an earlier change counts as there already",
      "delete-words": "both refusals of a DELETE are one InvalidInput",
      "delete-twice": "each change is looked at against the zone before the batch",
      "cname-alone": "a CNAME is taken beside other data",
      "one-routing": "weighted and simple record sets are taken beside each other",
    },
  );
});
