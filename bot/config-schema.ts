import ipaddr from "ipaddr.js";
import * as z from "zod";
import { isTimeZone } from "#shared/incidents/site-time.ts";
import { nearest } from "#shared/nearest.ts";

/**
 * What only people know (design section 5). The same schema checks the file and prints as JSON Schema, so every key
 * carries its meaning in `describe`.
 */
const name = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "must be lower-case letters, digits, dashes and dots");

const ip = z.string().refine((value) => ipaddr.isValid(value), "must be an IP address, for example 10.4.0.1");

const cidr = z
  .string()
  .refine((value) => ipaddr.isValidCIDR(value), "must be a prefix in CIDR form, for example 10.4.0.0/20");

const range = z.string().refine((value) => {
  if (ipaddr.isValidCIDR(value)) return true;
  const ends = value.split("-").map((end) => end.trim());
  return ends.length === 2 && ends.every((end) => ipaddr.isValid(end));
}, "must be a range of addresses, for example 10.4.1.100-10.4.1.199, or a prefix");

const port = z.int().min(1).max(65_535);

const ssh = z
  .strictObject({
    host: z.string().min(1).describe("Name or address to dial"),
    port: port.default(22),
    user: z.string().min(1),
    identityFile: z.string().min(1).describe("Private key, OpenSSH format; relative to this file"),
    knownHostsFile: z
      .string()
      .min(1)
      .describe("Pinned host keys, OpenSSH known_hosts format; relative to this file"),
    hostKeyAlias: z.string().min(1).optional().describe("Look the host key up under this name"),
    proxyCommand: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("An argv that speaks SSH on stdin and stdout"),
    jumpHost: name.optional().describe("Another vantage or node of this cluster to go through"),
    sudo: z.boolean().default(false).describe("Privileged commands go through sudo -n"),
  })
  .describe("SSH access with a pinned host key");

const vantage = z
  .strictObject({
    name,
    place: z
      .enum(["lan-wired", "lan-wifi", "behind-router"])
      .describe("Where it stands decides what it can prove"),
    ssh: ssh.optional(),
    local: z.literal(true).optional().describe("The machine Arpeggio itself runs on"),
    sudo: z.literal(true).optional().describe("With local: privileged commands go through sudo -n"),
    clusterNode: name
      .optional()
      .describe("Set when this vantage is a node of the cluster: it then gives ARP evidence only"),
  })
  .refine((v) => (v.ssh === undefined) !== (v.local === undefined), {
    message: 'must have exactly one of "ssh" and "local: true"',
  });

const timeZone = z.string().superRefine((value, context) => {
  if (isTimeZone(value)) return;
  const near = nearest(value, Intl.supportedValuesOf("timeZone"));
  context.addIssue({
    code: "custom",
    message: `must be a time zone of the IANA database such as Europe/Berlin${near === undefined ? "" : `; nearest: ${near}`}`,
  });
});

const site = z.strictObject({
  lanPrefix: cidr.describe("The segment the announced addresses live in"),
  routerIp: ip.optional(),
  routerPrefix: z.int().min(1).max(128).optional().describe("Prefix length the router has on the LAN"),
  staticRoutes: z.array(z.strictObject({ to: cidr, via: ip })).default([]),
  dhcpRanges: z.array(range).default([]),
  resolvers: z.array(ip).default([]),
  lanNic: z
    .array(z.strictObject({ nic: z.string().min(1).max(15), nodes: z.array(name).min(1) }))
    .default([])
    .describe("LAN interface by node; without an entry it is the one addressed in lanPrefix"),
  timeZone: timeZone
    .optional()
    .describe("IANA name, such as Europe/Berlin: exports show its time beside UTC"),
  unusedAddress: ip.optional().describe("An address nobody uses; it tells proxy ARP from an announcer"),
});

