import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LabFunction } from "#infra/lab/aws/lambda.ts";
import type { LabAws } from "#infra/lab/aws/start.ts";
import { connectLambda } from "#shared/adapters/lambda-invoke.ts";
import type { Json } from "#shared/json.ts";
import { labCredentials as credentials, labZones, startLab } from "#test/infra/lab/aws/lab-zones.ts";

describe("functions by name", () => {
  let lab: LabAws;
  const seen: Json[] = [];
  const functions = new Map<string, LabFunction>([
    [
      "scan",
      async (payload) => {
        seen.push(payload);
        return { got: payload };
      },
    ],
    [
      "fails",
      async () => {
        throw new TypeError("plan P-1\nis unknown");
      },
    ],
    ["silent", async () => undefined],
  ]);
  beforeAll(async () => {
    lab = await startLab(labZones([]), { functions });
  });
  afterAll(() => lab.close());

  const connect = (endpoint = lab.url) =>
    connectLambda({ region: "eu-central-1", endpoint, credentials, timeoutMs: 5_000 });

  it("gives the payload and the answer on", async () => {
    const lambda = connect();
    expect(await lambda.ask("scan", { zone: "Z1", names: ["ä"] })).toEqual({
      got: { zone: "Z1", names: ["ä"] },
    });
    expect(await lambda.ask("arn:aws:lambda:eu-central-1:000000000000:function:scan", 1)).toEqual({ got: 1 });
    expect(await lambda.ask("silent", null)).toBeNull();
    lambda.close();
  });

  it("returns at once from an event, which may come twice", async () => {
    const lambda = connect();
    seen.length = 0;
    await lambda.tell("scan", { n: 1 });
    await lab.idle();
    expect(seen).toEqual([{ n: 1 }]);
    lab.faults.lambda.deliverTwice(true);
    await lambda.tell("scan", { n: 2 });
    await lab.idle();
    lab.faults.lambda.deliverTwice(false);
    expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 2 }]);
    lambda.close();
  });

  it("tells a function that failed, in its own words", async () => {
    const lambda = connect();
    await expect(lambda.ask("fails", {})).rejects.toMatchObject({
      fault: {
        kind: "refused",
        what: "function fails",
        detail: "it failed: TypeError: plan P-1 is unknown",
      },
    });
    lambda.close();
  });

  it("tells a function that ran out of time apart: it may have done its work", async () => {
    const lambda = connect();
    lab.faults.lambda.timeOut(1);
    await expect(lambda.ask("scan", {})).rejects.toMatchObject({ fault: { kind: "timed-out" } });
    lambda.close();
  });

  it("says that there is no such function", async () => {
    const lambda = connect();
    await expect(lambda.ask("scam", {})).rejects.toMatchObject({
      fault: { kind: "not-configured", detail: expect.stringContaining("function:scam") },
    });
    lambda.close();
  });

  it("calls once, also when nobody answers", async () => {
    const lambda = connect("http://127.0.0.1:1");
    await expect(lambda.ask("scan", {})).rejects.toMatchObject({ fault: { kind: "refused" } });
    lambda.close();
    const again = connect();
    const before = lab.calls().length;
    await again.ask("fails", {}).catch(() => {});
    expect(lab.calls().length - before).toBe(1);
    again.close();
  });
});
