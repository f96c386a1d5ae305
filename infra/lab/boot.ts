import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { ObjectStore } from "#shared/twin/object-store.ts";
import { podLogOf } from "#shared/twin/pod-log.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { createTwin, type Twin } from "#shared/twin/twin.ts";
import type { LambdaName } from "../bundle.ts";
import type { LabFunctions } from "./aws/functions.ts";
import type { LabFunction } from "./aws/lambda.ts";
import { type LabAws, startLabAws } from "./aws/start.ts";
import { startCertManager } from "./cert-manager.ts";
import { dnsConfigOf, siteResolversOf } from "./dns/config.ts";
import { externalDnsRelease } from "./dns/faults.ts";
import { type LabDns, startLabDns } from "./dns/start.ts";
import { dnsEnv, dnsServersText } from "./dns/written.ts";
import { writeKubeconfig } from "./kubernetes/kubeconfig.ts";
import { type KubernetesApi, startKubernetesApi } from "./kubernetes/start.ts";
import { labScenarios } from "./scenarios.ts";
import { labWorkspace } from "./slack/spec.ts";
import { type SlackWorkspace, startSlackWorkspace } from "./slack/workspace.ts";
import { type SshEdge, startSshEdge } from "./ssh/edge.ts";
import { writeSshFiles } from "./ssh/write-ssh-files.ts";

export type Lab = Readonly<{
  twin: Twin;
  kubernetes: KubernetesApi;
  ssh: SshEdge;
  slack: SlackWorkspace;
  /** Route 53 over the twin's zones, and the other services of AWS that Arpeggio uses. */
  aws: LabAws;
  /** Every resolver and name server of the model, for `dig`. */
  dns: LabDns;
  /** The functions that were deployed, by name. */
  functions: ReadonlyMap<string, LabFunction>;
  /** What a bot or a person needs to use it, as `.lab/env` exports it. */
  env: Readonly<Record<string, string>>;
  files: Readonly<{ config: string; kubeconfig: string; sshConfig: string; knownHosts: string; env: string }>;
  close: () => Promise<void>;
}>;

const host = "127.0.0.1";
const cluster = "goldentooth";
const reportChannel = "C0PLATFORM";
const alertsChannel = "C0ALERTS";
const snapshotBucket = "arpeggio-snapshots";
const ledgerTableName = "arpeggio-ledger";
const slackTokenSecret = "slack-token";
const approvers = ["approver", "approver-2"];

/** People of the lab: the console switches between them, Slack and config agree on who they are. */
const people = [
  { name: "operator", slack: "U0OPERATOR", os: "operator" },
  { name: "approver", slack: "U0APPROVER", os: "approver" },
  { name: "approver-2", slack: "U0APPROVER2", os: "approver-2" },
  { name: "viewer", slack: "U0VIEWER", os: "viewer" },
];

/** Good for this lab alone, which is on loopback. */
const alertsToken = "lab-alerts-token";
const alertsTokenFile = "alerts-token";

/** What Alertmanager's alerts are about here. */
const alertRoutes = [
  { match: { alertname: "ServiceDown" }, runbook: "service-unreachable", subject: "service" },
  { match: { alertname: "NodeDown" }, runbook: "node-lost", subject: "node" },
  { match: { alertname: "DnsDrift" }, runbook: "dns-drift", subject: "zone" },
  { match: { alertname: "NameDoesNotResolve" }, runbook: "name-does-not-resolve", subject: "name" },
  { match: { alertname: "CertificateExpiring" }, runbook: "certificate-expiring", subject: "name" },
];

/** Quotes a value for `. .lab/env` in a POSIX shell. */
const shellQuoted = (value: string): string => `'${value.replaceAll("'", `'"'"'`)}'`;

