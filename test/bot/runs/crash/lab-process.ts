import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { stringify } from "yaml";
import { writeKubeconfig } from "#infra/lab/kubernetes/kubeconfig.ts";
import { startKubernetesApi } from "#infra/lab/kubernetes/start.ts";
import { scaledClock } from "#infra/lab/scaled-clock.ts";
import { startSshEdge } from "#infra/lab/ssh/edge.ts";
import { writeSshFiles } from "#infra/lab/ssh/write-ssh-files.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { podLogOf } from "#shared/twin/pod-log.ts";
import { createTwin } from "#shared/twin/twin.ts";
import { bgpSite } from "../../../shared/steps/bgp-sites.ts";
import { setBgpMode } from "../../../shared/steps/world.ts";
import type { Life, WorldEnd } from "./world.ts";

const host = "127.0.0.1";

/** What runs of `bgp-to-l2` write. */
const kinds = [
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "bfdprofiles",
  "communities",
  "services",
] as const;

type World = Readonly<{ native: () => void; end: () => Promise<WorldEnd> }>;

const worlds = new Map<string, World>();

/** Names that differ from run to run although the same was done. */
const withoutIds = (text: string): string => text.replaceAll(/\bR-\d+\b/g, "R");

async function createWorld(life: Life): Promise<void> {
  const { dir } = life;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const clock = scaledClock(life.factor, life.began);
  const spec = bgpSite(life.version);
  const store = createObjectStore({
    now: clock.now,
    newUid: () => crypto.randomUUID(),
    admit: admitMetalLb,
  });
  const twin = createTwin({ spec, clock, store, newId: () => crypto.randomUUID() });
  const acts: string[] = [];
  store.subscribe(({ type, kind, object }) => {
    if (!(kinds as readonly string[]).includes(kind)) return;
    const { namespace = "", name, generation = 0 } = object.metadata;
    // Statuses are written by controllers; only what a run writes makes a new generation, or a new object, or none.
    const last = acts.findLast((act) => act.includes(` ${kind} ${namespace}/${name} `));
    const act = `${type} ${kind} ${namespace}/${name} generation ${generation}`;
    if (last !== act) acts.push(act);
  });
  acts.length = 0;
  const kubernetes = await startKubernetesApi({
    store,
    host,
    tokens: { token: { user: "admin", groups: ["system:masters"] } },
    podLog: (request) => podLogOf(twin, request),
    now: clock.now,
  });
  const machines = twin.machines().filter((machine) => machine.kind !== "router");
  const ssh = await startSshEdge({ machines, run: twin.run, host });
  await writeSshFiles({ dir, edge: ssh });
  await writeKubeconfig({
    url: kubernetes.url,
    caPem: kubernetes.caPem,
    token: "token",
    cluster: spec.name,
    file: join(dir, "kubeconfig"),
  });
  const files = { user: "root", identityFile: "id_ed25519", knownHostsFile: "known_hosts" };
  const people = ["operator", "approver"];
  const config = {
    clusters: [
      {
        name: "goldentooth",
        kubeconfig: "kubeconfig",
        site: {
          lanPrefix: spec.lanPrefix,
          routerIp: spec.router.nics[0]?.addresses[0]?.split("/")[0],
          routerPrefix: Number(spec.router.lanPrefix.split("/")[1]),
          unusedAddress: spec.unusedAddress,
        },
        vantages: spec.vantages.map(({ name, place, clusterNode }) => ({
          name,
          place,
          ssh: { host, port: ssh.ports.get(name), ...files },
          ...(clusterNode === undefined ? {} : { clusterNode }),
        })),
        nodes: {
          ssh: files,
          list: spec.nodes.map(({ name }) => ({ name, host, port: ssh.ports.get(name) })),
        },
        migration: { approvals: { local: true, openSeconds: 86_400 } },
      },
    ],
    people: people.map((name) => ({ name, os: name })),
    roles: [
      { role: "operator", people: ["operator"], clusters: ["*"] },
      { role: "approver", people: ["approver"], clusters: ["*"] },
    ],
    ledger: { file: "ledger.sqlite" },
  };
  await writeFile(join(dir, "config.yaml"), stringify(config));
  worlds.set(life.name, {
    native: () => setBgpMode(twin, "native"),
    end: async () => {
      const objects = Object.fromEntries(
        kinds.flatMap((kind) =>
          store.list(kind).items.map(({ metadata, spec: wanted }) => {
            const { name, namespace = "", labels = {}, annotations = {} } = metadata;
            const said = JSON.stringify({ spec: wanted, labels, annotations });
            return [`${kind} ${namespace}/${name}`, withoutIds(said)];
          }),
        ),
      );
      const reachable = twin.reach("guest-client", "10.4.11.1").ok;
      await Promise.all([kubernetes.close(), ssh.close()]);
      twin.stop();
      worlds.delete(life.name);
      return { objects, acts, reachable };
    },
  });
}

const server = createServer(async (request, response) => {
  try {
    const url = new URL(request.url ?? "/", "http://lab");
    const world = worlds.get(url.searchParams.get("world") ?? "");
    let answer: unknown = null;
    if (url.pathname === "/create") await createWorld(JSON.parse(url.searchParams.get("life") ?? "") as Life);
    else if (world === undefined) throw new Error("no such world");
    else if (url.pathname === "/native") world.native();
    else answer = await world.end();
    response.end(JSON.stringify(answer));
  } catch (error) {
    response.statusCode = 500;
    response.end(error instanceof Error ? error.stack : String(error));
  }
});
server.listen(0, host, () =>
  process.stdout.write(`ready http://${host}:${(server.address() as AddressInfo).port}\n`),
);
process.on("disconnect", () => process.exit(0));
