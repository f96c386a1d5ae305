import type { Json } from "../json.ts";
import type { AddressPrediction, Prediction } from "../metallb/prediction.ts";
import type { Block } from "../reply.ts";

/** Announcer of each address as predicted, what goes into the digest and is compared afterwards. */
export const leadersJson = (prediction: Prediction): Json =>
  Object.fromEntries(
    prediction.addresses
      .map(({ ip, service, order, interfaces }) => {
        const leader = order[0];
        const nics = leader === undefined ? undefined : interfaces[leader];
        return [
          `${ip} ${service}`,
          {
            announcer: leader ?? null,
            next: order[1] ?? null,
            nics: nics === undefined ? null : nics === "all" ? "all" : [...nics],
          },
        ] as const;
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const nicsText = ({ order, interfaces }: AddressPrediction): string => {
  const leader = order[0];
  const nics = leader === undefined ? undefined : interfaces[leader];
  return nics === undefined ? "" : nics === "all" ? "all" : nics.join(", ");
};

/** Who announces what: predicted, before and after. */
export const leadersTable = (title: string, before: Prediction, after: Prediction): Block => ({
  kind: "table",
  title,
  columns: [
    { title: "address" },
    { title: "service" },
    { title: "layer 2 now" },
    { title: "then" },
    { title: "next" },
    { title: "interfaces" },
  ],
  rows: after.addresses.map((address) => [
    [address.ip],
    [address.service],
    [
      before.addresses.find(({ ip, service }) => ip === address.ip && service === address.service)
        ?.order[0] ?? "nobody",
    ],
    [address.order[0] ?? "nobody"],
    [address.order[1] ?? "nobody"],
    [nicsText(address)],
  ]),
});
