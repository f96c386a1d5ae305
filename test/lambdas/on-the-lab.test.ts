import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLedgerTable } from "#infra/lab/aws/create-ledger-table.ts";
import { type LabFunctions, labFunctions } from "#infra/lab/aws/functions.ts";
import type { LabFunction } from "#infra/lab/aws/lambda.ts";
import type { LabAws } from "#infra/lab/aws/start.ts";
import type { Message } from "#infra/lab/slack/message.ts";
import { labWorkspace } from "#infra/lab/slack/spec.ts";
import { type SlackWorkspace, startSlackWorkspace } from "#infra/lab/slack/workspace.ts";
import { openDynamoLedger } from "#shared/adapters/ledger-dynamodb.ts";
import { openSnapshotBucket } from "#shared/adapters/snapshots-s3.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { makeSnapshot } from "#shared/dns/snapshot.ts";
import { makePlan } from "#shared/drift/change-plan.ts";
import { lookAtZone } from "#shared/drift/look-at-zone.ts";
import { appendToPlan, keepPlan, type PlanState, readPlan } from "#shared/drift/plan-stream.ts";
import { lastHeartbeat, lastReport } from "#shared/drift/scan-memory.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { createZones, type TwinZones } from "#shared/twin/zones.ts";
import { labCredentials as credentials, nameServers, startLab } from "../infra/lab/aws/lab-zones.ts";
import { owns, record, wants, zoneName } from "../shared/dns/zones.ts";
import { startDnsServer } from "./dns-server.ts";

const bucket = "arpeggio-snapshots";
const table = "arpeggio-ledger";
const zoneId = "Z0LAB0";
const have: readonly RecordSet[] = [
  record("keep", "A", "10.0.0.1"),
  owns("a-keep", "me"),
  record("old", "A", "10.0.0.9"),
  owns("a-old", "me"),
  record("www", "A", "10.0.0.7"),
];

let dir: string;
let zones: TwinZones;
let aws: LabAws;
let slack: SlackWorkspace;
let lambdas: LabFunctions;
let dns: Awaited<ReturnType<typeof startDnsServer>>;
let client: LambdaClient;
let ledger: Ledger;

/** What an unmodified client of AWS gets, with the error it would print. */
async function invoke(
  name: string,
  payload: unknown,
): Promise<Readonly<{ error: string | undefined; value: unknown }>> {
  const answer = await client.send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  const value: unknown = JSON.parse(Buffer.from(answer.Payload ?? []).toString("utf8"));
  return { error: answer.FunctionError, value };
}

const snapshot = () =>
  makeSnapshot(
    {
      cluster: "goldentooth",
      controllers: [
        {
          name: "external-dns/external-dns",
          image: "external-dns:v0.15.0",
          flags: { provider: ["aws"], source: ["service"], policy: ["upsert-only"], "txt-owner-id": ["me"] },
          hidden: [],
          endpoints: [wants("keep", "10.0.0.1")],
          dropped: [],
          unknown: [],
        },
      ],
      faults: [],
      counts: { services: 1 },
      services: {},
    },
    Date.now(),
  );

const names = (): readonly string[] =>
  zones
    .recordSets(zoneId)
    .filter(({ type }) => type !== "NS" && type !== "SOA")
    .map(({ name, type }) => `${name.split(".")[0]} ${type}`);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "arpeggio-lambdas-"));
  let made = 0;
  zones = createZones({
    zones: [{ id: zoneId, name: zoneName, nameServers, recordSets: have }],
    clock: systemClock,
    schedule: (_, run) => {
      run();
      return () => {};
    },
    newId: () => String(++made).padStart(20, "0"),
  });
  dns = await startDnsServer(zoneName, () => zones.served(zoneId, 0));
  slack = await startSlackWorkspace({ host: "127.0.0.1" });
  const functions = new Map<string, LabFunction>();
  aws = await startLab(zones, {
    functions,
    buckets: [bucket],
    secrets: { "slack-token": labWorkspace.app.botToken },
  });
  const endpoint = aws.url;
  const region = aws.env.AWS_REGION ?? "";
  const env = { ...aws.env, LEDGER_TABLE: table, SNAPSHOT_BUCKET: bucket };
  const common = { cluster: "goldentooth", zones: [{ id: zoneId, name: zoneName }], callsPerSecond: 5 };
  lambdas = labFunctions({
    dir,
    deploy: async () => ({
      "scan-drift": {
        env: { ...env, SLACK_TOKEN_SECRET: "slack-token", SLACK_API_URL: slack.apiUrl },
        settings: { ...common, slackChannel: "C0PLATFORM", digestHour: 0 },
      },
      "apply-changes": {
        env,
        settings: {
          ...common,
          approvers: ["approver"],
          owners: ["me"],
          limits: { absolute: 50, share: 0.5 },
          nameServers: Object.fromEntries(nameServers.map(({ name }) => [name, dns.address])),
        },
      },
    }),
  });
  for (const [name, run] of lambdas.functions) functions.set(name, run);
  await createLedgerTable({ endpoint, region, table });
  client = new LambdaClient({ region, endpoint, credentials });
  ledger = openDynamoLedger({ table, region, endpoint, credentials, now: Date.now });
});

afterAll(async () => {
  client.destroy();
  await ledger.close();
  await lambdas.close();
  await aws.close();
  await slack.close();
  dns.close();
  await rm(dir, { recursive: true, force: true });
});

const posted = () => slack.messages("C0PLATFORM").filter(({ threadTs }) => threadTs === undefined);
const said = () => posted().map(({ text }) => text);

