import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Stack, Validations } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import * as s3 from "aws-cdk-lib/aws-s3";
import { AwsSolutionsChecks } from "cdk-nag";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadDeployment, readDeployment } from "#infra/cdk/deployment.ts";
import { arpeggioStack } from "#infra/cdk/stack.ts";
import { zoneRights } from "#infra/cdk/zone-rights.ts";

const example = join(import.meta.dirname, "../../../infra/cdk/example.yaml");
const context = { "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": true };

type Statement = Readonly<{
  Sid?: string;
  Effect: string;
  Action: string | readonly string[];
  Resource: unknown;
  Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}>;
type Resource = Readonly<{ Type: string; Properties: Readonly<Record<string, unknown>> }>;

let dir: string;
let template: Template;
let report: Readonly<{
  pluginReports: readonly Readonly<{
    pluginName: string;
    conclusion: string;
    violations: readonly unknown[];
  }>[];
}>;

const bundles = () => ({ "scan-drift": dir, "apply-changes": dir });

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "arpeggio-cdk-"));
  writeFileSync(join(dir, "handler.mjs"), "export const handler = async () => {};\n");
  const outdir = join(dir, "..", `${dir.split("/").at(-1)}-out`);
  const app = new App({ outdir, context, analyticsReporting: false });
  const stack = arpeggioStack(app, { deployment: await loadDeployment(example), bundles: bundles() });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  template = Template.fromStack(stack);
  report = JSON.parse(readFileSync(join(outdir, "validation-report.json"), "utf8"));
  rmSync(outdir, { recursive: true, force: true });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const resources = (type: string): readonly (readonly [string, Resource])[] =>
  Object.entries(template.findResources(type)) as never;

