import { describe, expect, it } from "vitest";
import { twoAnnouncers } from "#shared/incidents/runbooks/two-announcers.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { patchObject, plugIn, wifiOn, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy, healthyPlan } from "#shared/twin/sites/healthy.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { concluded, diagnosed, outcomes, type World } from "../on-twin.ts";

const ip = "10.4.11.1";
const leaderOf = (twin: Twin): string => twin.layer2Announcers(ip)[0]?.split("/")[0] ?? "nobody";

/** What kube-proxy makes in IPVS mode. */
const ipvs = {
  name: "kube-ipvs0",
  mac: "02:00:00:00:01:99",
  addresses: [`${ip}/32`],
  kind: "dummy",
  segment: null,
  noArp: true,
};

type Row = readonly [what: string, expected: string, world: World];

const rows: readonly Row[] = [
  ["one MAC", "healthy", {}],
  [
    "one node, two NICs",
    "cause: two-nics",
    {
      site: () =>
        withFaults(
          healthy(),
          wifiOn("cargyll", "10.4.1.22/20"),
          patchObject("l2advertisements", "primary", { spec: { interfaces: null } }),
        ),
    },
  ],
  [
    "two nodes whose speakers are cut off from each other",
    "cause: memberlist-filtered",
    { afterwards: (twin) => twin.partition([[leaderOf(twin)]]) },
  ],
  ["proxy ARP", "cause: proxy-arp", { afterwards: (twin) => twin.setProxyArp(true, "02:00:00:00:00:66") }],
  [
    "a machine with the address set by hand, beside the announcer",
    "cause: foreign-mac",
    {
      site: () =>
        withFaults(
          healthy(),
          plugIn("laptop", { name: "eth9", mac: "02:00:00:00:00:77", addresses: [`${ip}/32`] }),
        ),
    },
  ],
  [
    "every node, by kube-proxy in IPVS mode without strictARP",
    "cause: ipvs-strict-arp",
    {
      site: () =>
        withFaults(
          buildSite({ ...healthyPlan, kubeProxy: { mode: "ipvs", strictArp: false } }),
          ...healthyPlan.nodes.map(({ name }) => plugIn(name, ipvs)),
        ),
    },
  ],
];

describe("two-announcers on a model site", () => {
  for (const [what, expected, world] of rows)
    it(`${what}: ${expected}`, async () => {
      const diagnosis = await diagnosed(twoAnnouncers, ip, world);
      expect(concluded(diagnosis)).toBe(expected);
      expect(diagnosis.tookMs).toBeLessThan(10_000);
      if (diagnosis.conclusion.kind === "cause")
        expect(twoAnnouncers.codes).toContain(diagnosis.conclusion.cause.code);
    });
});

it("gives both readings when two nodes answer and their speakers hear each other", async () => {
  const diagnosis = await diagnosed(twoAnnouncers, ip, {
    afterwards: (twin) => twin.partition([[leaderOf(twin)]]),
    around: (ports) => ({
      ...ports,
      logs: async () => [],
      shell: async (target, command, options) => {
        const output = await ports.shell(target, command, options);
        return command.argv[0] === "nc"
          ? {
              ...output,
              exitCode: 0,
              stderr: "Connection to 10.4.0.13 7946 port [tcp/*] succeeded!\n",
              stdout: "",
            }
          : output;
      },
    }),
  });
  expect(concluded(diagnosis)).toMatch(
    /^candidates: memberlist-split \| second-announcer|^cause: memberlist/,
  );
});

it("knows nothing when nobody can look at the wire", async () => {
  const diagnosis = await diagnosed(twoAnnouncers, ip, {
    around: (ports) => ({ ...ports, config: { ...ports.config, vantages: [] } }),
  });
  expect(diagnosis.conclusion.kind).toBe("unknown");
  expect(outcomes(diagnosis)).toMatchObject({ arp: "unknown", speakers: "skipped" });
});
