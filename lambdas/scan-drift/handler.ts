import type { Context } from "aws-lambda";
import { openDynamoLedger } from "#shared/adapters/ledger-dynamodb.ts";
import { connectRoute53 } from "#shared/adapters/route53.ts";
import { readSecretText } from "#shared/adapters/secrets-manager.ts";
import { openSnapshotBucket } from "#shared/adapters/snapshots-s3.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { makePlan } from "#shared/drift/change-plan.ts";
import { isReadWhole, toldDrifts } from "#shared/drift/drift-report.ts";
import type { Plan } from "#shared/drift/plan-value.ts";
import type { PostMessage } from "#shared/drift/post-message.ts";
import { type ScanPorts, scanZones, type ZoneScan } from "#shared/drift/scan.ts";
import { reportButtons, type TellResult, tellDigest, tellReport } from "#shared/drift/tell-report.ts";
import { type Fault, FaultError } from "#shared/fault.ts";
import { createLog, type Log, why } from "../log.ts";
import { type Secret, secret } from "../secret.ts";
import { readSettings } from "../settings.ts";
import { type ScanConfig, scanEnvironment, scanSettings } from "./config.ts";

type Composed = Readonly<{
  ports: ScanPorts;
  settings: ScanConfig;
  messages: (log: Log) => Promise<PostMessage>;
}>;

async function compose(env: Readonly<Record<string, string | undefined>>): Promise<Composed> {
  const { environment, settings } = await readSettings(env, {
    environment: scanEnvironment,
    settings: scanSettings,
  });
  const region = environment.AWS_REGION;
  const clock = systemClock;
  let token: Secret | undefined;
  return {
    settings,
    ports: {
      zones: connectRoute53({ region, clock, callsPerSecond: settings.callsPerSecond }).read,
      snapshots: openSnapshotBucket({ bucket: environment.SNAPSHOT_BUCKET, region }),
      ledger: openDynamoLedger({ table: environment.LEDGER_TABLE, region, now: clock.now }),
      clock,
    },
    messages: async (log) => {
      // Evaluated after the zones were read: a scan that starts cold does not wait for it.
      const [{ createSlackApi }, { postToSlack }] = await Promise.all([
        import("#shared/adapters/slack.ts"),
        import("#shared/adapters/post-slack.ts"),
      ]);
      token ??= secret(await readSecretText({ region }, environment.SLACK_TOKEN_SECRET));
      const api = createSlackApi({
        botToken: token.reveal(),
        ...(environment.SLACK_API_URL !== undefined && { apiUrl: environment.SLACK_API_URL }),
        log: (entry) => log({ event: "slack", ...entry, level: "warn" }),
      });
      return postToSlack(api, {
        channel: settings.slackChannel,
        log: (entry) => log({ event: "slack", ...entry, level: "warn" }),
      });
    },
  };
}

/** Everything that posts fails alike where the token cannot be read: the scan is kept, and told when it can be. */
const unavailable = (fault: Fault): PostMessage => {
  const fail = async (): Promise<never> => {
    throw new FaultError(fault);
  };
  return { post: fail, update: fail, find: fail };
};

async function openMessages(composed: Composed, log: Log): Promise<PostMessage> {
  try {
    return await composed.messages(log);
  } catch (error) {
    if (error instanceof FaultError) return unavailable(error.fault);
    throw error;
  }
}

/** What the report offers. */
function offered({ settings }: Composed, scan: ZoneScan): Plan | undefined {
  if (!scan.report.drifts.some(({ repair, offer }) => repair === "we" && offer !== undefined))
    return undefined;
  const { input, report } = scan;
  return makePlan({ input, report, limits: settings.limits, at: report.at });
}

export type ScanAnswer = Readonly<{
  complete: boolean;
  zones: readonly Readonly<{
    id: string;
    name: string;
    complete: boolean;
    differences: number;
    changed: boolean;
    told: TellResult["state"];
  }>[];
  digest: TellResult["state"];
}>;

async function run(composed: Composed, requestId: string, log: Log): Promise<ScanAnswer> {
  const { ports, settings } = composed;
  const { ledger, clock } = ports;
  const scan = await scanZones(ports, settings);
  const messages = await openMessages(composed, log);
  const tell = { ledger, clock, messages, holder: `${requestId}/${crypto.randomUUID()}` };
  const zones: ScanAnswer["zones"][number][] = [];
  const untold = (what: string, result: TellResult): void => {
    if (result.state === "not-told") log({ event: "not-told", level: "error", what, why: why(result.fault) });
  };
  for (const each of scan.zones) {
    const { report, changed } = each;
    const plan = offered(composed, each);
    const told = await tellReport(tell, {
      report,
      plan,
      buttons: reportButtons(report, plan),
    });
    untold(report.zone.name, told);
    if (!isReadWhole(report))
      log({
        event: "zone-not-whole",
        level: "warn",
        zone: report.zone.name,
        why: report.findings.filter(({ severity }) => severity === "unknown").map(({ code }) => code),
      });
    zones.push({
      id: report.zone.id,
      name: report.zone.name,
      complete: isReadWhole(report),
      differences: toldDrifts(report).length,
      changed,
      told: told.state,
    });
  }
  const digest = await tellDigest(tell, {
    cluster: settings.cluster,
    reports: scan.zones.map(({ report }) => report),
    hour: settings.digestHour,
  });
  untold("the daily digest", digest);
  log({ event: "scan-ended", complete: scan.complete, zones: zones.length });
  return { complete: scan.complete, zones, digest: digest.state };
}

let composed: Promise<Composed> | undefined;

/** Kept for as long as the function is warm; what failed is tried again by the next event. */
function once(): Promise<Composed> {
  composed ??= compose(process.env).catch((error: unknown) => {
    composed = undefined;
    throw error;
  });
  return composed;
}

/** Looks and tells; it writes nothing to a zone and has no right to. Whatever the event says, all zones are scanned. */
export const handler = async (
  _event: unknown,
  context: Pick<Context, "awsRequestId">,
): Promise<ScanAnswer> => {
  const log = createLog("scan-drift", context.awsRequestId, (line) => process.stdout.write(line));
  try {
    return await run(await once(), context.awsRequestId, log);
  } catch (error) {
    log({ event: "scan-failed", level: "error", why: why(error) });
    throw error;
  }
};
