import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { LabFunction } from "#infra/lab/aws/lambda.ts";
import type { LabAws } from "#infra/lab/aws/start.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { simple, weighted } from "#test/contract/zones.ts";
import { labZones, startLab } from "#test/infra/lab/aws/lab-zones.ts";

const installed = inject("moto");
const run = promisify(execFile);

/** boto3, which `aws` is made of, comes with moto: a client that we did not write and that shares no code with the SDK. */
const script = `
import json, boto3, botocore
r = boto3.client("route53")
out = {}
pages = list(r.get_paginator("list_resource_record_sets").paginate(HostedZoneId="Z0LAB0"))
out["pages"] = [len(p["ResourceRecordSets"]) for p in pages]
sets = [s for p in pages for s in p["ResourceRecordSets"]]
out["distinct"] = len({(s["Name"], s["Type"], s.get("SetIdentifier")) for s in sets})
out["wildcard"] = [s["Name"] for s in sets if "052" in s["Name"]]
out["text"] = [s["ResourceRecords"][0]["Value"] for s in sets if s["Type"] == "TXT"]
out["byName"] = [z["Id"] for z in r.list_hosted_zones_by_name(DNSName="goldentooth.net")["HostedZones"]]
out["servers"] = r.get_hosted_zone(Id="Z0LAB0")["DelegationSet"]["NameServers"]
def change(action, value):
    return {"Action": action, "ResourceRecordSet": {"Name": "new.goldentooth.net", "Type": "A", "TTL": 60,
            "ResourceRecords": [{"Value": value}]}}
made = r.change_resource_record_sets(HostedZoneId="Z0LAB0", ChangeBatch={"Changes": [change("CREATE", "10.0.0.1")]})
out["status"] = r.get_change(Id=made["ChangeInfo"]["Id"])["ChangeInfo"]["Status"]
try:
    r.change_resource_record_sets(HostedZoneId="Z0LAB0",
        ChangeBatch={"Changes": [change("CREATE", "10.0.0.2"), change("DELETE", "10.0.0.3")]})
except r.exceptions.InvalidChangeBatch as e:
    out["refused"] = e.response["Error"]["Message"]
try:
    r.get_hosted_zone(Id="ZNONE")
except r.exceptions.NoSuchHostedZone as e:
    out["missing"] = e.response["Error"]["Message"]
l = boto3.client("lambda")
answer = l.invoke(FunctionName="scan", Payload=json.dumps({"zone": "Z1"}))
out["answer"] = [answer["StatusCode"], json.loads(answer["Payload"].read())]
failed = l.invoke(FunctionName="fails", Payload="{}")
out["failed"] = [failed["FunctionError"], json.loads(failed["Payload"].read())["errorMessage"]]
out["queued"] = l.invoke(FunctionName="scan", InvocationType="Event", Payload="{}")["StatusCode"]
s = boto3.client("s3")
s.put_object(Bucket="wishes", Key="a/b c.json", Body=b"{}", ContentType="application/json")
out["object"] = s.get_object(Bucket="wishes", Key="a/b c.json")["Body"].read().decode()
out["keys"] = [o["Key"] for o in s.list_objects_v2(Bucket="wishes", Prefix="a/")["Contents"]]
try:
    s.get_object(Bucket="wishes", Key="none")
except s.exceptions.NoSuchKey:
    out["noKey"] = True
print(json.dumps(out))
`;

describe.skipIf("missing" in installed)("the lab's AWS as boto3 sees it", () => {
  let lab: LabAws;
  beforeAll(async () => {
    const zones = labZones([
      {
        id: "Z0LAB0",
        name: fqdn("goldentooth.net"),
        recordSets: [
          ...Array.from({ length: 298 }, (_, i) => simple(`r${i}.goldentooth.net`, "A", ["10.4.11.1"])),
          ...Array.from({ length: 90 }, (_, i) => weighted("s.goldentooth.net", `id-${i}`, 1, "10.4.11.2")),
          simple("*.apps.goldentooth.net", "A", ["10.4.11.3"]),
          simple("t.goldentooth.net", "TXT", ['"a <b> & \\"c\\"" "d"']),
        ],
      },
      { id: "Z0LAB1", name: fqdn("goldentooth.org"), recordSets: [] },
    ]);
    lab = await startLab(zones, {
      buckets: ["wishes"],
      functions: new Map<string, LabFunction>([
        ["scan", async (payload) => ({ got: payload })],
        [
          "fails",
          async () => {
            throw new Error("no plan");
          },
        ],
      ]),
    });
  });
  afterAll(() => lab?.close());

  it("pages, batches, functions and objects", async () => {
    if ("missing" in installed) return;
    const { stdout } = await run(join(dirname(installed.server), "python"), ["-c", script], {
      env: { PATH: process.env.PATH ?? "", ...lab.env },
    });
    expect(JSON.parse(stdout)).toEqual({
      pages: [300, 92],
      distinct: 392,
      wildcard: ["\\052.apps.goldentooth.net."],
      text: ['"a <b> & \\"c\\"" "d"'],
      byName: ["/hostedzone/Z0LAB0", "/hostedzone/Z0LAB1"],
      servers: ["ns-1.awsdns-01.org", "ns-2.awsdns-02.net"],
      status: "PENDING",
      refused: expect.stringMatching(/^\[Tried to create .* already exists, Tried to delete .*\]$/),
      missing: "No hosted zone found with ID: ZNONE",
      answer: [200, { got: { zone: "Z1" } }],
      failed: ["Unhandled", "no plan"],
      queued: 202,
      object: "{}",
      keys: ["a/b c.json"],
      noKey: true,
    });
  });
});
