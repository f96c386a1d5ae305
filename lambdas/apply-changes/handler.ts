import type { Context } from "aws-lambda";
import { openDynamoLedger } from "#shared/adapters/ledger-dynamodb.ts";
import { resolveNameServers } from "#shared/adapters/name-server-addresses.ts";
import { connectRoute53 } from "#shared/adapters/route53.ts";
import { readSecretText } from "#shared/adapters/secrets-manager.ts";
import { openSnapshotBucket } from "#shared/adapters/snapshots-s3.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import { type AesKey, readAesKey } from "#shared/dns/ownership-encryption.ts";
import {
  type ApplyPorts,
  type ApplyReport,
  type ApplySettings,
  applyPlan,
} from "#shared/drift/apply-plan.ts";
import { createLog, why } from "../log.ts";
import { type Secret, secret } from "../secret.ts";
import { readSettings } from "../settings.ts";
import { applyEnvironment, applySettings } from "./config.ts";
import { readApplyEvent } from "./event.ts";

type Composed = Readonly<{ ports: ApplyPorts; settings: ApplySettings }>;

/** A run that was killed is relieved after this; Lambda delivers an event again after one minute and after two more. */
const leaseMs = 120_000;
const lookAgainMs = 10_000;
/** Enough to write down how it ended. */
const spareMs = 30_000;

function keyOf(text: Secret): AesKey {
  const key = readAesKey(text.reveal());
  if (key === undefined)
    throw new Error(
      "TXT_KEY_SECRET: ExternalDNS would refuse this key: 32 bytes, or standard base64 of 32 bytes",
    );
  return key;
}

async function compose(env: Readonly<Record<string, string | undefined>>): Promise<Composed> {
  const { environment, settings } = await readSettings(env, {
    environment: applyEnvironment,
    settings: applySettings,
  });
  const region = environment.AWS_REGION;
  const clock = systemClock;
  const { TXT_KEY_SECRET } = environment;
  const key =
    TXT_KEY_SECRET === undefined
      ? undefined
      : keyOf(secret(await readSecretText({ region }, TXT_KEY_SECRET)));
  const route53 = connectRoute53({ region, clock, callsPerSecond: settings.callsPerSecond });
  return {
    ports: {
      zones: route53.read,
      change: route53.change,
      snapshots: openSnapshotBucket({ bucket: environment.SNAPSHOT_BUCKET, region }),
      ledger: openDynamoLedger({ table: environment.LEDGER_TABLE, region, now: clock.now }),
      clock,
      // Evaluated when something was applied: most of the time to load is the SDK's as it is.
      ask: async (...asked) => {
        const { createDnsQuery } = await import("#shared/adapters/dns-query.ts");
        return createDnsQuery({ timeoutMs: 2_000 })(...asked);
      },
      serversOf: resolveNameServers(settings.nameServers),
    },
    settings: {
      cluster: settings.cluster,
      zones: settings.zones,
      rules: {
        zoneIds: settings.zones.map(({ id }) => id),
        approvers: settings.approvers,
        limits: settings.limits,
        owners: settings.owners,
        affixes: settings.affixes,
        key,
      },
      insyncWithinMs: settings.insyncSeconds * 1_000,
      leaseMs,
      longestOpenMs: settings.openSeconds * 1_000,
    },
  };
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

/**
 * Carries out the plan it is given the id of, by its own rules. Delivered twice, the second waits for the first and says
 * what came of it, or takes up what was killed. Throws where it could not find out: Lambda then delivers it again.
 */
export const handler = async (
  event: unknown,
  context: Pick<Context, "awsRequestId" | "getRemainingTimeInMillis">,
): Promise<ApplyReport> => {
  const log = createLog("apply-changes", context.awsRequestId, (line) => process.stdout.write(line));
  try {
    const { plan } = readApplyEvent(event);
    const { ports, settings } = await once();
    const order = { planId: plan, invocation: `${context.awsRequestId}/${crypto.randomUUID()}` };
    for (;;) {
      const report = await applyPlan(ports, settings, order);
      const { state, text } = report;
      if (state !== "busy") {
        log({ event: "apply-ended", level: state === "unknown" ? "error" : "info", plan, state, text });
        return report;
      }
      if (context.getRemainingTimeInMillis() < lookAgainMs + spareMs)
        throw new Error(`plan ${plan}: ${text}; look again later`);
      log({ event: "waiting", plan, text });
      await ports.clock.sleep(lookAgainMs);
    }
  } catch (error) {
    log({ event: "apply-failed", level: "error", why: why(error) });
    throw error;
  }
};