/** Every statement that reaches a role: its own, those attached to it, and those CDK adds. */
function statementsOf(role: string): readonly Statement[] {
  const [, found] = resources("AWS::IAM::Role").find(([id]) => id.startsWith(role)) ?? [];
  const [roleId] = resources("AWS::IAM::Role").find(([id]) => id.startsWith(role)) ?? [""];
  const managed = JSON.stringify(found?.Properties.ManagedPolicyArns ?? []);
  const documents = [
    ...((found?.Properties.Policies ?? []) as readonly {
      PolicyDocument: { Statement: readonly Statement[] };
    }[]),
    ...resources("AWS::IAM::ManagedPolicy").flatMap(([id, { Properties }]) =>
      managed.includes(id) ? [Properties as never] : [],
    ),
    ...resources("AWS::IAM::Policy").flatMap(([, { Properties }]) =>
      JSON.stringify(Properties.Roles).includes(roleId) ? [Properties as never] : [],
    ),
  ] as readonly { PolicyDocument: { Statement: readonly Statement[] } }[];
  return documents.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

const actionsOf = (role: string): readonly string[] =>
  [...new Set(statementsOf(role).flatMap(({ Action }) => Action))].toSorted();

describe("what is deployed", () => {
  it("finds nothing that cdk-nag says and nobody acknowledged, and cdk-nag did look", () => {
    expect(report.pluginReports).toMatchObject([
      { pluginName: "AwsSolutions", conclusion: "success", violations: [] },
    ]);
    const app = new App({ outdir: join(dir, "bare"), context });
    new s3.Bucket(new Stack(app, "Bare"), "Bucket");
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const before = process.exitCode;
    const { log, error } = console;
    console.error = () => {};
    console.log = () => {};
    try {
      app.synth();
    } catch {
      // Either way of saying so will do: what is looked at is the report.
    } finally {
      Object.assign(console, { log, error });
      process.exitCode = before;
    }
    const said = JSON.parse(readFileSync(join(dir, "bare", "validation-report.json"), "utf8"));
    expect(said.pluginReports[0].conclusion).toBe("failure");
  });

  it("runs both functions on Node 24, arm64, with a queue for what failed and logs that end", () => {
    template.resourceCountIs("AWS::Lambda::Function", 2);
    template.allResourcesProperties("AWS::Lambda::Function", {
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "handler.handler",
      DeadLetterConfig: Match.anyValue(),
      LoggingConfig: Match.anyValue(),
    });
    template.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 90 });
    template.allResourcesProperties("AWS::Lambda::EventInvokeConfig", { MaximumRetryAttempts: 2 });
  });

  it("scans every quarter of an hour", () => {
    template.hasResourceProperties("AWS::Scheduler::Schedule", {
      ScheduleExpression: "rate(15 minutes)",
      State: "ENABLED",
      Target: { DeadLetterConfig: Match.anyValue() },
    });
  });

  it("keeps the ledger as the ledger needs it, with a way back in time", () => {
    template.hasResource("AWS::DynamoDB::Table", {
      DeletionPolicy: "Retain",
      Properties: {
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        BillingMode: "PAY_PER_REQUEST",
        TimeToLiveSpecification: { AttributeName: "expires", Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      },
    });
  });

  it("keeps snapshots versioned, encrypted, private, over TLS only", () => {
    template.allResourcesProperties("AWS::S3::Bucket", {
      VersioningConfiguration: { Status: "Enabled" },
      BucketEncryption: Match.anyValue(),
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    for (const [, { Properties }] of resources("AWS::S3::BucketPolicy"))
      expect(Properties.PolicyDocument).toMatchObject({
        Statement: expect.arrayContaining([
          expect.objectContaining({
            Effect: "Deny",
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          }),
        ]),
      });
  });

  it("alarms on errors, throttles, full queues, a missing heartbeat and on nobody being told", () => {
    const alarms = resources("AWS::CloudWatch::Alarm").map(
      ([, { Properties }]) => Properties.AlarmDescription,
    );
    expect(alarms.toSorted()).toEqual([
      "apply-changes failed",
      "apply-changes was not let run",
      "events that apply-changes could not work on wait in its queue",
      "events that scan-drift could not work on wait in its queue",
      "no scan has ended for three quarters of an hour",
      "reports wait, as Slack could not be told",
      "scan-drift failed",
      "scan-drift was not let run",
    ]);
    template.hasResourceProperties("AWS::CloudWatch::Alarm", {
      AlarmDescription: "no scan has ended for three quarters of an hour",
      TreatMissingData: "breaching",
      ComparisonOperator: "LessThanThreshold",
    });
  });

  it("lets scan-drift look at the zones and never change one", () => {
    expect(actionsOf("ScanDriftRole")).toEqual([
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "route53:GetHostedZone",
      "route53:ListHostedZones",
      "route53:ListResourceRecordSets",
      "s3:GetObject",
      "s3:ListBucket",
      "secretsmanager:GetSecretValue",
      "sqs:SendMessage",
    ]);
  });

  it("lets scan-drift write only what scans write", () => {
    const [own] = statementsOf("ScanDriftRole").filter(({ Sid }) => Sid === "LedgerOfScans");
    const keys = (own?.Condition as Record<string, Record<string, string[]>>)["ForAllValues:StringLike"]?.[
      "dynamodb:LeadingKeys"
    ];
    expect(keys).toContain("e#drift/*");
    expect(keys?.filter((key) => !key.includes("#"))).toEqual([]);
    expect(reachedBy(keys ?? [], streams.writer)).toEqual([]);
    expect(reachedBy(keys ?? [], streams.bot)).toEqual([]);
    expect(reachedBy(keys ?? [], streams.scan)).toEqual(streams.scan);
    const writing = statementsOf("ScanDriftRole").filter(({ Action }) =>
      JSON.stringify(Action).includes("dynamodb:PutItem"),
    );
    expect(writing.map(({ Sid }) => Sid)).toEqual(["LedgerOfScans"]);
  });

  it("lets apply-changes write only plans, and nothing that scans or people say", () => {
    const [own] = statementsOf("ApplyChangesRole").filter(({ Sid }) => Sid === "LedgerOfPlans");
    const keys = (own?.Condition as Record<string, Record<string, string[]>>)["ForAllValues:StringLike"]?.[
      "dynamodb:LeadingKeys"
    ];
    expect(reachedBy(keys ?? [], [...streams.scan, ...streams.bot])).toEqual([]);
    expect(reachedBy(keys ?? [], streams.writer)).toEqual(streams.writer);
    const writing = statementsOf("ApplyChangesRole").filter(({ Action }) =>
      JSON.stringify(Action).includes("dynamodb:PutItem"),
    );
    expect(writing.map(({ Sid }) => Sid)).toEqual(["LedgerOfPlans"]);
  });

  it("lists only snapshots", () => {
    const [list] = statementsOf("ScanDriftRole").filter(({ Sid }) => Sid === "SnapshotThere");
    expect(list?.Condition).toEqual({ StringLikeIfExists: { "s3:prefix": ["snapshots/*"] } });
  });

  it("lets only apply-changes change records, of its zones and types, and no NS or SOA", () => {
    const changing = [
      ...resources("AWS::IAM::Role"),
      ...resources("AWS::IAM::ManagedPolicy"),
      ...resources("AWS::IAM::Policy"),
    ]
      .filter(([, resource]) => JSON.stringify(resource).includes('"route53:ChangeResourceRecordSets"'))
      .map(([id]) => id.replace(/[0-9A-F]{8}$/, ""));
    expect(changing).toEqual(["ChangeRecords1"]);
    const attached = resources("AWS::IAM::Role").filter(([, { Properties }]) =>
      JSON.stringify(Properties.ManagedPolicyArns ?? []).includes("ChangeRecords1"),
    );
    expect(attached.map(([id]) => id.slice(0, 16))).toEqual(["ApplyChangesRole"]);
    const [change] = statementsOf("ApplyChangesRole").filter(({ Sid }) => Sid === "ChangeRecords");
    expect(change?.Condition).toEqual({
      "ForAllValues:StringLike": {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["*goldentooth.net", "*hellholt.net"],
      },
      "ForAllValues:StringEquals": {
        "route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME", "TXT"],
        "route53:ChangeResourceRecordSetsActions": ["CREATE", "UPSERT", "DELETE"],
      },
    });
    expect(JSON.stringify(change?.Resource)).toContain("hostedzone/Z0GOLDENTOOTH");
    expect(JSON.stringify(change?.Resource)).not.toContain("*");
  });

  it("gives the bot no right to any zone and no right to write the functions", () => {
    const [, bot] = resources("AWS::IAM::ManagedPolicy").find(([id]) => id.startsWith("BotAccess")) ?? [];
    const said = JSON.stringify(bot);
    expect(said).not.toContain("route53");
    expect(said).toContain("lambda:InvokeFunction");
    expect(said).not.toContain("lambda:Update");
  });
});

/** Partitions of the ledger, by who writes them. */
const streams = {
  scan: [
    "e#drift/Z1",
    "p#drift/Z1#3#w",
    "k#drift",
    "e#drift-message/Z1",
    "l#drift-post/Z1/print",
    "e#heartbeat/scan-drift",
    "e#sightings/Z1",
    "e#accepted/goldentooth",
    "e#digest/goldentooth/2026-11-23",
    "l#digest/goldentooth/2026-11-23",
  ],
  writer: ["e#plan/P-5d02a1c3", "p#plan/P-5d02a1c3#1#w", "k#plan", "l#dns-apply/Z1"],
  bot: [
    "e#run/R-17",
    "k#run",
    "l#goldentooth",
    "e#board/plan/P-5d02a1c3",
    "e#snooze/Z1",
    "e#audit/2026-11-23",
  ],
};

/** Those that IAM's StringLike lets through. */
const reachedBy = (patterns: readonly string[], keys: readonly string[]): readonly string[] =>
  keys.filter((key) =>
    patterns.some((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(key)),
  );

const zones = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `Z${String(i).padStart(20, "0")}`,
    name: `zone-${String(i).padStart(4, "0")}.example.com`,
  }));

