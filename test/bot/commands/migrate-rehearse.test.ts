import { describe, expect, it } from "vitest";
import type { Context, Deps } from "#bot/commands/command.ts";
import { rehearse } from "#bot/commands/migrate-rehearse.ts";
import { listedRecordSet } from "#shared/dns/record-set.ts";
import { FaultError } from "#shared/fault.ts";
import { exitCode } from "#shared/reply.ts";
import { migrations } from "#shared/runbooks/all.ts";
import type { Site } from "#shared/site/site.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { apexRecordSets } from "#shared/twin/zones.ts";
import { dnsSite, move } from "../../shared/domain-move/dns-sites.ts";
import { bgpSite } from "../../shared/steps/bgp-sites.ts";
import { twinCluster } from "./twin-cluster.ts";

const spec = bgpSite("0.15.2");
const known: Partial<Site> = { routerIp: "10.4.0.1", routerPrefix: 20 };

const immediately = () => new Promise((go) => setImmediate(go));

/** Time passes outside while the rehearsal has its own. */
async function ask(
  words: Readonly<Record<string, string>>,
  given: Readonly<{
    site?: Partial<Site>;
    files?: Readonly<Record<string, string>>;
    door?: "cli" | "slack";
    spec?: SiteSpec;
    /** Whether Route 53 can be asked. */
    zones?: boolean;
  }> = {},
) {
  const at = twinCluster(given.spec ?? spec);
  const { cluster, clock } = at;
  const config = { ...cluster.config, site: { ...cluster.config.site, ...(given.site ?? known) } };
  const input = rehearse.input.parse({ runbook: "bgp-to-l2", ...words });
  const base = at.context(input);
  const deps: Deps = {
    ...base.deps,
    migrations: async () => migrations,
    newId: () => "id",
    readFile: async (path) => {
      const content = given.files?.[path];
      if (content === undefined)
        throw new FaultError({ kind: "unreadable", what: path, detail: "no such file" });
      return content;
    },
  };
  const context: Context<unknown> = {
    ...base,
    deps,
    cluster: { ...cluster, config, ...(given.zones === true ? { zones: at.twin.zones.read } : {}) },
    caller: { ...base.caller, door: given.door ?? "cli" },
  };
  let settled = false;
  const reply = Promise.resolve(rehearse.handle(context as never)).finally(() => {
    settled = true;
  });
  reply.catch(() => {});
  while (!settled) {
    await clock.advance(500);
    await immediately();
  }
  return { reply: await reply, twin: at.twin };
}

const dump = JSON.stringify({
  apiVersion: "v1",
  kind: "List",
  items: spec.objects.map(({ object }) => object),
});
const order = "withdraw-bgp,create-l2advertisement";

const named = dnsSite({ release: "0.21.0" });
const namedDump = JSON.stringify(named.objects.map(({ object }) => object));
/** As `aws route53 list-resource-record-sets` prints them. */
const listings = Object.fromEntries(
  (named.dns?.zones ?? []).map(({ name, nameServers, recordSets }) => [
    `${name}.json`,
    JSON.stringify({
      ResourceRecordSets: [
        ...apexRecordSets(name, nameServers).filter(
          (apex) => !recordSets.some((set) => set.name === apex.name && set.type === apex.type),
        ),
        ...recordSets,
      ].map(listedRecordSet),
    }),
  ]),
);
const short = { from: move.from, to: move.to, order: "survey-dns,cover-both-domains,add-hostnames" };