const zoneName = z
  .string()
  .regex(
    /^([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "must be a domain without a trailing dot, for example goldentooth.net",
  );

const dns = z.strictObject({
  zones: z
    .array(
      z.strictObject({
        name: zoneName,
        id: z.string().regex(/^Z[A-Z0-9]+$/, "must be a hosted zone id such as Z0123456789ABC"),
      }),
    )
    .min(1)
    .describe("Hosted zones of Route 53, by id: two zones may have one name"),
  move: z
    .strictObject({ from: zoneName, to: zoneName })
    .optional()
    .describe("The domain move of the runbooks dns-domain-move and goldentooth"),
  publicResolvers: z
    .array(ip)
    .min(1)
    .default(["1.1.1.1", "8.8.8.8"])
    .describe("Resolvers outside the site, asked what the world sees"),
  askFrom: name
    .optional()
    .describe("The vantage that asks name servers of the world; without it the bot's own machine does"),
});

const seconds = z
  .int()
  .min(0)
  .max(90 * 86_400);

const migration = z.strictObject({
  canary: z
    .string()
    .regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, "must be namespace/service")
    .optional()
    .describe("The Service whose address loses BGP first"),
  quietSeconds: seconds
    .default(86_400)
    .describe("How long old names stay beside the new ones, beyond their TTL"),
  repositories: z
    .array(
      z.strictObject({
        name,
        path: z.string().min(1).describe("A clone that GitOps reads from; relative to this file"),
        branch: z.string().min(1).describe("Where Arpeggio commits"),
        base: z.string().min(1).default("main"),
      }),
    )
    .default([]),
  helmValues: z
    .record(z.string(), z.string().min(1))
    .default({})
    .describe("Files with the Helm values in use, by release; relative to this file"),
  approvals: z
    .strictObject({
      who: z
        .enum(["others", "self"])
        .default("others")
        .describe("self: the one who asks may approve; every message then says so"),
      openSeconds: z.int().min(60).max(86_400).default(1_800),
      local: z.boolean().default(false).describe("Approving in a terminal, for a lab only"),
    })
    .default({ who: "others", openSeconds: 1_800, local: false }),
});

const cluster = z.strictObject({
  name,
  kubeconfig: z
    .string()
    .min(1)
    .optional()
    .describe("Path relative to this file; without it KUBECONFIG or in-cluster"),
  context: z.string().min(1).optional(),
  site,
  vantages: z.array(vantage).default([]),
  nodes: z
    .strictObject({
      ssh: ssh
        .partial({ host: true })
        .optional()
        .describe("How nodes are reached; host is each node's InternalIP unless listed"),
      list: z
        .array(
          z.strictObject({
            name,
            host: z.string().min(1),
            port: port.optional(),
            hostKeyAlias: z.string().optional(),
          }),
        )
        .default([])
        .describe("Nodes by name: used for SSH, and instead of the API when that is down"),
    })
    .default({ list: [] }),
  dns: dns.optional().describe("What ExternalDNS and Route 53 have to do with this cluster"),
  migration: migration.optional().describe("What migrations need to know"),
});

const role = z.strictObject({
  role: z.enum(["viewer", "operator", "approver"]),
  people: z.array(z.string()).default([]).describe("Names from people"),
  groups: z
    .array(z.string().regex(/^S[A-Z0-9]+$/, "must be a Slack user group id such as S0123ABCD"))
    .default([]),
  clusters: z.array(z.string()).min(1).describe("Names of clusters, or *"),
  channels: z
    .array(z.string().regex(/^[CG][A-Z0-9]+$/, "must be a Slack channel id such as C0123ABCD"))
    .default([])
    .describe("Slack channels in which this rule holds; empty means all"),
});

const channelId = z.string().regex(/^[CG][A-Z0-9]+$/, "must be a Slack channel id such as C0123ABCD");

const http = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default("127.0.0.1")
      .describe("Address to listen on; loopback unless told otherwise"),
    port: z.int().min(0).max(65_535).describe("0 picks a free one"),
  })
  .describe("Door for machines: /healthz, /readyz, /metrics and /alerts");

