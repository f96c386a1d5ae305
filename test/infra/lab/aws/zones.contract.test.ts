import { zonesContract } from "#test/contract/zones.ts";
import { connectLab, labZones, specsOf, startLab } from "./lab-zones.ts";

zonesContract(
  "the zones of the twin",
  async (wanted) => {
    const specs = specsOf(wanted);
    const { read, change } = labZones(specs);
    return { read, change, ids: specs.map(({ id }) => id), close: async () => {} };
  },
  { outside: "the API in front of them looks at that" },
);

zonesContract("the lab's Route 53 over the AWS SDK", async (wanted) => {
  const specs = specsOf(wanted);
  const lab = await startLab(labZones(specs));
  const { read, change, close } = connectLab(lab);
  return {
    read,
    change,
    ids: specs.map(({ id }) => id),
    close: async () => {
      close();
      await lab.close();
    },
  };
});
