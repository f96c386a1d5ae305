import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { createWishes } from "#bot/doors/slack/board.ts";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import { twoPeople, twoPeopleOn } from "#infra/lab/two-people.ts";
import { usualNamespaces } from "#infra/rbac.ts";
import { connectCluster } from "#shared/adapters/kubernetes.ts";
import { isFault } from "#shared/fault.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import { callOfWrite } from "#shared/steps/recording.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { leapingClock } from "#test/bot/doors/slack/leaping-clock.ts";
import { handsOn } from "#test/bot/runs/crash/by-hand.ts";
import { doNext, type People } from "#test/bot/runs/crash/people.ts";
import type { Goal } from "#test/bot/runs/crash/world.ts";
import { bgpSite } from "#test/shared/steps/bgp-sites.ts";
import { type BoundAccount, makeAccount } from "./support/bound-account.ts";
import { openRawApi, type RawApi } from "./support/raw-api.ts";
import { onCluster, putSite, realKinds } from "./support/site-on-cluster.ts";

const kubeconfig = inject("kubeconfig");
const isTrial = kubeconfig === undefined && process.env.TRIAL_CLUSTER === "yes";

type Hands = Readonly<{ api: RawApi; account: BoundAccount }>;

/** What somebody else does to the cluster meanwhile. */
type Trouble = Readonly<{
  /** Just before an act, in words as "patch bgpadvertisements". */
  before?: (act: string, hands: Hands) => Promise<void>;
  beforeRetry?: (hands: Hands) => Promise<void>;
}>;

/** A whole run with two people; API, RBAC and webhooks are real, nodes and wire are the model's. */
async function run(goal: Goal, trouble: Trouble = {}) {
  const own = `arpeggio-test-${crypto.randomUUID().slice(0, 8)}`;
  const api = await openRawApi(undefined);
  const folder = await mkdtemp(join(tmpdir(), "arpeggio-run-"));
  const file = join(folder, "config");
  const spec = bgpSite("0.16.1");
  const clock = leapingClock(40);
  const writes: { words: string; dryRun: boolean }[] = [];
  const at: { twin?: Twin } = {};
  await writeKubeconfig({ url: api.server, caPem: api.caPem ?? "", token: "later", cluster: "bound", file });
  const halts: string[] = [];
  await api.call("POST", "/api/v1/namespaces", { metadata: { name: own } });
  const there = { ...usualNamespaces, metallb: spec.metallb.namespace, canary: "httpbin" };
  for (const name of Object.values(there))
    await api.call("POST", "/api/v1/namespaces", { metadata: { name } });
  const account = await makeAccount(api, own, there);
  if ("because" in account) throw new Error(account.because);
  await account.bind("reading.yaml");
  await account.bind("bgp-to-l2.yaml");
  await writeKubeconfig({
    url: api.server,
    caPem: api.caPem ?? "",
    token: account.token,
    cluster: "bound",
    file,
  });
  const cluster = connectCluster({ kubeconfig: file, requestTimeoutMs: 15_000 });
  const { twin, app, ledger } = twoPeopleOn(
    spec,
    clock,
    (kept) => createWishes({ ledger: kept, clock, log: () => {} }).board,
    onCluster(
      cluster,
      () => (at.twin as Twin).store,
      async (write, dryRun) => {
        const { verb, resource } = callOfWrite(write);
        writes.push({ words: `${verb} ${resource}`, dryRun });
        if (!dryRun) await trouble.before?.(`${verb} ${resource}`, { api, account });
      },
    ),
  );
  at.twin = twin;
  const site = await putSite(api, twin.store);
  const names = async () => {
    const listed = await cluster.read([...realKinds]);
    return Object.fromEntries(
      realKinds.map((kind) => {
        const list = listed[kind];
        return [
          kind,
          isFault(list) ? list.detail : list.map(({ metadata, spec: of }) => [metadata.name, of]),
        ];
      }),
    );
  };
  try {
    const before = await names();
    const people: People = {
      start: "migrate start bgp-to-l2",
      ...(goal === "and back" && { backAt: "frr-off" }),
      clock,
      look: () => lastRun(ledger, "goldentooth"),
      ask: async (who, words) => {
        if (words === "migrate retry") await trouble.beforeRetry?.({ api, account });
        const person = twoPeople.find(({ name }) => name === who);
        const asking = await app.ask({
          door: "slack",
          person,
          account: person?.slack ?? who,
          channel: "C0PLATFORM",
          words,
        });
        if (asking.kind === "job") await asking.job.run(() => {}, new AbortController().signal);
      },
      hands: handsOn(twin, undefined),
      onHalt: (said) => void halts.push(said),
    };
    let ended: string | undefined;
    for (let turn = 0; ended === undefined; turn++) {
      if (turn > 60) throw new Error(`no end: ${halts.slice(-3).join("; ")}`);
      ended = await doNext(people);
    }
    return { ended, halts, writes, before, after: await names() };
  } finally {
    twin.stop();
    await site.remove();
    await account.remove();
    await api.call("DELETE", `/api/v1/namespaces/${own}`);
    cluster.close();
    await api.close();
    await rm(folder, { recursive: true });
  }
}