/** Makes the ledger's table and what takes the functions' events; nothing is bundled before the first one. */
async function deployFunctions(
  on: Readonly<{
    spec: SiteSpec;
    store: ObjectStore;
    dnsConfig: NonNullable<ReturnType<typeof dnsConfigOf>>;
    dns: LabDns;
    aws: LabAws;
    slack: SlackWorkspace;
    dir: string;
  }>,
  names: readonly LambdaName[],
): Promise<Pick<LabFunctions, "functions" | "close">> {
  const { aws, slack, dir, ...site } = on;
  // The SDK and the bundler are for those who ask for functions.
  const [{ createLedgerTable }, { labFunctions }, { labDeployments }] = await Promise.all([
    import("./aws/create-ledger-table.ts"),
    import("./aws/functions.ts"),
    import("./aws/deployed.ts"),
  ]);
  const region = aws.env.AWS_REGION ?? "";
  await createLedgerTable({ endpoint: aws.url, region, table: ledgerTableName });
  const made = labFunctions({
    dir: join(dir, "functions"),
    deploy: () =>
      labDeployments({
        ...site,
        cluster,
        approvers,
        slackChannel: reportChannel,
        slackTokenSecret,
        slackApiUrl: slack.apiUrl,
        env: { ...aws.env, LEDGER_TABLE: ledgerTableName, SNAPSHOT_BUCKET: snapshotBucket },
      }),
  });
  return {
    functions: new Map([...made.functions].filter(([name]) => names.some((each) => each === name))),
    close: made.close,
  };
}

/**
 * Boots a site with real protocols at its edges, all on loopback, and writes what is needed to use it into `dir`:
 * config, kubeconfig, SSH config with pinned host keys, and an env file to source.
 */
