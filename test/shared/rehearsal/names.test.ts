import { describe, expect, it } from "vitest";
import { clusterConfigOf } from "#infra/lab/in-memory.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import { objectsOfDump } from "#shared/rehearsal/cluster-objects.ts";
import { rehearsalReply } from "#shared/rehearsal/rehearsal-reply.ts";
import { rehearse } from "#shared/rehearsal/rehearse.ts";
import { siteOfCluster } from "#shared/rehearsal/site-of-cluster.ts";
import { type KnownZone, zonesOfAccount } from "#shared/rehearsal/zones-of-site.ts";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import { goldentooth } from "#shared/runbooks/goldentooth.ts";
import { wildcardTls } from "#shared/runbooks/wildcard-tls.ts";
import type { ClusterConfig } from "#shared/site/site.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { withFaults } from "#shared/twin/sites/faults.ts";
import { apexRecordSets } from "#shared/twin/zones.ts";
import { dnsSite, move } from "../domain-move/dns-sites.ts";
import { helmInstalled } from "../steps/gitops.ts";
import { withIssuer } from "../wildcard-tls/tls-sites.ts";

const lab = withFaults(dnsSite({ release: "0.21.0" }), withIssuer());

const zonesOf = ({ dns }: SiteSpec): readonly KnownZone[] =>
  (dns?.zones ?? []).map(({ id, name, nameServers, recordSets }) => ({
    id,
    name,
    private: false,
    recordSets: [
      ...recordSets,
      ...apexRecordSets(name, nameServers).filter(
        (apex) => !recordSets.some((set) => set.name === apex.name && set.type === apex.type),
      ),
    ],
  }));

const configOf = (spec: SiteSpec): ClusterConfig => ({
  ...clusterConfigOf(spec),
  migration: {
    quietSeconds: 600,
    repositories: [],
    helmValues: {},
    approvals: { who: "others", openSeconds: 1_800, local: false },
  },
});

type Given = Readonly<{
  order?: readonly string[];
  /** Kinds that nobody asked kubectl for. */
  without?: readonly ResourceKind[];
  zones?: "none";
  spec?: SiteSpec;
}>;

async function rehearsed(migration: Migration, { order, without = [], zones, spec: site = lab }: Given = {}) {
  const dump = objectsOfDump(
    JSON.stringify(site.objects.filter(({ kind }) => !without.includes(kind)).map(({ object }) => object)),
  );
  if (!dump.ok) throw new Error(dump.problems.join("; "));
  const config = configOf(site);
  const unread = await zonesOfAccount(undefined, move, new AbortController().signal);
  const made = siteOfCluster(dump.objects, config, "up", zones === "none" ? undefined : zonesOf(site));
  if (!made.ok) throw new Error(made.missing.join(", "));
  const result = await rehearse({
    spec: made.spec,
    config: made.config,
    migration,
    unknownKinds: dump.unknown,
    ...(zones === "none" && !unread.ok ? { zonesFault: unread.fault } : {}),
    ...(order === undefined ? {} : { order }),
    inputs: migration === bgpToL2 ? {} : move,
    clients: made.clients,
    startAt: Date.UTC(2026, 2, 1),
    readFile: () => Promise.reject(new Error("no files here")),
    settle: () => new Promise((go) => setImmediate(go)),
  });
  const reply = rehearsalReply("goldentooth", migration, result, made.assumed);
  return {
    ...result,
    reply,
    said: plain(reply.verdict.text),
    step: (id: string) => result.steps.find((step) => step.id === id),
    not: (outcome: string) => result.steps.filter((step) => step.outcome === outcome).map(({ id }) => id),
  };
}

const all = { resolve: 5, open: 5 };
const none = { resolve: 0, open: 0 };

describe("a domain move in its own order", () => {
  it("leaves no client without a name, and nothing behind", async () => {
    const { steps, reply, names, afterwards, step } = await rehearsed(dnsDomainMove);
    expect(reply.verdict).toMatchObject({ word: "REHEARSED", outcome: "ok" });
    expect(steps.filter(({ outcome }) => !["passed", "unneeded"].includes(outcome))).toEqual([]);
    const router = "behind-router";
    expect(names?.at[router]).toMatchObject({ old: all, new: none });
    expect(step("add-hostnames")?.names?.at[router]).toMatchObject({ old: all, new: all });
    expect(afterwards?.at[router]).toMatchObject({ old: none, new: all, lost: 0 });
    expect(steps.map((each) => each.names?.at[router]?.gapMs)).toEqual(steps.map(() => 0));
    // In the segment nobody announces yet: names resolve there, and lead nowhere.
    expect(names?.at["lan-wired"]).toMatchObject({ old: { resolve: 5, open: 0 } });
    expect(afterwards?.unseen).toEqual([]);
  });
});

