import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { bundleLambdas, lambdaNames } from "#infra/bundle.ts";
import type { Endpoint } from "#shared/dns/endpoint.ts";
import { defaultController } from "#shared/dns/forecast.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { newestRelease } from "#shared/dns/release.ts";
import { makePlan } from "#shared/drift/change-plan.ts";
import { detectDrift } from "#shared/drift/detect.ts";
import { defaultDeleteLimits } from "#shared/drift/guards.ts";
import type { DriftInput } from "#shared/drift/input.ts";

const zone = fqdn("bench.example.net");
const at = Date.UTC(2026, 10, 23, 12);

const simple = (name: string, type: string, value: string): RecordSet => ({
  name: fqdn(`${name}.${zone}`),
  type,
  routing: { policy: "simple" },
  answer: { kind: "values", ttl: 300, values: [value] },
});

/** A quarter owned records, a quarter their TXTs, half foreign; one owned record in a hundred is not wanted any more. */
function inputOf(count: number): DriftInput {
  const recordSets: RecordSet[] = [];
  const wanted: Endpoint[] = [];
  for (let i = 0; i < count / 4; i++) {
    const target = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
    const resource = `service/apps/s${i}`;
    recordSets.push(
      simple(`s${i}`, "A", target),
      simple(
        `a-s${i}`,
        "TXT",
        `"heritage=external-dns,external-dns/owner=me,external-dns/resource=${resource}"`,
      ),
      simple(`f${i}`, "A", target),
      simple(`g${i}`, "TXT", '"v=1"'),
    );
    if (i % 100 !== 0)
      wanted.push({
        name: `s${i}.${zone}`,
        type: "A",
        targets: [target],
        ttl: 0,
        setIdentifier: "",
        providerSpecific: [],
        labels: { resource },
      });
  }
  return {
    cluster: "bench",
    at,
    zone: { id: "Z1", name: zone },
    recordSets,
    controllers: [
      {
        name: "external-dns/external-dns",
        controller: defaultController(newestRelease, "upsert-only", "me"),
        wanted,
        dropped: [],
        unknown: [],
        intervalSeconds: 60,
      },
    ],
    snapshot: { hash: "h", takenAt: at, faults: [], endpoints: wanted.length },
    services: [],
    oldDomains: [],
    previous: [],
  };
}

