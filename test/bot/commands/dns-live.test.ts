import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createSnapshotKeeper, snapshotHeartbeat } from "#bot/dns/keep-snapshots.ts";
import { createHeartbeatWatch, createZoneScanner, scanEveryMs } from "#bot/dns/watch-zones.ts";
import { runExternalDns } from "#shared/adapters/external-dns-program.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { acceptSnapshot, lastAccepted } from "#shared/drift/accepted.ts";
import { beat } from "#shared/drift/scan-memory.ts";
import { FaultError } from "#shared/fault.ts";
import { plain } from "#shared/text.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { began, dangling, dnsSite, memorySnapshots, ownerText, recordSet, said } from "./dns-site.ts";

const open: ReturnType<typeof dnsSite>[] = [];
const site = (options: Parameters<typeof dnsSite>[0] = {}) => {
  const made = dnsSite(options);
  open.push(made);
  return made;
};
afterEach(() => {
  for (const each of open.splice(0)) each.twin.stop();
});

const foreign = recordSet("somebody.hellholt.net", "A", ["10.4.11.99"]);

describe("dns check on a cluster", () => {
  it("lists each zone once and names the zone nobody looks at", async () => {
    const on = site();
    const listings: string[] = [];
    const ports = on.deps.clusters.get("goldentooth");
    const { zones } = ports ?? {};
    if (ports === undefined || zones === undefined) throw new Error("no zones");
    Object.assign(ports, {
      zones: {
        ...zones,
        recordSets: (id: string) => {
          listings.push(id);
          return zones.recordSets(id);
        },
      },
    });
    const reply = await on.ask("operator", "dns check");
    expect(listings.toSorted()).toEqual(ports.config.dns?.zones.map(({ id }) => id).toSorted());
    expect(said(reply)).toContain("nobody will repair goldentooth.net: no ExternalDNS looks at it");
    expect(said(reply)).toContain("--domain-filter hellholt.net");
    expect(reply.verdict.outcome).toBe("failed");
  });

  it("limits itself to a name, and says which zones there are for one in none", async () => {
    const on = site();
    on.twin.zones.edit(on.hellholt, [{ action: "CREATE", set: dangling }]);
    expect(said(await on.ask("operator", "dns check gitea.hellholt.net"))).toContain(
      "no difference in gitea.hellholt.net",
    );
    expect(said(await on.ask("operator", "dns check a-gone.hellholt.net"))).toContain("1 difference");
    const none = await on.ask("operator", "dns check www.example.com");
    expect(none.verdict.outcome).toBe("usage");
    expect(said(none)).toContain(`hellholt.net (${on.hellholt})`);
  });

  it("says that it could not look instead of saying that something is absent", async () => {
    const on = site();
    on.twin.zones.faults.failPage(on.hellholt, 0);
    const reply = await on.ask("operator", "dns check hellholt.net");
    expect(reply.verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(said(reply)).toContain("nothing is said about what is absent");
  });

  it("without zones in the config says what to configure", async () => {
    const { dns: _, ...rest } = goldentooth();
    const reply = await site({ spec: rest }).ask("operator", "dns check");
    expect(reply.verdict.outcome).toBe("unknown");
    expect(said(reply)).toContain("no zones are configured");
  });

  it("tells twins of a name apart by id, and asks no ExternalDNS about the one it cannot see", async () => {
    const spec = goldentooth();
    const dns = spec.dns;
    if (dns === undefined) throw new Error("no dns");
    const twin = {
      id: "Z0PRIVATE00000000001",
      name: fqdn("hellholt.net"),
      private: true,
      nameServers: [],
      recordSets: [foreign],
    };
    const on = site({ spec: { ...spec, dns: { ...dns, zones: [...dns.zones, twin] } } });
    const config = on.deps.clusters.get("goldentooth")?.config;
    Object.assign(config?.dns ?? {}, {
      zones: [...dns.zones, twin].map(({ id, name }) => ({ id, name })),
    });
    const reply = await on.ask("operator", "dns check hellholt.net");
    expect(said(reply)).toContain("hellholt.net (private, Z0PRIVATE00000000001): no ExternalDNS looks at it");
    expect(said(reply)).toContain("--aws-zone-type=public, and the zone is private");
    const byId = await on.ask("operator", `dns check ${on.hellholt}`);
    expect(said(byId)).not.toContain("Z0PRIVATE00000000001): no ExternalDNS");
    expect(said(byId)).toContain("another zone has the same name");
  });

  it("reads files only in a shell", async () => {
    const on = site();
    const words = "dns check --zone-file a --endpoints b --zone example.com --owner x";
    expect(said(await on.ask("operator", words))).toContain("reads files only in a shell");
    const missing = await on.ask("operator", "dns check --zone-file a", "cli");
    expect(missing.verdict.outcome).toBe("usage");
    expect(said(missing)).toContain("--endpoints is missing");
    expect(said(missing)).toContain("--zone is missing");
  });
});

describe("dns forecast on a cluster", () => {
  it("says first what would be deleted, and why: the release reads other annotations", async () => {
    const on = site();
    const reply = await on.ask("operator", "dns forecast 0.22.0 --policy sync");
    expect(plain(reply.verdict.text)).toMatch(/^would delete 13 and orphan 0/);
    expect(said(reply)).toContain("13 endpoints are annotated under external-dns.alpha.kubernetes.io/");
    expect(said(reply)).toContain("DELETE gitea.hellholt.net A");
    expect(said(await on.ask("operator", "dns forecast 0.17.0"))).toContain("would delete 0 and orphan 0");
  });

  it("keeps what a policy keeps", async () => {
    const reply = await site().ask("operator", "dns forecast 0.22.0 --policy upsert-only");
    expect(plain(reply.verdict.text)).toMatch(/^would delete 0/);
  });

  it.each([
    ["dns forecast", "--release is missing"],
    ["dns forecast 0.99.0", "is not a release whose rules are known"],
    ["dns forecast 0.22.0 --policy everything", "must be one of sync"],
    ["dns forecast 0.22.0 --owner x", "--zone-file is missing"],
  ])("%s is refused: %s", async (words, why) => {
    const reply = await site().ask("operator", words);
    expect(reply.verdict.outcome).toBe("usage");
    expect(said(reply)).toContain(why);
  });

  it("names a flag that is not modelled, and is then unknown", async () => {
    const on = site();
    const ports = on.deps.clusters.get("goldentooth");
    if (ports === undefined) throw new Error("no cluster");
    const { read } = ports;
    Object.assign(ports, {
      read: async (...asked: Parameters<typeof read>) =>
        JSON.parse(
          JSON.stringify(await read(...asked)).replace(
            "--provider=aws",
            '--provider=aws","--fqdn-template={{.Name}}.x',
          ),
        ),
    });
    const reply = await on.ask("operator", "dns forecast 0.17.0");
    expect(reply.verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(said(reply)).toContain("--fqdn-template");
  });
});

describe("dns forecast with a real program", () => {
  const dirs: string[] = [];
  afterEach(async () => {
    for (const dir of dirs.splice(0)) await rm(dir, { recursive: true });
  });

  /** Where the door would lead: these programs never knock. */
  const notDialled = {
    clusters: [{ name: "far", cluster: { server: "https://127.0.0.1:1" } }],
    users: [{ name: "far", user: { token: "kept-to-ourselves" } }],
    contexts: [{ name: "far", context: { cluster: "far", user: "far" } }],
    "current-context": "far",
  };

  /** A program that says what it is told to, and what it was given. */
  async function program(lines: readonly string[], version = "v0.17.0", exit = 0) {
    const dir = await mkdtemp(join(tmpdir(), "external-dns-"));
    dirs.push(dir);
    const path = join(dir, "external-dns");
    const log = join(dir, "asked");
    await writeFile(
      path,
      `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; exit 0; fi\nprintf '%s\\n' "$@" > ${log}\nenv >> ${log}\ncat <<'END' >&2\n${lines.join("\n")}\nEND\nexit ${exit}\n`,
    );
    await chmod(path, 0o700);
    const { readFile } = await import("node:fs/promises");
    return { path, asked: async () => (await readFile(log, "utf8")).split("\n") };
  }

  async function forecast(path: string, words = "0.17.0") {
    const on = site();
    const kubeconfig = join(dirs.at(-1) ?? tmpdir(), "kubeconfig");
    await writeFile(kubeconfig, JSON.stringify(notDialled));
    const variables = {
      ...process.env,
      SLACK_BOT_TOKEN: "never",
      EXTERNAL_DNS_POLICY: "sync",
      AWS_REGION: "eu-x",
      AWS_CA_BUNDLE: "/roots.pem",
    };
    const runProgram = runExternalDns({ variables, clusterOf: () => ({ kubeconfig }) });
    Object.assign(on.deps, { runProgram });
    const asking = await on.app.ask({
      door: "cli",
      person: on.people[0],
      account: "x",
      words: `dns forecast ${words} --with-binary ${path}`,
    });
    return asking.kind === "answer" ? asking.reply : asking.job.run(() => {}, new AbortController().signal);
  }

  const upToDate = '{"level":"info","msg":"All records are already up to date"}';

  it("runs it once, dry, with the Deployment's arguments and hardly any environment", async () => {
    const { path, asked } = await program([upToDate]);
    const reply = await forecast(path);
    expect(said(reply)).toContain("The program and our model say the same changes.");
    const given = await asked();
    expect(given).toContain("--domain-filter=hellholt.net");
    expect(given.slice(0, given.indexOf("--dry-run") + 1).slice(-2)).toEqual(["--once", "--dry-run"]);
    expect(given).toContain("--metrics-address=127.0.0.1:0");
    const leads = given.filter((arg) => arg.startsWith("--kubeconfig="));
    expect(leads).toEqual([expect.stringMatching(/arpeggio-api-\w+\/config$/)]);
    // Ours alone, and gone with the run.
    expect(existsSync((leads[0] as string).slice("--kubeconfig=".length))).toBe(false);
    expect(given).toContain("AWS_REGION=eu-x");
    expect(given).toContain("SSL_CERT_FILE=/roots.pem");
    expect(given.join("\n")).not.toMatch(/SLACK_BOT_TOKEN|EXTERNAL_DNS_|AWS_CA_BUNDLE/);
  });

  it("its word outranks ours, and each disagreement is told", async () => {
    const { path } = await program(
      [
        '{"level":"info","msg":"Desired change: DELETE gitea.hellholt.net A","zoneID":"/hostedzone/Z1"}',
        'time="2026-11-23T14:00:00Z" level=info msg="Desired change: DELETE \\\\052.hellholt.net A" zoneID=/hostedzone/Z1',
      ].map((line) => line.replace("Z1", site().hellholt)),
    );
    const reply = await forecast(path);
    expect(plain(reply.verdict.text)).toMatch(/^would delete 2 and/);
    expect(reply.findings.map(({ code }) => code)).toContain("forecast-binary-disagrees");
    expect(said(reply)).toContain("only the program says DELETE gitea.hellholt.net A");
  });

  it("refuses a program of another release, and one that fails is unknown", async () => {
    expect(said(await forecast((await program([upToDate], "v0.15.0")).path))).toContain("is release 0.15.0");
    const failing = await program(['{"level":"fatal","msg":"no credentials"}'], "v0.17.0", 1);
    const reply = await forecast(failing.path);
    expect(reply.verdict.outcome).toBe("unknown");
    expect(said(reply)).toContain("no credentials");
    expect((await forecast("/no/such/program")).verdict.outcome).toBe("unknown");
  });

  it("works in a shell only", async () => {
    const reply = await site().ask("operator", "dns forecast 0.17.0 --with-binary x");
    expect(said(reply)).toContain("works in a shell only");
  });
});

describe("scans by the bot, reports and snoozes", () => {
  const withDrift = () => {
    const on = site();
    on.twin.zones.edit(on.hellholt, [{ action: "CREATE", set: dangling }]);
    const logged: unknown[] = [];
    const log = (entry: unknown): void => void logged.push(entry);
    const keeper = createSnapshotKeeper(on.deps, on.snapshots, log);
    const scanner = createZoneScanner(on.deps, on.snapshots, log);
    const scan = () =>
      on.clock.runUntil(
        (async () => {
          await keeper.once();
          await scanner.once();
        })(),
      );
    const reports = () =>
      [...(on.board?.standing ?? [])].filter(([key]) => key.startsWith(`drift/drift-${on.hellholt}`));
    return { on, scan, keeper, scanner, logged, reports };
  };

  it("tells a difference once, edits it, and buttons make a fresh plan and explain", async () => {
    const { on, scan, reports, logged } = withDrift();
    await scan();
    expect(logged).toEqual([]);
    const [[, report] = []] = reports();
    expect(report?.verdict.word).toBe("DRIFT");
    const [plan, explain] = report?.actions ?? [];
    expect(report?.actions.map(({ id }) => id)).toEqual(["drift-plan", "drift-explain", "drift-snooze"]);
    // What a scan offers it keeps nowhere: the button names the zone, and what is asked for is read afresh.
    expect(plan?.value).toMatch(new RegExp(`^${on.hellholt} P-[0-9a-f]{8}$`));
    expect(await on.ledger.list("plan")).toEqual([]);
    const made = await on.press("operator", "drift-plan", plan?.value ?? "");
    expect(await on.ledger.list("plan")).toHaveLength(1);
    expect((made.data as { stage: string }).stage).toBe("waiting");
    const words = said(await on.press("operator", "drift-explain", explain?.value ?? ""));
    expect(words).toContain("An ownership record");
    on.twin.zones.edit(on.hellholt, [{ action: "DELETE", set: dangling }]);
    await on.clock.advance(scanEveryMs);
    await scan();
    expect(reports()).toHaveLength(1);
    expect(said(reports()[0]?.[1] as never)).toContain("resolved");
  });

  it("a snooze keeps the next report quiet, with its reason, until what differs changes", async () => {
    const { on, scan, reports } = withDrift();
    expect(
      (await on.ask("operator", 'dns snooze hellholt.net --for 7d --reason "next week"')).verdict.word,
    ).toBe("UNKNOWN");
    await scan();
    const snoozed = await on.ask("operator", 'dns snooze hellholt.net --for 7d --reason "next week"');
    expect(said(snoozed)).toContain("1 difference in hellholt.net, until 2026-11-30");
    await on.clock.advance(scanEveryMs);
    await scan();
    expect(said(reports()[0]?.[1] as never)).toContain("quiet until 2026-11-30");
    expect(said(await on.ask("operator", "dns report hellholt.net"))).toContain("next week");
    const usage = await on.ask("operator", "dns snooze hellholt.net --for 90d --reason x");
    expect(said(usage)).toContain("31 days at most");
    expect((await on.press("operator", "drift-snooze", on.hellholt)).verdict.word).toBe("SNOOZED");
  });

  it("a snooze is not said of what came after it", async () => {
    const { on, scan } = withDrift();
    await scan();
    await on.ask("operator", 'dns snooze hellholt.net --for 7d --reason "next week"');
    const late = recordSet("a-late.hellholt.net", "TXT", [ownerText("service/old/late")]);
    on.twin.zones.edit(on.hellholt, [{ action: "CREATE", set: late }]);
    expect(said(await on.ask("operator", "dns report hellholt.net"))).not.toContain("next week");
  });

  it("a cluster that wants far fewer names is in doubt until an approver takes it at its word", async () => {
    const { on, scan } = withDrift();
    await scan();
    expect(said(await on.ask("approver", "dns accept --reason x"))).toContain("nobody doubts it");
    const { endpoints } = (await lastAccepted(on.ledger, "goldentooth")) ?? { endpoints: 0 };
    await acceptSnapshot(on.ledger, "goldentooth", {
      hash: "before",
      takenAt: on.clock.now(),
      endpoints: endpoints + 9,
    });
    const doubted = await on.ask("operator", "dns check hellholt.net");
    expect(said(doubted)).toContain("/dns accept --reason TEXT");
    const held = await on.ask("operator", "dns plan hellholt.net");
    expect(said(held)).toContain("we will change nothing in hellholt.net");
    expect(said(await on.ask("operator", "dns accept --reason gone"))).toContain("needs approver");
    const accepted = await on.ask("approver", 'dns accept --reason "the old shop is gone"');
    expect(accepted.verdict.word).toBe("ACCEPTED");
    expect(said(accepted)).toContain("9 fewer than before");
    expect(await lastAccepted(on.ledger, "goldentooth")).toMatchObject({
      endpoints,
      by: "approver",
      reason: "the old shop is gone",
    });
    expect((await on.ask("operator", "dns plan hellholt.net")).verdict.word).toBe("PLAN");
  });

  it("what is empty or could not be read is never accepted", async () => {
    const { on, scan } = withDrift();
    await scan();
    const ports = on.deps.clusters.get("goldentooth");
    if (ports === undefined) throw new Error("no cluster");
    const { read } = ports;
    const fault = { kind: "denied", what: "services", detail: "forbidden" } as const;
    const accept = async (services: unknown): Promise<string> => {
      Object.assign(ports, {
        read: async (...asked: Parameters<typeof read>) => ({ ...(await read(...asked)), services }),
      });
      return said(await on.ask("approver", "dns accept --reason x"));
    };
    const before = await lastAccepted(on.ledger, "goldentooth");
    expect(await accept(fault)).toContain("could not be read (forbidden)");
    expect(await accept([])).toContain("no endpoint at all");
    expect(await lastAccepted(on.ledger, "goldentooth")).toEqual(before);
  });

  it("a report says what is new and gone since the last scan", async () => {
    const { on, scan } = withDrift();
    expect(said(await on.ask("operator", "dns report hellholt.net"))).toContain(
      "no scan has kept a report yet",
    );
    await scan();
    on.twin.zones.edit(on.hellholt, [
      { action: "DELETE", set: dangling },
      { action: "CREATE", set: recordSet("a-late.hellholt.net", "TXT", [ownerText("service/old/late")]) },
    ]);
    const reply = await on.ask("operator", "dns report hellholt.net");
    expect(said(reply)).toContain("1 new and 1 gone since 2026-11-23 14:0");
  });

  it("a scan that fails is a warning until one succeeds", async () => {
    const { on, scan, scanner } = withDrift();
    const ports = on.deps.clusters.get("goldentooth");
    if (ports === undefined) throw new Error("no cluster");
    const { read } = ports;
    const fault = new FaultError({
      kind: "unreachable",
      what: "Kubernetes API",
      detail: "connection refused",
    });
    Object.assign(ports, { read: () => Promise.reject(fault) });
    await scan();
    expect(scanner.warnings().map(({ code }) => code)).toEqual(["dns-scan-failing"]);
    Object.assign(ports, { read });
    await scan();
    expect(scanner.warnings()).toEqual([]);
  });
});

describe("snapshots", () => {
  it("are kept with a heartbeat; what fails is a warning until it works again", async () => {
    const on = site();
    const good = memorySnapshots();
    let isBroken = true;
    const store = {
      ...good,
      put: (snapshot: Parameters<typeof good.put>[0]) =>
        isBroken
          ? Promise.reject(new FaultError({ kind: "denied", what: "bucket", detail: "AccessDenied" }))
          : good.put(snapshot),
    };
    const keeper = createSnapshotKeeper(on.deps, store, () => {});
    const once = () => on.clock.runUntil(keeper.once());
    await once();
    expect(keeper.warnings().map(({ code, text }) => `${code} ${plain(text)}`)).toEqual([
      "dns-snapshot-failing what goldentooth wants in its zones is not kept whole since 14:00 UTC, so nobody will delete or apply by it: bucket: AccessDenied",
    ]);
    isBroken = false;
    await once();
    expect(keeper.warnings()).toEqual([]);
    expect((await good.latest("goldentooth"))?.controllers).toHaveLength(1);
    await once();
    const beats = await on.ledger.read(snapshotHeartbeat("goldentooth"));
    expect(beats.map(({ type }) => type)).toEqual(["failed", "kept"]);
    await on.clock.advance(3_600_000);
    await once();
    expect(await on.ledger.read(snapshotHeartbeat("goldentooth"))).toHaveLength(3);
  });
});

describe("the heartbeat of a function", () => {
  it("is missed after two intervals", async () => {
    const on = site();
    const watch = createHeartbeatWatch(on.deps, "scan-drift");
    const look = () => on.clock.runUntil(watch.once());
    await look();
    expect(watch.warnings()).toEqual([]);
    await on.clock.advance(2 * scanEveryMs + 1);
    expect(plain(watch.warnings()[0]?.text ?? [])).toContain("has ended no scan since this bot started");
    await beat(on.ledger, { at: on.clock.now(), complete: true, zones: [] });
    await look();
    expect(watch.warnings()).toEqual([]);
    await on.clock.advance(2 * scanEveryMs + 1);
    await look();
    expect(watch.warnings().map(({ code }) => code)).toEqual(["dns-scan-silent"]);
    expect(on.clock.now()).toBeGreaterThan(began);
  });
});
