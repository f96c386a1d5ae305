import { describe, expect, it } from "vitest";
import { plain } from "#shared/text.ts";
import { bgpPlan, bgpSite } from "./bgp-sites.ts";
import { type Drive, drive, type Given } from "./drive.ts";

const until = async (given: Given, ...ids: readonly string[]): Promise<Drive> => {
  const at = drive(given);
  for (const id of ids) await at.forward(id);
  return at;
};
const stands = ["survey", "snapshot", "create-l2advertisement"] as const;

describe("withdraw-bgp", () => {
  it("withdraws with a client watching, and tells what resets", async () => {
    const at = await until({ spec: bgpSite("0.16.1") }, ...stands);
    const came = await at.forward("withdraw-bgp");
    expect(came).toMatchObject({ outcome: "passed", codes: [] });
    expect(came.text).toMatch(/5 of 5 addresses open from guest-client, 5 of 5 answer/);
    expect(came.plan?.prediction.map(plain).join("\n")).toMatch(
      /established connections that entered through other nodes reset once: 5 services, 5 nodes/,
    );
    const { addresses } = came.observed?.facts as {
      addresses: Record<string, { tried: number; gaps: unknown[] }>;
    };
    expect(Object.keys(addresses)).toHaveLength(5);
    for (const felt of Object.values(addresses)) expect(felt.tried).toBeGreaterThan(3);
    const [deed] = came.plan?.deeds ?? [];
    expect(deed).toMatchObject({
      write: { verb: "delete", is: { uid: expect.any(String), resourceVersion: expect.any(String) } },
    });
    await at.back("withdraw-bgp");
    expect(at.twin.store.get("bgpadvertisements", "metallb", "primary")?.spec).toEqual({
      ipAddressPools: ["primary"],
    });
  });

  it("refuses to break before the new way stands", async () => {
    const at = await until({ spec: bgpSite("0.16.1") }, "survey", "snapshot");
    const came = await at.forward("withdraw-bgp");
    expect(came.outcome).toBe("blocked");
    expect(came.codes).toEqual(expect.arrayContaining(["nothing-stands-yet", "wire-silence"]));
    expect(at.twin.store.list("bgpadvertisements").items).toHaveLength(1);
  });

  it.each<readonly [string, (at: Drive) => void, string]>([
    ["without a snapshot", (at) => delete at.notes.snapshot, "not-in-snapshot"],
    [
      "of what changed since the snapshot",
      (at) =>
        at.twin.store.mergePatch("bgpadvertisements", "metallb", "primary", { spec: { localPref: 100 } }),
      "changed-since-snapshot",
    ],
  ])("refuses a withdrawal %s", async (_what, change, code) => {
    const at = await until({ spec: bgpSite("0.16.1") }, ...stands);
    change(at);
    const came = await at.forward("withdraw-bgp");
    expect([came.outcome, came.codes]).toEqual(["blocked", [code]]);
  });

  it("is unknown without anybody behind the router, where BGP carries traffic", async () => {
    const at = await until({ spec: bgpSite("0.16.1") }, ...stands);
    at.notes.survey = { bgp: "up" };
    const blind = drive({
      spec: bgpSite("0.16.1"),
      vantages: (all) => all.filter(({ place }) => place !== "behind-router"),
      notes: at.notes,
    });
    await blind.forward("create-l2advertisement");
    const came = await blind.forward("withdraw-bgp");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["no-vantage-behind-router"]]);
  });

  it("stops where BGP was down when the run began, and a peer listens again", async () => {
    const at = await until({ spec: bgpSite("0.16.1") }, ...stands);
    at.notes.survey = { bgp: "down" };
    const came = await at.forward("withdraw-bgp");
    expect([came.outcome, came.codes]).toEqual(["blocked", ["bgp-came-back"]]);
    expect(came.text).toContain("opnsense 10.4.0.1 port 179: open");
  });

  it("claims no gap of a BGP that was down", async () => {
    const at = await until(
      { spec: bgpSite("0.16.1", { router: { ...bgpPlan.router, speaksBgp: false } }) },
      ...stands,
    );
    at.notes.survey = { bgp: "down" };
    const came = await at.forward("withdraw-bgp");
    expect(came.text).toMatch(/BGP was down before: no gap is claimed$/);
    expect(at.notes["withdraw-bgp"]).toMatchObject({ gap: null, measured: false });
  });

  it("says that nothing was measured where the probe died with the process that had it", async () => {
    const at = await until({ spec: bgpSite("0.16.1") }, ...stands);
    const { plan } = await at.forward("withdraw-bgp");
    const again = await at.on(async (context) => {
      const { withdrawBgp } = await import("#shared/steps/withdraw-bgp.ts");
      return withdrawBgp.verify(context, plan as NonNullable<typeof plan>, undefined);
    });
    expect(again.outcome).toBe("passed");
    expect(plain(again.text)).toMatch(/what new connections felt during the act was not measured/);
    expect(again.findings.map(({ code }) => code)).toEqual(["gap-not-measured"]);
    expect(again.notes).toMatchObject({ measured: false });
  });

  it("counts every speaker where nobody could read through which BGP leads", async () => {
    const at = await until({ spec: bgpSite("0.16.1"), denied: ["servicebgpstatuses"] }, ...stands);
    const came = await at.forward("withdraw-bgp");
    expect(came.plan?.prediction.map(plain).join("\n")).toMatch(/reset once: at most 5 services/);
  });

  it("fails when an address is lost by it", async () => {
    const at = await until({ spec: bgpSite("0.16.1") }, ...stands);
    const lost = drive({
      spec: bgpSite("0.16.1"),
      notes: at.notes,
      around: (ports, twin) => ({
        ...ports,
        shell: async (target, command, options) => {
          const output = await ports.shell(target, command, options);
          const gone = twin.store.list("bgpadvertisements").items.length === 0;
          return gone && command.argv[0] === "nc" && command.argv.includes("10.4.11.9")
            ? {
                ...output,
                exitCode: 1,
                stdout: "",
                stderr: "nc: connect to 10.4.11.9 port 9000 (tcp) failed: No route to host\n",
              }
            : output;
        },
      }),
    });
    await lost.forward("create-l2advertisement");
    const came = await lost.forward("withdraw-bgp");
    expect([came.outcome, came.codes]).toEqual(["failed", ["address-lost"]]);
    const table = came.observed?.blocks.find((block) => block.kind === "table");
    const row =
      table?.kind === "table"
        ? table.rows.map((cells) => cells.map(plain)).find(([ip]) => ip === "10.4.11.9")
        : [];
    expect(row?.[2]).toMatch(/^no new connection for/);
  });
});