const alerts = z
  .strictObject({
    channel: channelId.optional().describe("Where incidents stand; without it slack.reportChannel"),
    tokenFile: z
      .string()
      .min(1)
      .optional()
      .describe("File with the bearer token of /alerts, relative to this file; or ARPEGGIO_ALERTS_TOKEN"),
    quietSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(300)
      .describe("An incident closes itself when all its alerts have been resolved for so long"),
    storm: z
      .strictObject({
        over: z.int().min(1).max(50).default(5),
        withinSeconds: z.int().min(1).max(3_600).default(60),
        calmSeconds: z.int().min(1).max(86_400).default(300),
      })
      .default({ over: 5, withinSeconds: 60, calmSeconds: 300 })
      .describe(
        "More new incidents than `over` within `withinSeconds` are listed in one message, until calm",
      ),
    watchdog: z
      .strictObject({
        alertname: z.string().min(1),
        withinSeconds: z.int().min(30).max(86_400),
      })
      .optional()
      .describe("An alert that always fires: it is missed when it was not told for so long"),
    routes: z
      .array(
        z.strictObject({
          match: z
            .record(z.string(), z.string())
            .describe("Labels that all have to hold: a value, or /regex/ for the whole value"),
          runbook: z.string().min(1),
          subject: z
            .string()
            .min(1)
            .optional()
            .describe("Label that names the subject, or a template such as {{namespace}}/{{service}}"),
          cluster: z.string().min(1).optional().describe("A configured cluster, or the label that names one"),
        }),
      )
      .default([])
      .describe("What fits first counts; what fits nothing is told without a runbook"),
  })
  .describe("Alertmanager's webhook");

const heartbeat = z
  .strictObject({
    urlFile: z
      .string()
      .min(1)
      .optional()
      .describe("File with the URL of a dead man's switch, relative to this file; or ARPEGGIO_HEARTBEAT_URL"),
    everySeconds: z.int().min(5).max(86_400).default(60),
    method: z.enum(["GET", "POST"]).default("GET"),
  })
  .describe("Somebody outside who is told that the bot works, and tells people when that stops");

export const configSchema = z
  .strictObject({
    clusters: z.array(cluster).min(1),
    people: z
      .array(
        z.strictObject({
          name,
          slack: z
            .string()
            .regex(/^[UW][A-Z0-9]+$/, "must be a Slack user id such as U0123ABCD")
            .optional(),
          os: z.string().min(1).optional().describe("Account of the operating system, for console and CLI"),
        }),
      )
      .default([]),
    runbooks: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Files with the site's own runbooks for on-call (docs/site-runbooks.md); relative to this file",
      ),
    roles: z.array(role).default([]),
    slack: z
      .strictObject({
        team: z.string().regex(/^[TE][A-Z0-9]+$/, "must be a Slack team id such as T0123ABCD"),
        prefix: z
          .string()
          .regex(/^[a-z0-9-]*$/)
          .default("")
          .describe("Put before every slash command where a name is taken"),
        reportChannel: z
          .string()
          .regex(/^[CG][A-Z0-9]+$/, "must be a Slack channel id")
          .optional(),
      })
      .optional(),
    ledger: z
      .strictObject({
        file: z.string().min(1).optional().describe("SQLite file on a local disk; relative to this file"),
        dynamodb: z
          .strictObject({ table: z.string().min(3).max(255) })
          .optional()
          .describe("With Lambdas or two bots: the table infra/cdk makes"),
      })
      .refine((l) => (l.file === undefined) !== (l.dynamodb === undefined), {
        message: 'must have exactly one of "file" and "dynamodb"',
      })
      .optional(),
    aws: z
      .strictObject({
        region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be a region such as eu-central-1"),
        applyFunction: z
          .string()
          .min(1)
          .optional()
          .describe("Name or ARN of the apply-changes Lambda; without it drift is only reported"),
        scanFunction: z.string().min(1).optional(),
        snapshots: z
          .strictObject({ bucket: z.string().min(3).max(63) })
          .optional()
          .describe("Where the bot puts what the cluster wants, for the Lambdas to read"),
      })
      .optional(),
    http: http.optional(),
    alerts: alerts.optional(),
    heartbeat: heartbeat.optional(),
  })
  .describe("Arpeggio: what only people know about the site");

export type ConfigFile = z.output<typeof configSchema>;

/** Printed by `arpeggio schema`; editors check the file against it while it is typed. */
export const configJsonSchema = (): Record<string, unknown> => z.toJSONSchema(configSchema, { io: "input" });