describe("the bundled functions behind Lambda's Invoke", () => {
  let plan: PlanState;

  it("without a snapshot scan-drift says that it does not know, never that anything is absent", async () => {
    const { error, value } = await invoke("scan-drift", {});
    expect(error).toBeUndefined();
    expect(value).toMatchObject({
      complete: false,
      zones: [{ complete: false, differences: 0, told: "posted" }],
    });
    expect(said()[0]).toContain("UNKNOWN");
    expect((await lastReport(ledger, zoneId))?.report.drifts).toEqual([]);
    expect((await lastHeartbeat(ledger))?.complete).toBe(false);
  });

  it("scans on the schedule's event, edits the open report, and keeps no plan", async () => {
    const store = openSnapshotBucket({ bucket, region: "eu-central-1", endpoint: aws.url, credentials });
    await store.put(snapshot());
    store.close();
    const event = { version: "0", source: "aws.scheduler", "detail-type": "Scheduled Event" };
    const { value } = await invoke("scan-drift", event);
    expect(value).toMatchObject({
      complete: true,
      zones: [{ complete: true, changed: true, told: "edited" }],
    });
    const kept = await lastReport(ledger, zoneId);
    expect(
      kept?.report.drifts.map(({ kind, name, repair }) => `${kind} ${name.split(".")[0]} ${repair}`),
    ).toContain("record-orphaned old we");
    expect(await ledger.list("plan")).toEqual([]);
    // The report, edited, and the digest; what is new was said in the report's thread.
    expect(posted()).toHaveLength(2);
    expect(said()[0]).toContain("DRIFT");
  });

  it("says nothing while nothing changes", async () => {
    const before = slack.messages("C0PLATFORM").length;
    const { value } = await invoke("scan-drift", {});
    expect(value).toMatchObject({ zones: [{ changed: false, told: "unchanged" }], digest: "unchanged" });
    expect(slack.messages("C0PLATFORM")).toHaveLength(before);
  });

  it("apply-changes changes nothing that nobody approved", async () => {
    // As a bot plans: by a fresh look of its own.
    const { input, report } = lookAtZone({
      cluster: "goldentooth",
      at: Date.now(),
      zone: { id: zoneId, name: zoneName },
      all: await zones.read.zones(),
      recordSets: zones.recordSets(zoneId),
      snapshot: snapshot(),
      accepted: undefined,
      oldDomains: [],
      previous: [],
    });
    const limits = { absolute: 50, share: 0.5 };
    plan = await keepPlan(ledger, makePlan({ input, report, limits, at: Date.now() }));
    expect(plan.plan.batches).toHaveLength(1);
    const { digest } = plan.plan;
    expect((await invoke("apply-changes", { plan: plan.id })).value).toMatchObject({
      state: "refused",
      because: "not-approved",
    });
    plan = (await readPlan(ledger, plan.id)) as PlanState;
    const until = Date.now() + 3_600_000;
    await appendToPlan(ledger, plan, { type: "requested", digest, requester: "operator", until });
    await appendToPlan(
      ledger,
      { ...plan, version: plan.version + 1 },
      { type: "approved", digest, by: "operator" },
    );
    expect((await invoke("apply-changes", { plan: plan.id })).value).toMatchObject({
      state: "refused",
      because: "own-approval",
    });
    expect(zones.history()).toEqual([]);
  });

  it("applies what somebody else approved, asks the name servers, and does it once", async () => {
    plan = (await readPlan(ledger, plan.id)) as PlanState;
    await appendToPlan(ledger, plan, { type: "approved", digest: plan.plan.digest, by: "approver" });
    const first = await invoke("apply-changes", { plan: plan.id });
    expect(first.value).toMatchObject({ state: "applied", before: false });
    expect((first.value as { verified: unknown }).verified).toEqual([
      { record: "a-old.example.com. TXT", ok: true, said: "no such name at all 2 name servers" },
      { record: "old.example.com. A", ok: true, said: "no such name at all 2 name servers" },
    ]);
    expect(names()).toEqual(["a-keep TXT", "keep A", "www A"]);
    const again = await invoke("apply-changes", { plan: plan.id });
    expect(again.value).toMatchObject({ state: "applied", before: true });
    expect(zones.history()).toHaveLength(1);
  });

  it("tells in the open report what was resolved", async () => {
    const { value } = await invoke("scan-drift", {});
    expect(value).toMatchObject({ zones: [{ told: "edited" }] });
    expect(slack.renderText(posted()[0] as Message)).toMatch(
      /old\.example\.com A[\s\S]*resolved: record-orphaned/,
    );
  });

  it("refuses an event that is no plan's id with one sentence", async () => {
    const { error, value } = await invoke("apply-changes", { plan: "all", changes: [] });
    expect(error).toBe("Unhandled");
    expect((value as { errorMessage: string }).errorMessage).toBe(
      'not understood, nothing was changed: plan: must be the id of a plan such as P-5d02a1c3; Unrecognized key: "changes"',
    );
  });

  it("a scan keeps what it saw while Slack is down, and the next one tells it", async () => {
    zones.edit(zoneId, [
      { action: "CREATE", set: record("lost", "A", "10.0.0.5") },
      { action: "CREATE", set: owns("a-lost", "me") },
    ]);
    for (const method of ["chat.postMessage", "chat.update"])
      slack.failNext(method, { status: 503, times: 10 });
    const down = await invoke("scan-drift", {});
    expect(down.value).toMatchObject({ zones: [{ changed: true, told: "not-told" }] });
    slack.failNothing();
    expect((await invoke("scan-drift", {})).value).toMatchObject({
      zones: [{ changed: false, told: "posted" }],
    });
  });
});