export async function bootLab(
  options: Readonly<{
    scenario: string;
    dir: string;
    botPort: number;
    /** Where the bot's door for machines is to be; left out, it has none and takes no alerts. */
    httpPort?: number;
    /** The release of ExternalDNS, `0.22.0`; left out, the scenario's own. */
    externalDns?: string;
    /**
     * The bundled functions behind Lambda's Invoke, with the ledger in DynamoDB where they find it. They are bundled with
     * the first event. Left out, nobody writes to the zones and the ledger is a file.
     */
    lambdas?: readonly LambdaName[];
  }>,
): Promise<Lab> {
  const { dir } = options;
  const scenario = labScenarios[options.scenario];
  if (!scenario)
    throw new Error(
      `There is no scenario "${options.scenario}". Known: ${Object.keys(labScenarios).join(", ")}`,
    );
  const spec =
    options.externalDns === undefined
      ? scenario.site()
      : externalDnsRelease(options.externalDns)(scenario.site());
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const store = createObjectStore({
    now: systemClock.now,
    newUid: () => crypto.randomUUID(),
    admit: admitMetalLb,
  });
  const twin = createTwin({ spec, clock: systemClock, store, newId: () => crypto.randomUUID() });
  const stopCertManager = startCertManager(store, systemClock);
  // It may take its time; nobody waits for it.
  void scenario.afterwards?.(twin);

  const kubernetes = await startKubernetesApi({
    store,
    host,
    port: 0,
    tokens: { "lab-admin": { user: "admin", groups: ["system:masters"] } },
    podLog: (request) => podLogOf(twin, request),
  });
  const kubeconfig = join(dir, "kubeconfig");
  await writeKubeconfig({
    url: kubernetes.url,
    caPem: kubernetes.caPem,
    token: "lab-admin",
    cluster: spec.name,
    file: kubeconfig,
  });
  const machines = twin.machines().filter((machine) => machine.kind !== "router");
  const ssh = await startSshEdge({ machines, run: twin.run, host });
  const sshFiles = await writeSshFiles({ dir, edge: ssh });
  const slack = await startSlackWorkspace({ host });
  const dnsConfig = dnsConfigOf(spec);
  const functions = new Map<string, LabFunction>();
  const aws = await startLabAws({
    host,
    port: 0,
    zones: twin.zones,
    functions,
    buckets: [snapshotBucket],
    secrets: { [slackTokenSecret]: labWorkspace.app.botToken },
    now: systemClock.now,
    newId: () => crypto.randomUUID(),
  });
  const dns = await startLabDns({ resolvers: twin.resolvers, port: 0 });
  await writeFile(join(dir, "dns-servers"), dnsServersText(dns));
  const lambdas =
    dnsConfig === undefined || options.lambdas === undefined
      ? undefined
      : await deployFunctions({ spec, store, dnsConfig, dns, aws, slack, dir }, options.lambdas);
  for (const [name, run] of lambdas?.functions ?? []) functions.set(name, run);
  const deployed = (name: LambdaName) => (lambdas?.functions.has(name) ? name : undefined);
  const requestUrl = `http://${host}:${options.botPort}/slack/events`;
  slack.setRequestUrl(requestUrl);

  const access = (machine: string) => ({
    host,
    port: ssh.ports.get(machine),
    user: "root",
    identityFile: "id_ed25519",
    knownHostsFile: "known_hosts",
  });
  const config = {
    clusters: [
      {
        name: cluster,
        kubeconfig: "kubeconfig",
        site: {
          lanPrefix: spec.lanPrefix,
          routerIp: spec.router.nics[0]?.addresses[0]?.split("/")[0],
          routerPrefix: Number(spec.router.lanPrefix.split("/")[1]),
          resolvers: siteResolversOf(spec),
          unusedAddress: spec.unusedAddress,
        },
        vantages: spec.vantages.map((vantage) => ({
          name: vantage.name,
          place: vantage.place,
          ssh: access(vantage.name),
          ...(vantage.clusterNode === undefined ? {} : { clusterNode: vantage.clusterNode }),
        })),
        nodes: {
          ssh: { user: "root", identityFile: "id_ed25519", knownHostsFile: "known_hosts" },
          list: spec.nodes.map((node) => ({ name: node.name, host, port: ssh.ports.get(node.name) })),
        },
        ...(dnsConfig && { dns: { ...dnsConfig, ...(scenario.move && { move: scenario.move }) } }),
        // Nobody is anybody here: the console may approve as the other person. Nobody sits here for a day either.
        migration: { approvals: { local: true }, quietSeconds: 60 },
      },
    ],
    people,
    roles: [
      { role: "viewer", people: people.map((p) => p.name), clusters: ["*"] },
      { role: "operator", people: ["operator", "approver"], clusters: ["goldentooth"] },
      { role: "approver", people: approvers, clusters: [cluster] },
    ],
    slack: { team: labWorkspace.team.id, reportChannel },
    ...(options.httpPort === undefined
      ? {}
      : {
          http: { host, port: options.httpPort },
          alerts: {
            channel: alertsChannel,
            tokenFile: alertsTokenFile,
            quietSeconds: 60,
            routes: alertRoutes,
          },
        }),
    ledger: lambdas === undefined ? { file: "ledger.sqlite" } : { dynamodb: { table: ledgerTableName } },
    aws: {
      region: aws.env.AWS_REGION,
      applyFunction: deployed("apply-changes"),
      scanFunction: deployed("scan-drift"),
      snapshots: { bucket: snapshotBucket },
    },
  };
  await writeFile(join(dir, alertsTokenFile), `${alertsToken}\n`, { mode: 0o600 });
  const configFile = join(dir, "config.yaml");
  await writeFile(configFile, stringify(config));
  const env: Record<string, string> = {
    ARPEGGIO_CONFIG: configFile,
    KUBECONFIG: kubeconfig,
    SLACK_BOT_TOKEN: labWorkspace.app.botToken,
    SLACK_SIGNING_SECRET: labWorkspace.app.signingSecret,
    SLACK_API_URL: slack.apiUrl,
    HOST: host,
    PORT: String(options.botPort),
    LAB_SSH_CONFIG: sshFiles.config,
    LAB_KNOWN_HOSTS: sshFiles.knownHosts,
    LAB_KUBERNETES_URL: kubernetes.url,
    LAB_SLACK_URL: slack.url,
    LAB_SLACK_APP_TOKEN: labWorkspace.app.appToken,
    LAB_REQUEST_URL: requestUrl,
    ...(options.httpPort === undefined
      ? {}
      : { LAB_HTTP_URL: `http://${host}:${options.httpPort}`, LAB_ALERTS_TOKEN: alertsToken }),
    ...dnsEnv(dns),
    ...aws.env,
  };
  const envFile = join(dir, "env");
  const lines = Object.entries(env).map(([key, value]) => `export ${key}=${shellQuoted(value)}`);
  await writeFile(envFile, `${lines.join("\n")}\n`, { mode: 0o600 });
  return {
    twin,
    kubernetes,
    ssh,
    slack,
    aws,
    dns,
    functions,
    env,
    files: {
      config: configFile,
      kubeconfig,
      sshConfig: sshFiles.config,
      knownHosts: sshFiles.knownHosts,
      env: envFile,
    },
    close: async () => {
      await lambdas?.close();
      await Promise.all([kubernetes.close(), ssh.close(), slack.close(), aws.close(), dns.close()]);
      stopCertManager();
      twin.stop();
    },
  };
}
