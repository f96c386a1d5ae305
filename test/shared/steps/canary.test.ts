import { describe, expect, it } from "vitest";
import { tellingLabel } from "#shared/migration/canary.ts";
import { feltBy, feltText } from "#shared/migration/clients.ts";
import { patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { bgpSite } from "./bgp-sites.ts";
import { type Drive, drive, type Given } from "./drive.ts";

const ready = async (given: Given): Promise<Drive> => {
  const at = drive(given);
  await at.forward("survey");
  await at.forward("create-l2advertisement");
  return at;
};

describe("canary", () => {
  it("leaves one Service out of BGP by a label that only it has, and watches it for a minute", async () => {
    const at = await ready({ spec: bgpSite("0.16.1"), migration: { canary: "ntfy/ntfy" } });
    const came = await at.forward("canary");
    expect(came.outcome).toBe("passed");
    expect(came.text).toMatch(
      /^ntfy\/ntfy 10\.4\.11\.11 answers from guest-client by layer 2 alone: 300 of 300/,
    );
    expect(at.twin.store.get("bgpadvertisements", "metallb", "primary")?.spec).toEqual({
      ipAddressPools: ["primary"],
      serviceSelectors: [
        { matchExpressions: [{ key: "app.kubernetes.io/name", operator: "NotIn", values: ["ntfy"] }] },
      ],
    });
    expect(at.notes.canary).toMatchObject({ kind: "narrowed", ip: "10.4.11.11", felt: { failed: 0 } });
    expect(at.twin.reach("guest-client", "10.4.11.3").ok).toBe(true);
    await at.back("canary");
    expect(at.twin.store.get("bgpadvertisements", "metallb", "primary")?.spec).toEqual({
      ipAddressPools: ["primary"],
    });
  });

  it("puts a label on a canary that no label of its own tells apart", async () => {
    const spec = withFaults(
      bgpSite("0.16.1"),
      patchObject("services", "ntfy", { metadata: { labels: { "app.kubernetes.io/name": "httpbin" } } }),
    );
    const at = await ready({ spec, migration: { canary: "ntfy/ntfy" } });
    const came = await at.forward("canary");
    expect(came.plan?.deeds.map(({ title }) => title)).toEqual([
      "label Service ntfy/ntfy",
      "leave ntfy/ntfy out of BGPAdvertisement metallb/primary",
    ]);
    expect(came.outcome).toBe("passed");
    await at.back("canary");
    expect(at.twin.store.get("services", "ntfy", "ntfy")?.metadata.labels).toEqual({
      "app.kubernetes.io/name": "httpbin",
    });
  });

  it("plans only what is left when it is asked again", async () => {
    const at = await ready({ spec: bgpSite("0.16.1") });
    await at.forward("canary");
    const again = await at.on(async (context) => {
      const { canary } = await import("#shared/steps/canary.ts");
      return canary.plan(context);
    });
    expect(again.deeds).toEqual([]);
    expect(again.predicted).toMatchObject({ service: "httpbin/httpbin" });
    const echo = drive({ spec: bgpSite("0.15.2") });
    await echo.forward("create-l2advertisement");
    await echo.forward("canary");
    echo.twin.store.remove("services", "httpbin", "arpeggio-canary");
    const left = await echo.on(async (context) => {
      const { canary } = await import("#shared/steps/canary.ts");
      return canary.plan(context);
    });
    expect(left.deeds.map(({ id }) => id)).toEqual(["create-service-arpeggio-canary"]);
  });

  it("takes the first label that tells", () => {
    expect(
      tellingLabel({ metadata: { name: "a", labels: { tier: "web", app: "a" } } }, [
        { metadata: { name: "b", labels: { tier: "web", app: "b" } } },
      ]),
    ).toEqual(["app", "a"]);
  });

  it("takes an echo with a pool of its own in releases before 0.16", async () => {
    const at = drive({ spec: bgpSite("0.15.2") });
    await at.forward("create-l2advertisement");
    const came = await at.forward("canary");
    expect(came).toMatchObject({ outcome: "passed", codes: [] });
    expect(came.text).toMatch(/10\.4\.10\.250/);
    expect(at.twin.store.get("ipaddresspools", "metallb", "arpeggio-canary")?.spec).toMatchObject({
      addresses: ["10.4.10.250/32"],
      autoAssign: false,
    });
    const removed = await at.forward("remove-canary");
    expect(removed.outcome).toBe("passed");
    expect(at.twin.store.get("services", "httpbin", "arpeggio-canary")).toBeUndefined();
    expect(await at.forward("remove-canary")).toMatchObject({ outcome: "unneeded" });
  });

  it.each<readonly [string, Given, string]>([
    [
      "an echo without a free address",
      { spec: bgpSite("0.15.2"), site: { unusedAddress: "10.4.11.77" } },
      "canary-address-taken",
    ],
    [
      "an echo that BGP would announce as well",
      { spec: withFaults(bgpSite("0.15.2"), patchObject("bgpadvertisements", "primary", { spec: null })) },
      "canary-pool-by-bgp-too",
    ],
    [
      "a Service that is not there",
      { spec: bgpSite("0.16.1"), migration: { canary: "nobody/home" } },
      "canary-missing",
    ],
    [
      "a Service that is not there, accepted or not",
      { spec: bgpSite("0.16.1"), inputs: { canary: "nobody/home", accept: "canary-missing" } },
      "canary-missing",
    ],
    [
      "an echo whose address nobody named, accepted or not",
      {
        spec: bgpSite("0.15.2"),
        site: { unusedAddress: "none" },
        inputs: { accept: "canary-needs-address" },
      },
      "canary-needs-address",
    ],
    [
      "nobody behind the router",
      { spec: bgpSite("0.16.1"), vantages: (all) => all.filter(({ place }) => place !== "behind-router") },
      "no-vantage-behind-router",
    ],
  ])("refuses %s", async (_why, given, code) => {
    const came = await drive(given).forward("canary");
    expect(came.outcome).toBe("blocked");
    expect(came.codes).toContain(code);
  });

  it("fails when the address stops answering, while the others keep BGP", async () => {
    const at = drive({ spec: bgpSite("0.16.1") });
    await at.forward("survey");
    // No L2Advertisement stands: what leaves BGP is gone.
    const came = await at.forward("canary");
    expect(came.outcome).toBe("failed");
    expect(came.codes).toEqual(expect.arrayContaining(["canary-does-not-answer", "wire-silence"]));
    expect(came.text).toMatch(/The other addresses still have BGP$/);
    expect(at.twin.reach("guest-client", "10.4.11.3").ok).toBe(true);
  });

  it("is unknown when the vantage breaks off", async () => {
    const at = await ready({
      spec: bgpSite("0.16.1"),
      around: (ports) => ({
        ...ports,
        shell: async (target, command, options) => {
          const output = await ports.shell(target, command, options);
          return command.argv[0] === "nc" && target.kind === "vantage"
            ? { ...output, exitCode: 127, stderr: "nc: command not found\n", stdout: "" }
            : output;
        },
      }),
    });
    at.notes.survey = { bgp: "up" };
    expect(await at.forward("canary")).toMatchObject({ outcome: "unknown", codes: ["could-not-look"] });
  });

  it("does not say that layer 2 alone carries it where what goes by BGP could not be read", async () => {
    const at = await ready({ spec: bgpSite("0.16.1"), denied: ["servicebgpstatuses"] });
    const came = await at.forward("canary");
    expect([came.outcome, came.codes]).toEqual(["unknown", ["could-not-look"]]);
    expect(came.text).not.toMatch(/alone/);
  });

  it("says by which node an echo came in a release that tells nothing of BGP", async () => {
    const at = drive({ spec: bgpSite("0.14.9") });
    await at.forward("create-l2advertisement");
    const came = await at.forward("canary");
    expect(came).toMatchObject({ outcome: "passed", codes: [] });
    expect(came.text).toMatch(/ answers from guest-client (by way of \S+, which announces it|\(whether)/);
    expect(came.text).not.toMatch(/by layer 2 alone: /);
  });

  it("is not needed where BGP is down", async () => {
    const at = drive({ spec: bgpSite("0.16.1"), notes: { survey: { bgp: "down" } } });
    expect(await at.forward("canary")).toMatchObject({ outcome: "unneeded" });
  });
});

describe("what a client felt", () => {
  const samples = (pattern: string) =>
    [...pattern].map((each, i) => ({ at: i * 200, until: i * 200 + 10, opened: each === "." }));

  it.each([
    ["..........", "no failed connection in 10; a gap shorter than 0.2 s would not be seen"],
    ["...xx.....", "longest gap 0.6 s, known to 0.2 s, 2 of 10 connections failed"],
    [".....xxxxx", "no new connection for 1.0 s and still none, known to 0.2 s, 5 of 10 connections failed"],
  ])("%s", (pattern, said) => {
    expect(feltText(feltBy(samples(pattern)) as NonNullable<ReturnType<typeof feltBy>>)).toBe(said);
  });

  it("is nothing without a sample", () => {
    expect(feltBy([])).toBeUndefined();
  });
});