const acts = (writes: Awaited<ReturnType<typeof run>>["writes"], dryRun: boolean) =>
  writes.filter((write) => write.dryRun === dryRun).map(({ words }) => words);

describe.skipIf(!isTrial)("a whole run of bgp-to-l2 against this API server (TRIAL_CLUSTER=yes)", () => {
  it("goes to its end with the rights of its own file, each act once", async () => {
    const { ended, halts, writes, before, after } = await run("to the end");
    expect(halts).toEqual([]);
    expect(ended).toBe("finished");
    expect(acts(writes, false)).toEqual([
      "create l2advertisements",
      "patch bgpadvertisements",
      "delete bgpadvertisements",
      "delete bgppeers",
      "delete bfdprofiles",
    ]);
    expect(acts(writes, true)).toContain("create l2advertisements");
    expect(after).toMatchObject({ bgpadvertisements: [], bgppeers: [], bfdprofiles: [] });
    expect(after.l2advertisements).toHaveLength(1);
    expect(after.services).toEqual(before.services);
  }, 300_000);

  it("halts where somebody else was there first, or took the rights away, and goes on from there", async () => {
    const done = new Set<string>();
    const { ended, halts, writes, after } = await run("to the end", {
      before: async (act, { api, account }) => {
        if (done.has(act)) return;
        done.add(act);
        const path = "/apis/metallb.io/v1beta1/namespaces/metallb/bgpadvertisements/primary";
        if (act === "patch bgpadvertisements" || act === "delete bgpadvertisements") {
          const { body } = await api.call("GET", path);
          const metadata = { ...(body.metadata as object), labels: { "arpeggio.test/by": act.slice(0, 5) } };
          expect((await api.call("PUT", path, { ...body, metadata })).status).toBe(200);
        }
        if (act === "delete bgppeers") await account.unbind();
      },
      beforeRetry: async ({ account }) => {
        await account.unbind();
        await account.bind("reading.yaml");
        await account.bind("bgp-to-l2.yaml");
        // The authorizer hears of it a moment later.
        await new Promise((go) => setTimeout(go, 1_000));
      },
    });
    // What a patch is about was as planned: it is tried again. What is deleted has to be what was looked at.
    expect(halts).toEqual([
      expect.stringMatching(/^withdraw-bgp conflict: /),
      expect.stringMatching(
        /^remove-bgp-peers denied: .* bgppeers.metallb.io "opnsense" is forbidden: User "system:serviceaccount:\S+" cannot delete resource .* Nothing of this step was done$/,
      ),
    ]);
    expect(ended).toBe("finished");
    expect(acts(writes, false).filter((act) => act === "patch bgpadvertisements")).toHaveLength(2);
    expect(after).toMatchObject({ bgpadvertisements: [], bgppeers: [], bfdprofiles: [] });
  }, 300_000);

  it("and all the way back: the cluster has what it had", async () => {
    const { ended, halts, before, after } = await run("and back");
    expect(halts).toEqual([]);
    expect(ended).toBe("went-back");
    expect(after).toEqual(before);
  }, 300_000);
});