describe("rights and IAM's limits", () => {
  it("fit for 100 zones, each in exactly one policy of a kind", () => {
    const { read, write } = zoneRights(zones(100), "aws");
    for (const statement of [...read, ...write])
      expect(JSON.stringify({ Version: "2012-10-17", Statement: [statement] }).length).toBeLessThanOrEqual(
        6_144,
      );
    expect(read.length + write.length).toBeLessThanOrEqual(10);
    for (const kind of [read, write]) {
      const held = kind.flatMap(({ Resource }) => Resource);
      expect(held.toSorted()).toEqual(zones(100).map(({ id }) => `arn:aws:route53:::hostedzone/${id}`));
    }
  });

  it("stop the synthesis of 1,000 zones with what to do", () => {
    expect(() => zoneRights(zones(1_000), "aws")).toThrow(
      /^1000 zones need \d+ managed policies on the role of apply-changes; IAM takes 10 of 6144 characters\. Deploy two stacks/,
    );
    const app = new App({ outdir: join(dir, "many"), context });
    const deployment = {
      stack: "many",
      zones: zones(1_000),
      encryptedTxt: false,
      alarmTopicArn: undefined,
      settings: { "scan-drift": {}, "apply-changes": {} },
    };
    expect(() => arpeggioStack(app, { deployment, bundles: bundles() })).toThrow("1000 zones need");
  });
});

describe("the file of a deployment", () => {
  it("is checked with the functions' own rules, every problem at once", () => {
    const read = readDeployment("stack: '1'\ncluster: c\n");
    expect(read).toMatchObject({ ok: false });
    const wrong = readDeployment(
      "stack: one\ncluster: c\nzones: [{id: nine, name: x.net}]\nslackChannel: platform\napprovers: []\n",
    );
    expect(wrong).toEqual({
      ok: false,
      problems: [
        "zones.0.id: must be a hosted zone id such as Z0123456789ABC",
        "slackChannel: must be the id of a channel such as C0123456789",
        expect.stringMatching(/^approvers: /),
        expect.stringMatching(/^owners: /),
      ],
    });
  });
});