describe("/migrate rehearse", () => {
  it("shows the outage of an order that breaks before it makes, and changes nothing", async () => {
    const { reply, twin } = await ask({ order });
    expect(reply.verdict).toMatchObject({ word: "OUTAGE", outcome: "failed" });
    expect(exitCode(reply)).toBe(1);
    expect(reply.cluster).toBe(spec.name);
    expect(reply.data).toMatchObject({
      addresses: 5,
      steps: [
        { id: "withdraw-bgp", outcome: "would-halt", lost: expect.arrayContaining(["10.4.11.1"]) },
        { id: "create-l2advertisement", lost: [] },
      ],
    });
    expect(twin.store.get("bgpadvertisements", "metallb", "primary")).toBeDefined();
    expect(twin.store.list("l2advertisements").items).toEqual([]);
  });

  it("gives the same from a dump", async () => {
    const live = await ask({ order });
    const { reply } = await ask({ order, dump: "dump.json" }, { files: { "dump.json": dump } });
    expect(reply.verdict).toEqual(live.reply.verdict);
  });

  it("is unknown where the config does not tell the router", async () => {
    const { reply } = await ask({}, { site: {} });
    expect(exitCode(reply)).toBe(3);
    expect(reply.data).toEqual({ runbook: "bgp-to-l2", missing: ["site.routerIp", "site.routerPrefix"] });
  });

  it("asks Route 53 for the zones, and tells how names fare", async () => {
    const { reply, twin } = await ask({ runbook: "dns-domain-move", ...short }, { spec: named, zones: true });
    expect(reply.verdict).toMatchObject({ word: "REHEARSED", outcome: "ok" });
    const at = { "behind-router": { old: { resolve: 5, open: 5 }, new: { resolve: 5, open: 5 }, lost: 0 } };
    expect(reply.data).toMatchObject({ afterwards: { pairs: 5, at } });
    expect(twin.zones.recordSets("Z0736727S7ZH91VKK44A").some(({ type }) => type === "A")).toBe(false);
  });

  it("takes listings of zones from files beside a dump", async () => {
    const zones = Object.keys(listings).join(",");
    const files = { ...listings, "dump.json": namedDump };
    const { reply } = await ask(
      { runbook: "dns-domain-move", ...short, dump: "dump.json", zones },
      { files },
    );
    expect(reply.verdict).toMatchObject({ word: "REHEARSED", outcome: "ok" });
    expect(reply.data).toMatchObject({ afterwards: { pairs: 5 } });
  });

  it("without any knows what is not known, and why", async () => {
    const files = { "dump.json": namedDump };
    const { reply } = await ask({ runbook: "dns-domain-move", ...short, dump: "dump.json" }, { files });
    expect(exitCode(reply)).toBe(3);
    expect(JSON.stringify(reply.blocks)).toMatch(/no zones are configured .*--zones FILE/);
  });

  it.each([
    ["a listing that is not there", "nope.json", {}, {}, /nope\.json: no such file/],
    ["a file that lists no zone", "x", { x: "{}" }, {}, /x: no list ResourceRecordSets/],
    ["a listing without its apex", "x", { x: '{"ResourceRecordSets":[]}' }, {}, /x: it has no SOA/],
    ["a file asked for in Slack", "x", {}, { door: "slack" as const }, /--zones .*Slack has none/],
  ])("says what is wrong with zones: %s", async (_, zones, files, given, expected) => {
    const { reply } = await ask({ runbook: "dns-domain-move", ...short, zones }, { files, ...given });
    expect(exitCode(reply)).toBe(2);
    expect(plain(reply.verdict.text)).toMatch(expected);
  });

  it.each([
    ["a runbook that is not there", { runbook: "bgp-to-l3" }, {}, /there is no runbook/],
    [
      "a step that is not there",
      { order: "withdraw-bpg" },
      {},
      /no step withdraw-bpg; nearest: withdraw-bgp/,
    ],
    ["a file that is not there", { dump: "nope.json" }, {}, /nope\.json: no such file/],
    ["a file that is no dump", { dump: "x" }, { files: { x: "hello" } }, /not JSON/],
    [
      "a dump of other things",
      { dump: "x" },
      { files: { x: '{"kind":"List","items":[]}' } },
      /no object in it/,
    ],
    ["a file asked for in Slack", { dump: "x" }, { door: "slack" as const }, /Slack has none/],
  ])("says what is wrong: %s", async (_, words, given, expected) => {
    const { reply } = await ask(words, given);
    expect(exitCode(reply)).toBe(2);
    expect(plain(reply.verdict.text)).toMatch(expected);
  });
});
