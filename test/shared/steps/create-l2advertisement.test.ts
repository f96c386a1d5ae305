import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { viewMetalLb } from "#shared/migration/metallb-view.ts";
import { createL2Advertisement } from "#shared/steps/create-l2advertisement.ts";
import type { StepPlan } from "#shared/steps/step.ts";
import { addObject, patchObject, type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { drive, type Given } from "./drive.ts";
import { memoryTree } from "./memory-tree.ts";

const ID = "create-l2advertisement";

/** A manifest that a person wrote, in a configured clone. */
const written = (object: object): Partial<Given> => ({
  inputs: { manifest: "cluster:l2.yaml" },
  trees: [memoryTree("cluster", "main", { "l2.yaml": stringify(object) })],
  migration: { repositories: [{ name: "cluster", path: "/srv/cluster", branch: "arpeggio", base: "main" }] },
});

const manifest = (spec: object, name = "primary"): Partial<Given> =>
  written({ apiVersion: "metallb.io/v1beta1", kind: "L2Advertisement", metadata: { name }, spec });

const site = (...faults: readonly SiteFault[]): Given => ({ spec: withFaults(bgpSite("0.16.1"), ...faults) });

describe("create-l2advertisement", () => {
  it("creates one for the pools that BGP alone announces, on the nodes' LAN interfaces, and sees it answer", async () => {
    const at = drive(site());
    const came = await at.forward(ID);
    expect(came).toMatchObject({ outcome: "passed", codes: [] });
    expect(came.text).toMatch(/5 of 5 addresses answer/);
    expect(at.twin.store.get("l2advertisements", "metallb", "primary")?.spec).toEqual({
      ipAddressPools: ["primary"],
      interfaces: ["eth0"],
    });
    const planned = Object.values(came.plan?.predicted as Record<string, { announcer: string }>);
    expect(planned).toHaveLength(5);
    expect(planned.every(({ announcer }) => announcer !== null)).toBe(true);
    const table = came.plan?.blocks.find((block) => block.kind === "table");
    expect(table?.kind === "table" && table.rows).toHaveLength(5);
    expect(came.plan?.diffs).toMatchObject([
      { object: "L2Advertisement metallb/primary", uid: null, before: null },
    ]);
    await at.back(ID);
    expect(at.twin.store.list("l2advertisements").items).toEqual([]);
  });

  it.each<readonly [string, readonly string[], Given]>([
    [
      "the story's own: a star as label value",
      ["illegal-selector", "dry-run-refused"],
      {
        ...site(),
        ...manifest({
          ipAddressPools: ["primary"],
          nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "*" } }],
          interfaces: ["eth0"],
        }),
      },
    ],
    [
      "a node selector that matches nothing",
      ["selector-matches-nothing", "address-not-announced"],
      {
        ...site(),
        ...manifest({ ipAddressPools: ["primary"], nodeSelectors: [{ matchLabels: { rack: "a" } }] }),
      },
    ],
    [
      "a pool that does not exist",
      ["pool-name-unknown", "address-not-announced"],
      { ...site(), ...manifest({ ipAddressPools: ["primry"] }) },
    ],
    [
      "interfaces that another advertisement cancels",
      ["restriction-cancelled"],
      {
        ...site(addObject("l2advertisements", { name: "open", namespace: "metallb" })),
        ...manifest({ ipAddressPools: ["primary"], interfaces: ["eth0"] }),
      },
    ],
    [
      "interfaces of a person that no node has",
      ["named-nic-missing"],
      { ...site(), inputs: { interfaces: "wlan9", accept: "named-nic-missing" } },
    ],
    [
      "a manifest with interfaces that no node has",
      ["named-nic-missing"],
      { ...site(), ...manifest({ ipAddressPools: ["primary"], interfaces: ["wlan9"] }) },
    ],
    [
      "a pool with .0 and .255",
      ["pool-has-0-or-255"],
      site(patchObject("ipaddresspools", "primary", { spec: { addresses: ["10.4.11.0-10.4.12.255"] } })),
    ],
    [
      "a pool among the nodes and the router",
      ["pool-overlaps-node", "pool-overlaps-router"],
      site(
        patchObject("ipaddresspools", "primary", {
          spec: { addresses: ["10.4.0.1-10.4.0.60", "10.4.11.1-10.4.11.60"] },
        }),
      ),
    ],
    [
      "a pool among the DHCP leases",
      ["pool-overlaps-dhcp"],
      { ...site(), site: { dhcpRanges: ["10.4.11.100-10.4.11.199"] } },
    ],
    [
      "another namespace than MetalLB's",
      ["dry-run-refused"],
      {
        ...site(),
        ...written({
          apiVersion: "metallb.io/v1beta1",
          kind: "L2Advertisement",
          metadata: { name: "primary", namespace: "default" },
        }),
      },
    ],
  ])("refuses %s", async (_trap, codes, given) => {
    const at = drive(given);
    const came = await at.forward(ID);
    expect(came.outcome).toBe("blocked");
    for (const code of codes) expect(came.codes).toContain(code);
    expect(at.twin.store.list("l2advertisements").items.map(({ metadata }) => metadata.name)).not.toContain(
      "primary",
    );
  });

  it.each([
    "/etc/shadow",
    "l2.yaml",
    "elsewhere:l2.yaml",
    "cluster:../../etc/shadow",
    "cluster:pool.yaml",
  ])("takes no manifest from %s, and shows nothing of it", async (path) => {
    const given = written({ kind: "L2Advertisement" });
    const tree = memoryTree("cluster", "main", { "pool.yaml": "secret: [" });
    const at = drive({
      ...site(),
      ...given,
      trees: [tree],
      inputs: { manifest: path },
      files: { [path]: "secret: hunter-two" },
    });
    const came = await at.forward(ID);
    expect([came.outcome, came.codes]).toEqual(["blocked", ["could-not-look"]]);
    expect(came.text).not.toMatch(/secret: |hunter/);
  });

  it("lets an odd address pass that is accepted by its code, and shows it", async () => {
    const given = site(
      patchObject("ipaddresspools", "primary", { spec: { addresses: ["10.4.11.0-10.4.11.200"] } }),
    );
    const came = await drive({ ...given, inputs: { accept: "pool-has-0-or-255" } }).forward(ID);
    expect(came.outcome).toBe("passed");
    expect(came.findings).toContainEqual(
      expect.objectContaining({ code: "pool-has-0-or-255", severity: "info" }),
    );
  });

  it("has nothing to do where layer 2 stands already", async () => {
    const given = site(
      addObject(
        "l2advertisements",
        { name: "lan", namespace: "metallb" },
        { spec: { ipAddressPools: ["primary"] } },
      ),
    );
    expect(await drive(given).forward(ID)).toMatchObject({ outcome: "unneeded" });
  });

  it("fails when an address is silent all the same, and is unknown when nobody can ask by ARP", async () => {
    const deaf = drive({
      ...site(),
      around: (ports) => ({
        ...ports,
        shell: async (target, command, options) => {
          const output = await ports.shell(target, command, options);
          if (!command.argv.includes("arping") || !command.argv.includes("-I")) return output;
          const said = output.stdout.split("\n").filter((line) => !line.startsWith("Unicast reply"));
          const stdout = said.join("\n").replace(/Received \d+/, "Received 0");
          return {
            ...output,
            stdout,
            lines: output.lines
              .filter(({ text }) => !text.startsWith("Unicast reply"))
              .map((line) => ({ ...line, text: line.text.replace(/Received \d+/, "Received 0") })),
          };
        },
      }),
    });
    const silent = await deaf.forward(ID);
    expect(silent.outcome).toBe("failed");
    expect(silent.codes).toContain("wire-silence");
    const blind = await drive({ ...site(), vantages: () => [] }).forward(ID);
    expect([blind.outcome, blind.codes]).toEqual(["unknown", ["wire-could-not-look"]]);
  });

  it("fails when somebody takes it away again", async () => {
    const at = drive(site());
    const { plan } = await at.forward(ID);
    at.twin.store.remove("l2advertisements", "metallb", "primary");
    const again = await at.on((context) =>
      createL2Advertisement.verify(context, plan as NonNullable<typeof plan>, undefined),
    );
    expect(again).toMatchObject({ outcome: "failed", findings: [{ code: "change-undone" }] });
  });

  it("has its way back once a session leads somewhere: a port that is open is none", async () => {
    const at = drive(site());
    const { plan } = await at.forward(ID);
    const closed = () =>
      at.on((context) => createL2Advertisement.canUndo?.(context, plan as StepPlan) ?? Promise.reject());
    const { store } = at.twin;
    const { spec } = store.get("bgppeers", "metallb", "opnsense") as KubeObject;
    store.remove("bgppeers", "metallb", "opnsense");
    await at.on(({ ports }) => ports.clock.sleep(60_000));
    store.create("bgppeers", { metadata: { name: "opnsense", namespace: "metallb" }, spec });
    const before = at.ports.clock.now();
    expect(await closed()).toEqual([]);
    expect(at.ports.clock.now() - before).toBeGreaterThanOrEqual(3_000);
    // The peer listens, and no address goes by it.
    store.mergePatch("bgpadvertisements", "metallb", "primary", { spec: { ipAddressPools: ["another"] } });
    await at.on(({ ports }) => ports.clock.sleep(60_000));
    expect((await closed()).map(({ code }) => code)).toEqual(["bgp-is-down"]);
  });

  it("goes back by a port that is open only where every way is the same by BGP and by layer 2", async () => {
    const at = drive(site());
    const { plan } = await at.forward(ID);
    const [leader] = (await at.on(viewMetalLb)).prediction.addresses.flatMap(({ service, order }) =>
      service === "httpbin/httpbin" ? order : [],
    );
    at.twin.store.mergePatch("bgpadvertisements", "metallb", "primary", {
      spec: { ipAddressPools: ["another"] },
    });
    await at.on(({ ports }) => ports.clock.sleep(60_000));
    const closedWith = async (node: string | undefined): Promise<readonly string[]> => {
      const status = { node, serviceNamespace: "httpbin", serviceName: "httpbin", peers: ["opnsense"] };
      const read: typeof at.ports.read = async (kinds, signal) => ({
        ...(await at.ports.read(kinds, signal)),
        servicebgpstatuses: [{ metadata: { name: "one", namespace: "metallb" }, status }],
      });
      const found = await at.on(
        (context) =>
          createL2Advertisement.canUndo?.(
            { ...context, ports: { ...context.ports, read } },
            plan as StepPlan,
          ) ?? Promise.reject(),
      );
      return found.map(({ code }) => code);
    };
    expect(await closedWith(leader)).toEqual([]);
    expect(await closedWith(leader === "fenn" ? "dalt" : "fenn")).toEqual(["bgp-is-down"]);
  });

  it("has no way back when BGP is gone or was down before", async () => {
    const at = drive(site());
    const { plan } = await at.forward(ID);
    const closed = async (): Promise<readonly string[]> =>
      (
        await at.on(
          (context) =>
            createL2Advertisement.canUndo?.(context, plan as NonNullable<typeof plan>) ?? Promise.resolve([]),
        )
      ).map(({ code }) => code);
    at.notes.survey = { bgp: "down" };
    expect(await closed()).toEqual(["bgp-is-down"]);
    const ad = at.twin.store.get("bgpadvertisements", "metallb", "primary") as KubeObject;
    at.twin.store.remove("bgpadvertisements", "metallb", ad.metadata.name);
    expect(await closed()).toEqual(["bgp-is-gone"]);
  });
});
