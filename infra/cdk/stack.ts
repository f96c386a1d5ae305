import { Aws, CfnOutput, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import * as cloudwatch from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import * as s3 from "aws-cdk-lib/aws-s3";
import * as scheduler from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import * as secrets from "aws-cdk-lib/aws-secretsmanager";
import * as sns from "aws-cdk-lib/aws-sns";
import * as sqs from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { ledgerTable } from "#shared/ledger/dynamodb-table.ts";
import type { LambdaName } from "../bundle.ts";
import { acknowledgeFindings } from "./acknowledged.ts";
import type { Deployment } from "./deployment.ts";
import { type Statement, zoneRights } from "./zone-rights.ts";

export type StackParts = Readonly<{
  deployment: Deployment;
  /** Directories of the bundles, with their settings in them. */
  bundles: Readonly<Record<LambdaName, string>>;
}>;

const scanEveryMinutes = 15;

function makeBucket(stack: Stack): s3.Bucket {
  const common = {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    encryption: s3.BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    removalPolicy: RemovalPolicy.RETAIN,
    versioned: true,
  };
  const accessLogs = new s3.Bucket(stack, "AccessLogs", {
    ...common,
    lifecycleRules: [{ expiration: Duration.days(90), noncurrentVersionExpiration: Duration.days(1) }],
  });
  return new s3.Bucket(stack, "Snapshots", {
    ...common,
    serverAccessLogsBucket: accessLogs,
    // Every change of what is wanted is a snapshot of its own; plans are bound to fresh ones.
    lifecycleRules: [
      {
        prefix: "snapshots/",
        expiration: Duration.days(180),
        noncurrentVersionExpiration: Duration.days(30),
      },
    ],
  });
}

const makeTable = (stack: Stack): dynamodb.Table =>
  new dynamodb.Table(stack, "Ledger", {
    partitionKey: { name: ledgerTable.partitionKey, type: dynamodb.AttributeType.STRING },
    sortKey: { name: ledgerTable.sortKey, type: dynamodb.AttributeType.STRING },
    timeToLiveAttribute: ledgerTable.timeToLive,
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });

const makeQueue = (stack: Stack, id: string): sqs.Queue =>
  new sqs.Queue(stack, id, {
    enforceSSL: true,
    encryption: sqs.QueueEncryption.SQS_MANAGED,
    retentionPeriod: Duration.days(14),
  });

type Shared = Readonly<{ table: dynamodb.Table; bucket: s3.Bucket }>;

/** What both functions do with ledger and snapshots. They read snapshots; only the bot writes them. */
const commonStatements = ({ table, bucket }: Shared): iam.PolicyStatement[] => [
  new iam.PolicyStatement({
    sid: "Ledger",
    actions: ["dynamodb:GetItem", "dynamodb:Query"],
    resources: [table.tableArn],
  }),
  new iam.PolicyStatement({
    sid: "Snapshots",
    actions: ["s3:GetObject"],
    resources: [bucket.arnForObjects("snapshots/*")],
  }),
  // Without it S3 says "denied" of what is not there, and nobody could tell the two apart.
  // That question has no prefix, so the condition is only on listings that name one.
  new iam.PolicyStatement({
    sid: "SnapshotThere",
    actions: ["s3:ListBucket"],
    resources: [bucket.bucketArn],
    conditions: { StringLikeIfExists: { "s3:prefix": ["snapshots/*"] } },
  }),
];

/** Kinds of streams that a scan writes, and what it takes leases on. */
const scanWrites = [
  "drift",
  "drift-message",
  "drift-post",
  "heartbeat",
  "sightings",
  "accepted",
  "digest",
] as const;

/** A scan writes what it saw and told; plans with their approvals, runs, board and the leases of others are not its. */
const scanLedger = ({ table }: Shared): iam.PolicyStatement =>
  new iam.PolicyStatement({
    sid: "LedgerOfScans",
    actions: ["dynamodb:PutItem", "dynamodb:UpdateItem"],
    resources: [table.tableArn],
    conditions: {
      "ForAllValues:StringLike": {
        "dynamodb:LeadingKeys": scanWrites.flatMap((kind) => [
          `e#${kind}/*`,
          `p#${kind}/*`,
          `k#${kind}`,
          `l#${kind}/*`,
        ]),
      },
    },
  });

const applyLedger = ({ table }: Shared): iam.PolicyStatement =>
  new iam.PolicyStatement({
    sid: "LedgerOfPlans",
    actions: ["dynamodb:PutItem", "dynamodb:UpdateItem"],
    resources: [table.tableArn],
    conditions: {
      "ForAllValues:StringLike": {
        "dynamodb:LeadingKeys": ["e#plan/*", "p#plan/*", "k#plan", "l#dns-apply/*"],
      },
    },
  });

type Made = Readonly<{ fn: lambda.Function; role: iam.Role; queue: sqs.Queue; logGroup: logs.LogGroup }>;

function makeFunction(
  stack: Stack,
  name: LambdaName,
  options: Readonly<{
    directory: string;
    timeout: Duration;
    memorySize: number;
    environment: Record<string, string>;
    statements: iam.PolicyStatement[];
    managed: iam.IManagedPolicy[];
  }>,
): Made {
  const id = name === "scan-drift" ? "ScanDrift" : "ApplyChanges";
  const logGroup = new logs.LogGroup(stack, `${id}Logs`, {
    retention: logs.RetentionDays.THREE_MONTHS,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const queue = makeQueue(stack, `${id}Failed`);
  const role = new iam.Role(stack, `${id}Role`, {
    assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com"),
    managedPolicies: options.managed,
    inlinePolicies: {
      own: new iam.PolicyDocument({
        statements: [
          ...options.statements,
          new iam.PolicyStatement({
            sid: "Logs",
            actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
            resources: [logGroup.logGroupArn],
          }),
        ],
      }),
    },
  });
  const fn = new lambda.Function(stack, id, {
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
    handler: "handler.handler",
    code: lambda.Code.fromAsset(options.directory),
    role,
    timeout: options.timeout,
    memorySize: options.memorySize,
    environment: options.environment,
    logGroup,
    deadLetterQueue: queue,
    // One minute later and two more after that: by then a killed run's lease has run out.
    retryAttempts: 2,
    maxEventAge: Duration.hours(1),
  });
  return { fn, role, queue, logGroup };
}

function makeAlarms(
  stack: Stack,
  made: Readonly<Record<LambdaName, Made>>,
  topicArn: string | undefined,
): void {
  const topic = topicArn === undefined ? undefined : sns.Topic.fromTopicArn(stack, "AlarmTopic", topicArn);
  const alarm = (
    id: string,
    alarmDescription: string,
    metric: cloudwatch.IMetric,
    more: Partial<cloudwatch.AlarmProps> = {},
  ): void => {
    const one = new cloudwatch.Alarm(stack, id, {
      alarmDescription,
      metric,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      ...more,
    });
    if (topic) {
      one.addAlarmAction(new SnsAction(topic));
      one.addOkAction(new SnsAction(topic));
    }
  };
  const period = Duration.minutes(scanEveryMinutes);
  for (const [name, { fn, queue }] of Object.entries(made)) {
    const id = fn.node.id;
    alarm(`${id}Errors`, `${name} failed`, fn.metricErrors({ period }));
    alarm(`${id}Throttles`, `${name} was not let run`, fn.metricThrottles({ period }));
    alarm(
      `${id}FailedDepth`,
      `events that ${name} could not work on wait in its queue`,
      queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: "Maximum" }),
    );
  }
  const counted = (id: string, event: string, logGroup: logs.LogGroup): cloudwatch.Metric => {
    const filter = new logs.MetricFilter(stack, id, {
      logGroup,
      filterPattern: logs.FilterPattern.stringValue("$.event", "=", event),
      metricNamespace: "Arpeggio",
      metricName: `${stack.stackName}-${event}`,
      metricValue: "1",
    });
    return filter.metric({ statistic: "Sum", period });
  };
  const { logGroup } = made["scan-drift"];
  alarm(
    "ScanMissing",
    "no scan has ended for three quarters of an hour",
    counted("ScanEnded", "scan-ended", logGroup),
    {
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 3,
      datapointsToAlarm: 3,
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    },
  );
  alarm(
    "NotTold",
    "reports wait, as Slack could not be told",
    counted("ReportNotTold", "not-told", logGroup),
    {
      evaluationPeriods: 2,
      datapointsToAlarm: 2,
    },
  );
}

/** What the bot needs of this stack: it asks, and leaves snapshots; it has no right to a zone. */
function makeBotPolicy(
  stack: Stack,
  { table, bucket }: Shared,
  functions: readonly lambda.Function[],
): iam.ManagedPolicy {
  return new iam.ManagedPolicy(stack, "BotAccess", {
    description: "For whatever the Arpeggio bot runs as",
    statements: [
      new iam.PolicyStatement({
        sid: "Ask",
        actions: ["lambda:InvokeFunction"],
        resources: functions.map(({ functionArn }) => functionArn),
      }),
      new iam.PolicyStatement({
        sid: "Ledger",
        actions: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
        resources: [table.tableArn],
      }),
      new iam.PolicyStatement({
        sid: "Snapshots",
        actions: ["s3:GetObject", "s3:PutObject"],
        resources: [bucket.arnForObjects("snapshots/*")],
      }),
      new iam.PolicyStatement({
        sid: "SnapshotThere",
        actions: ["s3:ListBucket"],
        resources: [bucket.bucketArn],
        conditions: { StringLikeIfExists: { "s3:prefix": ["snapshots/*"] } },
      }),
    ],
  });
}

/** Both functions and all they stand on, for one cluster. */
export function arpeggioStack(scope: Construct, { deployment, bundles }: StackParts): Stack {
  const stack = new Stack(scope, deployment.stack, {
    description: "Arpeggio: watches and repairs DNS of one cluster",
  });
  const table = makeTable(stack);
  const bucket = makeBucket(stack);
  const slackToken = new secrets.Secret(stack, "SlackToken", {
    description: "Bot token of Arpeggio's Slack app; put in by hand after the first deployment",
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const txtKey = deployment.encryptedTxt
    ? new secrets.Secret(stack, "TxtKey", {
        description: "--txt-encrypt-aes-key of ExternalDNS; put in by hand after the first deployment",
        removalPolicy: RemovalPolicy.RETAIN,
      })
    : undefined;
  const rights = zoneRights(deployment.zones, Aws.PARTITION);
  const managed = (id: string, statements: readonly Statement[]): iam.ManagedPolicy[] =>
    statements.map(
      (statement, i) =>
        new iam.ManagedPolicy(stack, `${id}${i + 1}`, {
          statements: [iam.PolicyStatement.fromJson(statement)],
        }),
    );
  const readZones = managed("ReadZones", rights.read);
  const changeRecords = managed("ChangeRecords", rights.write);
  const environment = { LEDGER_TABLE: table.tableName, SNAPSHOT_BUCKET: bucket.bucketName };
  const maySee = (one: secrets.Secret): iam.PolicyStatement =>
    new iam.PolicyStatement({
      sid: "Secret",
      actions: ["secretsmanager:GetSecretValue"],
      resources: [one.secretArn],
    });

  const scan = makeFunction(stack, "scan-drift", {
    directory: bundles["scan-drift"],
    // 100,000 record sets are 334 calls at two a second, and throttling makes them slower.
    timeout: Duration.minutes(10),
    memorySize: 1_024,
    environment: { ...environment, SLACK_TOKEN_SECRET: slackToken.secretArn },
    statements: [
      ...commonStatements({ table, bucket }),
      scanLedger({ table, bucket }),
      maySee(slackToken),
      new iam.PolicyStatement({
        // Which zone gets a name is decided among all zones of the account; IAM has no narrower resource for it.
        sid: "ListZones",
        actions: ["route53:ListHostedZones"],
        resources: ["*"],
      }),
    ],
    managed: readZones,
  });
  const apply = makeFunction(stack, "apply-changes", {
    directory: bundles["apply-changes"],
    timeout: Duration.minutes(15),
    memorySize: 512,
    environment: { ...environment, ...(txtKey && { TXT_KEY_SECRET: txtKey.secretArn }) },
    statements: [
      ...commonStatements({ table, bucket }),
      applyLedger({ table, bucket }),
      new iam.PolicyStatement({
        sid: "ChangeState",
        actions: ["route53:GetChange"],
        resources: [`arn:${Aws.PARTITION}:route53:::change/*`],
      }),
      ...(txtKey ? [maySee(txtKey)] : []),
    ],
    managed: [...readZones, ...changeRecords],
  });
  const scheduleQueue = makeQueue(stack, "ScanScheduleFailed");
  new scheduler.Schedule(stack, "ScanSchedule", {
    schedule: scheduler.ScheduleExpression.rate(Duration.minutes(scanEveryMinutes)),
    target: new LambdaInvoke(scan.fn, {
      deadLetterQueue: scheduleQueue,
      retryAttempts: 1,
      maxEventAge: Duration.minutes(scanEveryMinutes),
    }),
    description: "A scan every quarter of an hour",
  });
  makeAlarms(stack, { "scan-drift": scan, "apply-changes": apply }, deployment.alarmTopicArn);
  const bot = makeBotPolicy(stack, { table, bucket }, [scan.fn, apply.fn]);
  const outputs: Readonly<Record<string, string>> = {
    LedgerTable: table.tableName,
    SnapshotBucket: bucket.bucketName,
    ScanFunction: scan.fn.functionName,
    ApplyFunction: apply.fn.functionName,
    BotPolicy: bot.managedPolicyArn,
    SlackTokenSecret: slackToken.secretArn,
  };
  for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, `${name}Is`, { value });
  acknowledgeFindings(stack, {
    snapshots: bucket,
    secrets: [slackToken, ...(txtKey ? [txtKey] : [])],
    readSnapshots: [scan.role, apply.role, bot],
    applyRole: apply.role,
    scanRole: scan.role,
    scheduleQueue,
    scan: scan.fn,
  });
  return stack;
}