describe("an ExternalDNS that a chart made", () => {
  it("gets the values that are handed over, as a person would apply them", async () => {
    const { not, afterwards } = await rehearsed(dnsDomainMove, {
      spec: dnsSite({ release: "0.21.0" }, helmInstalled("deployments", "external-dns")),
    });
    expect(not("would-halt")).toEqual([]);
    // What Git says of a chart's objects is not known without a configured clone.
    expect(not("unknown")).toEqual(["persist-dns"]);
    expect(afterwards?.at["behind-router"]).toMatchObject({ old: none, new: all });
  });
});

describe("a domain move in another order", () => {
  it("is an outage when old names go while nobody publishes the new", async () => {
    const { reply, said, afterwards } = await rehearsed(dnsDomainMove, {
      order: ["survey-dns", "add-hostnames", "drop-old-hostnames"],
    });
    expect(reply.verdict).toMatchObject({ word: "OUTAGE", outcome: "failed" });
    expect(said).toMatch(/clients behind the router can use neither the old name of something nor the new/);
    expect(afterwards?.at["behind-router"]).toMatchObject({ old: none, new: none, lost: 5 });
  });

  it("with the filter swapped in place leaves records behind that nobody looks after", async () => {
    const { step, said, afterwards } = await rehearsed(dnsDomainMove, {
      order: ["survey-dns", "cover-both-domains", "narrow-filter", "add-hostnames"],
    });
    expect(step("narrow-filter")?.halts.map(({ code }) => code)).toContain("old-domain-not-empty");
    expect(afterwards?.unseen).toHaveLength(5);
    expect(said).toMatch(/5 records are left in the old zone that nobody looks after/);
  });
});

describe("certificates", () => {
  it("are taken for issued where an issuer can prove them", async () => {
    const { step } = await rehearsed(wildcardTls);
    expect(step("survey-tls")?.outcome).toBe("passed");
    expect(["passed", "unneeded"]).toContain(step("wildcard-certificate")?.outcome);
  });

  it("are not known from a dump without issuers, and it says what to add", async () => {
    const { reply, step } = await rehearsed(wildcardTls, { without: ["clusterissuers"] });
    expect(reply.verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(step("survey-tls")?.outcome).toBe("unknown");
    expect(plain(step("survey-tls")?.text ?? [])).toMatch(
      /add certificates,issuers,clusterissuers to kubectl/,
    );
  });
});

describe("the whole evening", () => {
  it("loses no connection and no name in its own order, and counts the resets", async () => {
    const { reply, said, steps } = await rehearsed(goldentooth);
    expect(reply.verdict.outcome).toBe("ok");
    expect(said).toMatch(/reset once \(.*withdraw-bgp: \d+ addresses/);
    expect(steps.every(({ names }) => names?.at["behind-router"]?.gapMs === 0)).toBe(true);
  });

  it("from a dump without zones is rehearsed as far as the addresses, and says what is not known and why", async () => {
    const { reply, step, not } = await rehearsed(goldentooth, { zones: "none" });
    expect(reply.verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(not("would-halt")).toEqual([]);
    expect(step("withdraw-bgp")?.outcome).toBe("passed");
    expect(step("withdraw-bgp")?.felt.resets.connections).toBeGreaterThan(0);
    expect(not("unknown")).toEqual(expect.arrayContaining(["survey-dns", "add-hostnames", "survey-tls"]));
    expect(plain(step("survey-dns")?.text ?? [])).toMatch(/Route 53.*dns\.zones.*--zones FILE/);
  });
});

describe("a dump without the webhooks", () => {
  it("makes them unknown and not missing", async () => {
    const { steps, reply, step, not } = await rehearsed(bgpToL2, {
      without: ["validatingwebhookconfigurations"],
    });
    const codes = steps.flatMap(({ halts }) => halts.map(({ code }) => code));
    expect(codes).not.toContain("webhook-missing");
    expect(reply.verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(not("unknown")).toEqual(["final-verification"]);
    expect(JSON.stringify(reply.blocks)).toMatch(/add validatingwebhookconfigurations to kubectl get/);
    expect(step("withdraw-bgp")?.outcome).toBe("passed");
  });
});
