import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultController, forecast } from "#shared/dns/forecast.ts";
import { listedRecordSet, recordSetKey } from "#shared/dns/record-set.ts";
import { parseRelease } from "#shared/dns/release.ts";
import { readSourceObjects } from "#shared/dns/source-objects.ts";
import { defaultSourceSettings } from "#shared/dns/source-settings.ts";
import { wantedEndpoints } from "#shared/dns/wanted.ts";
import { patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { goldentoothZone, hellholtZone } from "#shared/twin/sites/goldentooth-dns.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { twinOf } from "./twin-fixture.ts";

const deployment = "external-dns/external-dns";
const annotate = (twin: Twin, namespace: string, name: string, hostname: string | null) =>
  twin.store.mergePatch("services", namespace, name, {
    metadata: { annotations: { "external-dns.alpha.kubernetes.io/hostname": hostname } },
  });
const namesIn = (twin: Twin, zone: string) =>
  twin.zones.recordSets(zone).map(({ name, type }) => `${name} ${type}`);
const patchArgs = (twin: Twin, change: (args: readonly string[]) => readonly string[], image?: string) => {
  const found = twin.store.get("deployments", "external-dns", "external-dns");
  const spec = found?.spec as { template: { spec: { containers: { args: string[]; image: string }[] } } };
  const containers = spec.template.spec.containers.map((each) => ({
    ...each,
    args: change(each.args),
    image: image ?? each.image,
  }));
  const result = twin.store.mergePatch("deployments", "external-dns", "external-dns", {
    spec: { template: { spec: { containers } } },
  });
  if (!result.ok) throw new Error(result.refusal.message);
};

describe("ExternalDNS in the twin", () => {
  it.each([
    ["goldentooth", goldentooth],
    ["goldentooth-l2", goldentoothL2],
    ["healthy", healthy],
  ])("%s: finds its zones as it left them, and says so every minute", async (_, site) => {
    const { twin, clock } = twinOf(site());
    await clock.advance(180_000);
    expect(twin.zones.history()).toEqual([]);
    expect(twin.externalDns.log(deployment)).toEqual([
      'time="2026-01-01T00:01:00Z" level=info msg="All records are already up to date"',
      'time="2026-01-01T00:02:00Z" level=info msg="All records are already up to date"',
      'time="2026-01-01T00:03:00Z" level=info msg="All records are already up to date"',
    ]);
  });

  it("follows an annotation with record and ownership in one batch, within its interval", async () => {
    const { twin, clock } = twinOf(healthy());
    await clock.advance(70_000);
    annotate(twin, "httpbin", "httpbin", "echo.goldentooth.net");
    await clock.advance(49_000);
    expect(twin.zones.history()).toEqual([]);
    await clock.advance(2_000);
    expect(twin.zones.history()).toMatchObject([
      {
        zone: goldentoothZone.id,
        changes: [
          { action: "CREATE", set: { name: "a-echo.goldentooth.net", type: "TXT" } },
          { action: "CREATE", set: { name: "echo.goldentooth.net", type: "A" } },
        ],
      },
    ]);
    expect(twin.externalDns.log(deployment, 3)).toEqual([
      expect.stringContaining('msg="Desired change: CREATE a-echo.goldentooth.net TXT"'),
      expect.stringContaining('msg="Desired change: CREATE echo.goldentooth.net A"'),
      expect.stringMatching(/msg="2 record\(s\) were successfully updated" .*zoneName=goldentooth\.net\.$/),
    ]);
    await clock.advance(30_000);
    expect(twin.resolve("1.1.1.1", "echo.goldentooth.net", "A")).toMatchObject({ status: "NOERROR" });
  });

  it("puts back what somebody deletes of its own, and leaves the rest alone", async () => {
    const { twin, clock } = twinOf(goldentooth());
    const before = twin.zones.recordSets(hellholtZone.id);
    const web = before.find(({ name, type }) => name === "httpbin.hellholt.net" && type === "A");
    const nas = before.find(({ name }) => name === "nas.hellholt.net");
    if (web === undefined || nas === undefined) throw new Error("records are missing");
    twin.zones.edit(hellholtZone.id, [
      { action: "UPSERT", set: { ...web, answer: { kind: "values", ttl: 300, values: ["10.9.9.9"] } } },
      { action: "DELETE", set: nas },
    ]);
    await clock.advance(61_000);
    const after = twin.zones.recordSets(hellholtZone.id);
    expect(after.map(recordSetKey)).toEqual(before.filter((set) => set !== nas).map(recordSetKey));
    expect(after.find((set) => recordSetKey(set) === recordSetKey(web))).toEqual(web);
  });

  it("the story's change of the filter orphans the old domain in silence", async () => {
    const { twin, clock } = twinOf(goldentooth());
    const before = twin.zones.recordSets(hellholtZone.id);
    patchArgs(twin, (args) => args.map((arg) => arg.replace("hellholt.net", "goldentooth.net")));
    for (const { metadata } of twin.store.list("services").items) {
      const hostname = metadata.annotations?.["external-dns.alpha.kubernetes.io/hostname"];
      if (hostname !== undefined)
        annotate(
          twin,
          metadata.namespace ?? "",
          metadata.name,
          hostname.replace("hellholt.net", "goldentooth.net"),
        );
    }
    await clock.advance(120_000);
    expect(twin.zones.recordSets(hellholtZone.id)).toEqual(before);
    expect(namesIn(twin, goldentoothZone.id)).toContain("httpbin.goldentooth.net A");
    expect(twin.resolve("laptop", "httpbin.goldentooth.net", "A")).toMatchObject({ answer: [] });
  });

  it("an upgrade to 0.22 under sync deletes what the old prefix asked for", async () => {
    const { twin, clock } = twinOf(goldentooth());
    patchArgs(twin, (args) => args, "registry.k8s.io/external-dns/external-dns:v0.22.0");
    await clock.advance(70_000);
    expect(namesIn(twin, hellholtZone.id).filter((name) => name.endsWith(" A"))).toEqual([
      "backup.hellholt.net A",
      "mail.hellholt.net A",
      "nas.hellholt.net A",
    ]);
  });

  it("tells what Route 53 refuses, every time, and does the rest", async () => {
    const { twin, clock } = twinOf(healthy());
    twin.zones.edit(goldentoothZone.id, [
      {
        action: "CREATE",
        set: {
          name: "taken.goldentooth.net" as never,
          type: "CNAME",
          routing: { policy: "simple" },
          answer: { kind: "values", ttl: 60, values: ["elsewhere.example."] },
        },
      },
    ]);
    patchArgs(twin, (args) => [...args, "--managed-record-types=A"]);
    annotate(twin, "httpbin", "httpbin", "taken.goldentooth.net");
    annotate(twin, "grafana", "grafana", "free.goldentooth.net");
    await clock.advance(70_000);
    expect(namesIn(twin, goldentoothZone.id)).toContain("free.goldentooth.net A");
    const log = twin.externalDns.log(deployment) ?? [];
    expect(
      log.filter((line) => /InvalidChangeBatch: .*taken\.goldentooth\.net/.test(line)).length,
    ).toBeGreaterThan(0);
    const failures = () =>
      (twin.externalDns.log(deployment) ?? []).filter((line) => line.includes("Failed to do run once"))
        .length;
    const count = failures();
    await clock.advance(120_000);
    expect(failures()).toBe(count + 2);
  });

  it("tries again after a throttled listing", async () => {
    const { twin, clock } = twinOf(healthy());
    twin.zones.faults.throttle(1);
    annotate(twin, "httpbin", "httpbin", "echo.goldentooth.net");
    await clock.advance(61_000);
    expect(twin.externalDns.log(deployment)?.at(-1)).toMatch(
      /level=error msg="Failed to do run once.*Throttling/,
    );
    await clock.advance(60_000);
    expect(namesIn(twin, goldentoothZone.id)).toContain("echo.goldentooth.net A");
  });

  it("does nothing in a dry run, with no replica, or with a release nobody knows", async () => {
    for (const change of [
      (twin: Twin) => patchArgs(twin, (args) => [...args, "--dry-run"]),
      (twin: Twin) => patchArgs(twin, (args) => args, "registry.k8s.io/external-dns/external-dns:latest"),
      (twin: Twin) =>
        twin.store.mergePatch("deployments", "external-dns", "external-dns", { spec: { replicas: 0 } }),
    ]) {
      const { twin, clock } = twinOf(healthy());
      change(twin);
      annotate(twin, "httpbin", "httpbin", "echo.goldentooth.net");
      await clock.advance(300_000);
      expect(twin.zones.history()).toEqual([]);
    }
  });

  it("does what the forecast says, whatever the annotations, release and policy", async () => {
    const hostnames = fc.array(
      fc.constantFrom(
        "a.goldentooth.net",
        "b.goldentooth.net,c.goldentooth.net",
        "a.goldentooth.net,",
        "x.hellholt.net",
        "*.apps.goldentooth.net",
        "goldentooth.net",
      ),
      { minLength: 3, maxLength: 3 },
    );
    const names = [
      ["httpbin", "httpbin"],
      ["grafana", "grafana"],
      ["vault", "vault"],
    ] as const;
    await fc.assert(
      fc.asyncProperty(
        hostnames,
        fc.constantFrom("0.15.1", "0.17.0", "0.19.0", "0.21.0", "0.22.0"),
        fc.constantFrom("sync" as const, "upsert-only" as const),
        async (given, text, policy) => {
          const release = parseRelease(text);
          if (release === undefined) throw new Error(text);
          const { twin, clock } = twinOf(
            withFaults(
              healthy(),
              patchObject("deployments", "external-dns", {
                spec: {
                  template: {
                    spec: {
                      containers: [
                        {
                          name: "external-dns",
                          image: `registry.k8s.io/external-dns/external-dns:v${text}`,
                          args: [
                            "--source=service",
                            `--policy=${policy}`,
                            "--txt-owner-id=default",
                            "--domain-filter=goldentooth.net",
                            "--provider=aws",
                          ],
                        },
                      ],
                    },
                  },
                },
              }),
            ),
          );
          for (const [i, [namespace, name]] of names.entries())
            annotate(twin, namespace, name, given[i] ?? null);
          const recordSets = twin.zones.recordSets(goldentoothZone.id);
          const sources = readSourceObjects(JSON.stringify(twin.store.list("services").items));
          if (!sources.ok) throw new Error(sources.problems.join());
          const expected = forecast({
            zone: goldentoothZone.name,
            recordSets,
            wanted: wantedEndpoints(sources.objects, {
              ...defaultSourceSettings(release),
              sources: ["service"],
            }).endpoints,
            dropped: [],
            controller: {
              ...defaultController(release, policy, "default"),
              domainFilter: {
                include: ["goldentooth.net"],
                exclude: [],
                regexInclude: undefined,
                regexExclude: undefined,
              },
            },
          });
          await clock.advance(60_000);
          const listed = (sets: typeof recordSets) =>
            sets.map((set) => JSON.stringify(listedRecordSet(set))).sort();
          expect(listed(twin.zones.recordSets(goldentoothZone.id))).toEqual(listed(expected.after));
        },
      ),
      { numRuns: 10 },
    );
  });
});
