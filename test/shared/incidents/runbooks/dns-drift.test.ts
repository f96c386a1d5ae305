import { describe, expect, it } from "vitest";
import {
  externalDnsArguments,
  externalDnsRelease,
  onZones,
  record,
  withoutName,
  withRecords,
} from "#infra/lab/dns/faults.ts";
import { driftKinds } from "#shared/drift/all.ts";
import { keepReport } from "#shared/drift/scan-memory.ts";
import { FaultError } from "#shared/fault.ts";
import type { DiagnosePorts } from "#shared/incidents/runbook.ts";
import { dnsDrift } from "#shared/incidents/runbooks/dns-drift.ts";
import { plain } from "#shared/text.ts";
import { patchObject, type SiteFault, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { ask, concluded, diagnosed, outcomes } from "../on-twin.ts";

const zone = "goldentooth.net";
const host = "httpbin.services.k8s.goldentooth.net";
const having =
  (...faults: readonly SiteFault[]) =>
  () =>
    withFaults(healthy(), ...faults);
const scaledToZero = patchObject("deployments", "external-dns", {
  spec: { replicas: 0 },
  status: { readyReplicas: 0 },
});
const slow = externalDnsArguments("--interval=1h");

const nextOf = async (site: () => ReturnType<typeof healthy>) => {
  const { conclusion } = await diagnosed(dnsDrift, zone, { site });
  if (conclusion.kind !== "cause") throw new Error(conclusion.kind);
  return { text: plain(conclusion.cause.text), next: conclusion.cause.next.map(plain).join("\n") };
};

describe("dns-drift", () => {
  it("a zone that is as it should be", async () => {
    const diagnosis = await diagnosed(dnsDrift, zone);
    expect(concluded(diagnosis)).toBe("healthy");
    expect(Object.values(outcomes(diagnosis)).every((outcome) => outcome === "passed")).toBe(true);
    expect(diagnosis.facts.repairs).toEqual({ we: 0, externalDns: 0, nobody: 0 });
  });

  it("what ExternalDNS repairs is said to be its own, with the time it takes", async () => {
    const site = having(withRecords(record("A", host, 60, "10.4.11.99")), slow);
    const diagnosis = await diagnosed(dnsDrift, zone, { site });
    expect(concluded(diagnosis)).toBe("cause: record-wrong-target");
    expect(outcomes(diagnosis)).toMatchObject({ records: "failed", ownership: "passed" });
    const { text, next } = await nextOf(site);
    expect(text).toContain("ExternalDNS will update it, in 60 min");
    expect(next).toContain("Wait for its next round");
  });

  it("a record that nobody owns is repaired by nobody", async () => {
    const site = having(withRecords(record("TXT", `a-${host}`, 300, '"x"')));
    expect(concluded(await diagnosed(dnsDrift, zone, { site }))).toBe("cause: record-unowned");
    expect((await nextOf(site)).next).toContain(`/dns explain ${host}`);
  });

  it("what only we can put right leads to a plan", async () => {
    const left = record(
      "TXT",
      "a-gone.services.k8s.goldentooth.net",
      300,
      '"heritage=external-dns,external-dns/owner=default,external-dns/resource=service/gone/gone"',
    );
    const site = having(withRecords(left));
    expect(concluded(await diagnosed(dnsDrift, zone, { site }))).toBe("cause: txt-dangling");
    expect((await nextOf(site)).next).toContain("/dns plan goldentooth.net");
  });

  it("ExternalDNS scaled to zero explains what it would have repaired", async () => {
    const diagnosis = await diagnosed(dnsDrift, zone, { site: having(withoutName(host), scaledToZero) });
    expect(concluded(diagnosis)).toBe("cause: external-dns-not-running");
    expect(outcomes(diagnosis)).toMatchObject({ runs: "failed", records: "failed" });
  });

  it("a release that reads other annotations", async () => {
    const diagnosis = await diagnosed(dnsDrift, zone, { site: having(externalDnsRelease("0.22.0")) });
    expect(concluded(diagnosis)).toBe("cause: annotation-ignored");
    expect(outcomes(diagnosis)).toMatchObject({ wishes: "failed", reconciles: "failed" });
  });

  it("a zone that no ExternalDNS looks at", async () => {
    const diagnosis = await diagnosed(dnsDrift, "hellholt.net", { site: goldentoothL2 });
    expect(concluded(diagnosis)).toBe("cause: dns-zone-unwatched");
    expect(outcomes(diagnosis)).toMatchObject({ watched: "failed", records: "skipped" });
  });

  it("a name means the zone that holds it, and an id means its zone", async () => {
    expect((await diagnosed(dnsDrift, host)).title).toBe("goldentooth.net · Z0736727S7ZH91VKK44A");
    expect((await diagnosed(dnsDrift, "Z0736727S7ZH91VKK44A")).title).toContain("goldentooth.net");
  });
});

describe("what nobody could see", () => {
  const failing: DiagnosePorts["zones"] = {
    zones: () => Promise.reject(new FaultError({ kind: "denied", what: "zones", detail: "AccessDenied" })),
    zone: () => Promise.reject(new FaultError({ kind: "denied", what: "zone", detail: "AccessDenied" })),
    recordSets: () =>
      Promise.reject(new FaultError({ kind: "denied", what: "records", detail: "AccessDenied" })),
    lookUp: () => Promise.reject(new FaultError({ kind: "denied", what: "records", detail: "AccessDenied" })),
    change: () => Promise.reject(new FaultError({ kind: "denied", what: "change", detail: "AccessDenied" })),
  };

  it("a zone that cannot be listed is not said to be well", async () => {
    const diagnosis = await diagnosed(dnsDrift, zone, { around: (ports) => ({ ...ports, zones: failing }) });
    expect(concluded(diagnosis)).toBe("unknown");
    expect(outcomes(diagnosis)).toMatchObject({ zone: "unknown", records: "unknown", ownership: "unknown" });
  });

  it("a cluster that does not answer leaves it unknown", async () => {
    const fault = { kind: "unreachable", what: "API server", detail: "connection refused" } as const;
    const diagnosis = await diagnosed(dnsDrift, zone, {
      around: (ports) => ({
        ...ports,
        read: (async (kinds: readonly string[]) =>
          Object.fromEntries(kinds.map((kind) => [kind, fault]))) as unknown as DiagnosePorts["read"],
      }),
    });
    expect(concluded(diagnosis)).toBe("unknown");
  });

  it("without Route 53 and without a scan nothing is known", async () => {
    const diagnosis = await diagnosed(dnsDrift, zone, {
      around: (ports) => ({ ...ports, zones: undefined, ledger: undefined }),
    });
    expect(concluded(diagnosis)).toBe("unknown");
    expect(diagnosis.facts.from).toBe("last scan");
  });

  it("without Route 53 the last scan speaks, and says that it is the one", async () => {
    const diagnosis = await diagnosed(dnsDrift, zone, {
      around: (ports) => ({ ...ports, zones: undefined, ledger: withReport(ports) }),
    });
    expect(concluded(diagnosis)).toBe("healthy");
    expect(diagnosis.links.find(({ id }) => id === "zone")?.from).toBe("the last scan");
  });
});

/** A ledger in which a scan has left a report of nothing. */
function withReport({ ledger }: DiagnosePorts): DiagnosePorts["ledger"] {
  if (ledger === undefined) return undefined;
  const report = {
    format: 1,
    cluster: "goldentooth",
    at: 1,
    zone: { id: "Z0736727S7ZH91VKK44A", name: "goldentooth.net" },
    snapshot: { hash: "0".repeat(64), takenAt: 1 },
    controllers: [
      {
        name: "external-dns/external-dns",
        owner: "default",
        release: "0.21.0",
        policy: "sync",
        intervalSeconds: 60,
      },
    ],
    recordSets: 2,
    owned: { records: 1, txts: 1 },
    complete: true,
    findings: [],
    drifts: [],
    deletesBlocked: [],
    sightings: [],
    notReconciling: [],
    awaiting: [],
  } as unknown as Parameters<typeof keepReport>[2];
  const written = keepReport(ledger, undefined, report, "print");
  return { ...ledger, read: (...args) => written.then(() => ledger.read(...args)) };
}

describe("the word", () => {
  it("of no zone is answered with those there are", async () => {
    const { answer } = await ask(dnsDrift, "goldentoth.net");
    expect("noSuch" in answer && plain(answer.noSuch)).toContain("Nearest: goldentooth.net");
  });

  it("that names two zones is not guessed", async () => {
    const { answer } = await ask(dnsDrift, zone, {
      site: having(
        onZones(([first, ...rest]) =>
          first ? [first, { ...first, id: "Z0999999TWINGOLDEN" }, ...rest] : rest,
        ),
      ),
      around: (ports) => ({
        ...ports,
        config: {
          ...ports.config,
          dns: {
            publicResolvers: [],
            zones: [
              { name: zone, id: "Z0736727S7ZH91VKK44A" },
              { name: zone, id: "Z0999999TWINGOLDEN" },
            ],
          },
        },
      }),
    });
    expect("noSuch" in answer && plain(answer.noSuch)).toContain("is 2 zones");
  });
});

it("names every kind of drift among its codes", () => {
  expect(driftKinds.filter(({ id }) => !dnsDrift.codes.includes(id))).toEqual([]);
});