/** In a process of its own, so that its memory is its own. */
function planOnce(count: number): void {
  const input = inputOf(count);
  const begun = performance.now();
  const before = process.cpuUsage();
  const report = detectDrift(input);
  const plan = makePlan({ input, report, limits: { ...defaultDeleteLimits, absolute: 1_000 }, at });
  const ms = Math.round(performance.now() - begun);
  const { user, system } = process.cpuUsage(before);
  const cpu = Math.round((user + system) / 1_000);
  const mb = Math.round(process.resourceUsage().maxRSS / 1_024);
  process.stdout.write(JSON.stringify({ count, ms, cpu, mb, items: plan.items.length }));
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** Milliseconds on the clock, and of the thread's processor time, which others on the same cores disturb less. */
type Load = Readonly<{ ms: number; cpu: number }>;

async function loads(rounds: number): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "arpeggio-bench-"));
  try {
    const made = await bundleLambdas(join(dir, "made"));
    for (const name of lambdaNames) {
      const clients = ["route-53", "dynamodb", "s3", "secrets-manager"];
      const source = clients.map((each, i) => `import * as c${i} from "@aws-sdk/client-${each}";`).join("\n");
      const slack =
        name === "scan-drift" ? 'import { WebClient } from "@slack/web-api"; use.push(WebClient);' : "";
      const empty = join(dir, `${name}-empty.mjs`);
      await build({
        stdin: {
          contents: `${source}\nconst use = [c0.Route53Client, c1.DynamoDBClient, c2.S3Client, c3.SecretsManagerClient, c0.ListResourceRecordSetsCommand, c0.ChangeResourceRecordSetsCommand, c1.PutItemCommand, c1.UpdateItemCommand, c1.GetItemCommand, c1.paginateQuery, c2.GetObjectCommand, c2.PutObjectCommand, c3.GetSecretValueCommand];\n${slack}\nexport const handler = async () => use.length;`,
          resolveDir: join(import.meta.dirname, ".."),
        },
        outfile: empty,
        bundle: true,
        minify: true,
        format: "esm",
        platform: "node",
        target: "node24",
        mainFields: ["module", "main"],
        banner: {
          js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
        },
        logLevel: "error",
      });
      const once = (file: string): Load => {
        const code = `const t = performance.now(); const u = process.threadCpuUsage(); await import(${JSON.stringify(file)});
          const { user, system } = process.threadCpuUsage(u);
          process.stdout.write(JSON.stringify({ ms: performance.now() - t, cpu: (user + system) / 1000 }));`;
        return JSON.parse(
          spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" }).stdout,
        ) as Load;
      };
      const ours: Load[] = [];
      const bare: Load[] = [];
      for (let i = 0; i < rounds; i++) {
        ours.push(once(made[name].file));
        bare.push(once(empty));
      }
      const compared = (of: keyof Load): string => {
        const [a, b] = [ours, bare].map((loads) => median(loads.map((load) => load[of]))) as [number, number];
        return `${a.toFixed(0)} ms beside ${b.toFixed(0)} ms: ${(a / b).toFixed(2)}`;
      };
      process.stdout.write(
        `load ${name} beside an empty handler with the same clients: ${compared("ms")}; processor time ${compared("cpu")} (limit 1.3); ${Math.round(made[name].bytes / 1_024)} kB\n`,
      );
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

type Planned = Readonly<Record<"ms" | "cpu" | "mb", number>> & Readonly<{ items?: number; version?: string }>;

/** Whoever plans the same zone: each time in a process of its own. */
type Planner = Readonly<{ name: string; command: readonly string[] }>;

const ours: Planner = {
  name: "Arpeggio",
  command: [
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    join(import.meta.dirname, "main.ts"),
    "dns",
    "--plan",
  ],
};

function planOf({ command }: Planner, count: number): Planned {
  const [program = "", ...rest] = command;
  const child = spawnSync(program, [...rest, String(count)], { encoding: "utf8" });
  if (child.status !== 0) throw new Error(child.stderr || String(child.error));
  return JSON.parse(child.stdout) as Planned;
}

/** In turns, so that what else the machine does falls on all alike. */
function plans(planners: readonly Planner[], count: number, rounds: number): void {
  const all = new Map(planners.map(({ name }) => [name, [] as Planned[]]));
  for (let i = 0; i < rounds; i++)
    for (const planner of planners) all.get(planner.name)?.push(planOf(planner, count));
  const own = all.get(ours.name) ?? [];
  for (const [name, made] of all) {
    const of = (key: "ms" | "cpu" | "mb", from = made): number => median(from.map((each) => each[key]));
    const version = made[0]?.version === undefined ? "" : ` ${made[0].version}`;
    const ratio = (key: "ms" | "cpu"): string => (of(key, own) / of(key)).toFixed(2);
    const beside =
      name === ours.name
        ? ""
        : `; ours is ${ratio("ms")} of that on the clock, ${ratio("cpu")} in processor time`;
    const fastest = Math.min(...made.map(({ ms }) => ms));
    process.stdout.write(
      `plan of ${count} record sets, ${name}${version}: ${of("ms")} ms (fastest ${fastest}), ${of("cpu")} ms of processor time over all threads, ${of("mb")} MB resident at most${beside}\n`,
    );
  }
}

/**
 * Plans of large zones, and how long the functions take to load. Arguments: rounds, a Python that has octoDNS, and the
 * program that `dns-peers/round-of-external-dns.go` becomes; both plan beside us.
 */
export async function run(args: readonly string[]): Promise<void> {
  if (args[0] === "--plan") return planOnce(Number(args[1]));
  const [rounds = "9", python, externalDns] = args;
  process.stdout.write(
    `${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.versions.node}, ${new Date().toISOString()}, load ${loadavg()[0]?.toFixed(1)}\n`,
  );
  const planners: readonly Planner[] = [
    ours,
    ...(python === undefined
      ? []
      : [
          { name: "octoDNS", command: [python, join(import.meta.dirname, "dns-peers/plan-with-octodns.py")] },
        ]),
    ...(externalDns === undefined ? [] : [{ name: "ExternalDNS", command: [externalDns] }]),
  ];
  for (const count of [10_000, 100_000]) plans(planners, count, Number(rounds));
  process.stdout.write("goals at 100,000: 1000 ms, 400 MB\n");
  await loads(Number(rounds));
  if (python === undefined || externalDns === undefined)
    process.stdout.write("octoDNS or ExternalDNS beside it: not measured, as they were not named\n");
}
