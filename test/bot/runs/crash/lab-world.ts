import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { type LabAws, startLabAws } from "#infra/lab/aws/start.ts";
import { startCertManager } from "#infra/lab/cert-manager.ts";
import { dnsConfigOf, siteResolversOf } from "#infra/lab/dns/config.ts";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import { startKubernetesApi } from "#infra/lab/kubernetes/start.ts";
import { scaledClock } from "#infra/lab/scaled-clock.ts";
import { startSshEdge } from "#infra/lab/ssh/edge.ts";
import { writeSshFiles } from "#infra/lab/ssh/write-ssh-files.ts";
import { openWorkingTree } from "#shared/adapters/git-working-tree.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { podLogOf } from "#shared/twin/pod-log.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { createTwin, type Twin } from "#shared/twin/twin.ts";
import { follow, type Hands, handsOn } from "./by-hand.ts";
import { withoutIds, worldAt } from "./left.ts";
import { patience, repository, stories } from "./stories.ts";
import type { Life, WorldEnd } from "./world.ts";

const host = "127.0.0.1";

export type World = Readonly<{
  hands: Hands;
  /** What a bot needs in its environment. */
  env: Readonly<Record<string, string>>;
  end: () => Promise<WorldEnd>;
}>;

/** A clone with these files on its branch, and nothing of it checked out. */
function cloneAt(path: string, files: Readonly<Record<string, string>>, write: typeof writeFile) {
  const git = (...args: readonly string[]): void => {
    const who = { GIT_AUTHOR_NAME: "lab", GIT_AUTHOR_EMAIL: "lab@localhost" };
    const env = { ...process.env, ...who, GIT_COMMITTER_NAME: "lab", GIT_COMMITTER_EMAIL: "lab@localhost" };
    execFileSync("git", ["-C", path, ...args], { env, stdio: "pipe" });
  };
  return (async () => {
    await mkdir(path, { recursive: true });
    git("init", "-q", "-b", repository.base);
    for (const [file, text] of Object.entries(files)) await write(join(path, file), text);
    git("add", "-A");
    git("commit", "-q", "-m", "what the site starts from");
    git("checkout", "-q", "--detach");
    return openWorkingTree({ ...repository, path });
  })();
}

/** Lets the Application of the clone see each new commit. Returns what ends it. */
function followCommits(twin: Twin, path: string, tree: Parameters<typeof follow>[1]): () => void {
  const tip = (): string => readFileSync(join(path, ".git/refs/heads", repository.base), "utf8");
  let seen = tip();
  const looking = setInterval(() => {
    const now = tip();
    if (now === seen) return;
    seen = now;
    void follow(twin, tree);
  }, 100);
  return () => clearInterval(looking);
}

/** Commands that change a node; every other one only looks. */
const changesNode = /(touch|systemd-run|setsid|mv)\b.*arpeggio-R/;

/** A site with real protocols at its edges, for one story. */
export async function createWorld(life: Life): Promise<World> {
  const { dir } = life;
  const story = stories[life.story];
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const clock = scaledClock(life.factor, life.began);
  const spec = story.site();
  const store = createObjectStore({
    now: clock.now,
    newUid: () => crypto.randomUUID(),
    admit: admitMetalLb,
  });
  const twin = createTwin({ spec, clock, store, newId: () => crypto.randomUUID() });
  const stops = [startCertManager(store, clock), () => twin.stop()];
  const clone = join(dir, "clone");
  const tree = story.inGit && (await cloneAt(clone, story.inGit(spec), writeFile));
  if (tree !== undefined) stops.push(followCommits(twin, clone, tree));

  const acts: string[] = [];
  const kubernetes = await startKubernetesApi({
    store,
    host,
    tokens: { token: { user: "admin", groups: ["system:masters"] } },
    podLog: (request) => podLogOf(twin, request),
    now: clock.now,
    faults: {
      respond: ({ method, path, query, body }) => {
        // A deletion says so in its body.
        const isDry = query.has("dryRun") || (method === "DELETE" && body.includes("dryRun"));
        const isAct = method !== "GET" && !isDry && !path.includes("authorization.k8s.io");
        if (isAct) acts.push(`${method} ${path}`);
        return undefined;
      },
    },
  });
  const machines = twin.machines().filter((machine) => machine.kind !== "router");
  const ssh = await startSshEdge({
    machines,
    host,
    run: (machine, argv, io) => {
      const line = argv.join(" ");
      if (changesNode.test(line)) acts.push(withoutIds(`${machine}: ${line}`));
      return twin.run(machine, argv, io);
    },
  });
  await writeSshFiles({ dir, edge: ssh });
  await writeKubeconfig({
    url: kubernetes.url,
    caPem: kubernetes.caPem,
    token: "token",
    cluster: spec.name,
    file: join(dir, "kubeconfig"),
  });
  const aws: LabAws | undefined =
    spec.dns &&
    (await startLabAws({
      host,
      port: 0,
      zones: twin.zones,
      now: clock.now,
      newId: () => crypto.randomUUID(),
    }));
  const config = configOf(spec, ssh.ports, tree === undefined ? undefined : clone, aws?.env.AWS_REGION);
  await writeFile(join(dir, "config.yaml"), stringify(config));
  return {
    hands: handsOn(twin, tree),
    env: aws?.env ?? {},
    end: async () => {
      const left = await worldAt(twin);
      const commits =
        tree === undefined
          ? []
          : execFileSync("git", ["-C", clone, "log", "--reverse", "--format=%B", repository.base])
              .toString()
              .split("\n")
              .filter((line) => line.startsWith("Arpeggio-Deed"));
      await Promise.all([kubernetes.close(), ssh.close(), aws?.close()]);
      for (const stop of stops.toReversed()) stop();
      return { left, acts: [...acts, ...commits.map(withoutIds)] };
    },
  };
}

function configOf(
  spec: SiteSpec,
  ports: ReadonlyMap<string, number>,
  clone: string | undefined,
  region: string | undefined,
) {
  const files = { user: "root", identityFile: "id_ed25519", knownHostsFile: "known_hosts" };
  const dns = dnsConfigOf(spec);
  return {
    clusters: [
      {
        name: "goldentooth",
        kubeconfig: "kubeconfig",
        site: {
          lanPrefix: spec.lanPrefix,
          routerIp: spec.router.nics[0]?.addresses[0]?.split("/")[0],
          routerPrefix: Number(spec.router.lanPrefix.split("/")[1]),
          resolvers: siteResolversOf(spec),
          unusedAddress: spec.unusedAddress,
        },
        vantages: spec.vantages.map(({ name, place, clusterNode }) => ({
          name,
          place,
          ssh: { host, port: ports.get(name), ...files },
          ...(clusterNode === undefined ? {} : { clusterNode }),
        })),
        nodes: { ssh: files, list: spec.nodes.map(({ name }) => ({ name, host, port: ports.get(name) })) },
        ...(dns && { dns }),
        migration: { ...patience, ...(clone && { repositories: [{ ...repository, path: clone }] }) },
      },
    ],
    people: ["operator", "approver"].map((name) => ({ name, os: name })),
    roles: [
      { role: "operator", people: ["operator"], clusters: ["*"] },
      { role: "approver", people: ["approver"], clusters: ["*"] },
    ],
    ledger: { file: "ledger.sqlite" },
    ...(region && { aws: { region } }),
  };
}
