import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LabAws } from "#infra/lab/aws/start.ts";
import { connectRoute53 } from "#shared/adapters/route53.ts";
import { splitMessages } from "#shared/adapters/route53-refused-batch.ts";
import { createSharedReads } from "#shared/adapters/shared-reads.ts";
import type { Clock } from "#shared/clock.ts";
import { sameZone } from "#shared/dns/aws-change.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import type { FaultError } from "#shared/fault.ts";
import { simple, weighted } from "#test/contract/zones.ts";
import { connectLab, labCredentials, labZones, startLab } from "#test/infra/lab/aws/lab-zones.ts";

/** A clock on which sleeping takes no time but is added up. */
function sleepless(): Clock & Readonly<{ slept: number[] }> {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  };
}

const zoneOf = (count: number): readonly RecordSet[] =>
  Array.from({ length: count }, (_, i) => simple(`r${i}.goldentooth.net`, "A", ["10.4.11.1"]));

const faultOf = async (work: Promise<unknown>): Promise<FaultError["fault"]> =>
  work.then(
    () => {
      throw new Error("no fault");
    },
    (error: FaultError) => error.fault ?? error,
  );

describe("Route 53 over the SDK", () => {
  let lab: LabAws;
  let zones: ReturnType<typeof labZones>;
  beforeEach(async () => {
    zones = labZones([
      // NS and SOA make it 1,201.
      { id: "Z0LAB0", name: fqdn("goldentooth.net"), recordSets: zoneOf(1_199) },
      {
        id: "Z0LAB1",
        name: fqdn("small.example"),
        recordSets: [simple("a.small.example", "A", ["10.1.1.1"])],
      },
    ]);
    lab = await startLab(zones);
  });
  afterEach(() => lab.close());

  const counted = (operation: string): number =>
    lab.calls().filter(({ call }) => call === `Route53.${operation}`).length;

  it("lists n record sets with ceil(n / 300) calls, once for all who ask at the same time", async () => {
    const { read, close } = connectLab(lab);
    const [one, two] = await Promise.all([read.recordSets("Z0LAB0"), read.recordSets("Z0LAB0")]);
    expect(one).toHaveLength(1_201);
    expect(two).toBe(one);
    expect(counted("ListResourceRecordSets")).toBe(5);
    await read.recordSets("Z0LAB0");
    expect(counted("ListResourceRecordSets")).toBe(10);
    close();
  });

  it("goes on inside one name with the set identifier, so that none is missed or asked for twice", async () => {
    const sets = Array.from({ length: 650 }, (_, i) =>
      weighted("w.small.example", `set-${String(i).padStart(3, "0")}`, 1, `10.3.${i >> 8}.${i & 255}`),
    );
    zones.edit(
      "Z0LAB1",
      sets.map((set) => ({ action: "CREATE", set })),
    );
    const { read, close } = connectLab(lab);
    expect((await read.recordSets("Z0LAB1")).filter(({ type }) => type === "A")).toHaveLength(651);
    expect(counted("ListResourceRecordSets")).toBe(3);
    const last = sets.at(-1) as RecordSet;
    expect(await read.lookUp("Z0LAB1", [last])).toEqual([last]);
    expect(counted("ListResourceRecordSets")).toBe(6);
    close();
  });

  it("keeps to its calls a second over everything it does", async () => {
    const clock = sleepless();
    const { read, change, close } = connectLab(lab, { clock, callsPerSecond: 2 });
    await Promise.all([read.recordSets("Z0LAB0"), read.zone("Z0LAB1"), read.zones()]);
    await change("Z0LAB1", [{ action: "UPSERT", set: simple("b.small.example", "A", ["10.1.1.2"]) }], "");
    expect(lab.calls()).toHaveLength(8);
    // Eight calls are seven gaps of half a second.
    expect(clock.now()).toBe(3_500);
    close();
  });

  it("asks again after Throttling, ever later, and counts those calls too", async () => {
    const clock = sleepless();
    zones.faults.throttle(3);
    const { read, close } = connectLab(lab, { clock, callsPerSecond: 1_000, random: () => 0.5 });
    expect((await read.zone("Z0LAB1")).name).toBe("small.example");
    expect(counted("GetHostedZone")).toBe(4);
    expect(clock.slept.filter((ms) => ms > 100)).toEqual([750, 1_500, 3_000]);
    close();
  });

  it("gives up a throttling storm with a fault that says so", async () => {
    zones.faults.throttle(Number.POSITIVE_INFINITY);
    const { read, close } = connectLab(lab, { clock: sleepless(), attempts: 4 });
    expect(await faultOf(read.recordSets("Z0LAB0"))).toEqual({
      kind: "timed-out",
      what: "record sets of zone Z0LAB0",
      detail: "Throttling: Rate exceeded (4 tries)",
    });
    expect(counted("ListResourceRecordSets")).toBe(4);
    close();
  });

  it("makes the listing a fault when one of its pages cannot be had", async () => {
    zones.faults.failPage("Z0LAB0", 2);
    const { read, close } = connectLab(lab, { clock: sleepless(), attempts: 3 });
    expect(await faultOf(read.recordSets("Z0LAB0"))).toMatchObject({
      what: "record sets of zone Z0LAB0",
      detail: expect.stringContaining("(3 tries)"),
    });
    expect(counted("ListResourceRecordSets")).toBe(2 + 3);
    zones.faults.failPage("Z0LAB0", undefined);
    expect(await read.recordSets("Z0LAB0")).toHaveLength(1_201);
    close();
  });

  it("gives up sooner where nobody answers than where the quota is used up", async () => {
    const { read, close } = connectLab(lab, { clock: sleepless(), endpoint: "http://127.0.0.1:1" });
    expect(await faultOf(read.zone("Z0LAB1"))).toMatchObject({
      kind: "refused",
      detail: expect.stringContaining("(3 tries)"),
    });
    close();
  });

  it("waits while a zone is busy with the change before", async () => {
    const { change, close } = connectLab(lab, { clock: sleepless(), attempts: 3 });
    zones.faults.setBusyMs(60_000);
    const upsert = [{ action: "UPSERT" as const, set: simple("b.small.example", "A", ["10.1.1.2"]) }];
    expect(await change("Z0LAB1", upsert, "")).toMatchObject({ ok: true });
    expect(await faultOf(change("Z0LAB1", upsert, ""))).toMatchObject({
      kind: "timed-out",
      detail: expect.stringContaining("PriorRequestNotComplete"),
    });
    expect(zones.history()).toHaveLength(1);
    expect(counted("ChangeResourceRecordSets")).toBe(4);
    close();
  });

  it("sends a batch whose answer was lost once only, and says that nobody knows", async () => {
    const { read, change, close } = connectLab(lab, { clock: sleepless() });
    zones.faults.loseAnswers(1);
    const set = simple("b.small.example", "A", ["10.1.1.2"]);
    expect(await faultOf(change("Z0LAB1", [{ action: "CREATE", set }], ""))).toMatchObject({
      kind: "unreachable",
      what: "batch of 1 for zone Z0LAB1",
    });
    expect(counted("ChangeResourceRecordSets")).toBe(1);
    expect(await read.lookUp("Z0LAB1", [set])).toEqual([set]);
    close();
  });

  it("tells when a change is everywhere", async () => {
    const { read, change, close } = connectLab(lab);
    const result = await change(
      "Z0LAB1",
      [{ action: "CREATE", set: simple("b.small.example", "A", ["10.1.1.2"]) }],
      "",
    );
    if (!result.ok) throw new Error(result.messages.join());
    expect(result.status).toBe("PENDING");
    expect(await read.change(result.changeId)).toBe("PENDING");
    zones.elapse();
    expect(await read.change(result.changeId)).toBe("INSYNC");
    expect(await read.change(`/change/${result.changeId}`)).toBe("INSYNC");
    close();
  });

  it("gives every message of a refused batch", async () => {
    const { change, close } = connectLab(lab);
    const result = await change(
      "Z0LAB1",
      [
        { action: "CREATE", set: simple("a.small.example", "A", ["10.1.1.2"]) },
        { action: "DELETE", set: weighted("w.small.example", "blue", 1, "10.1.1.3") },
      ],
      "",
    );
    expect(result).toEqual({
      ok: false,
      messages: [
        expect.stringMatching(/^Tried to create .*a\.small\.example.*already exists$/),
        expect.stringMatching(/^Tried to delete .*w\.small\.example.*blue.*not found$/),
      ],
    });
    close();
  });

  it("keeps to 1,000 values and 32,000 characters a batch", async () => {
    const { change, close } = connectLab(lab);
    const values = Array.from({ length: 350 }, (_, i) => `10.2.${i >> 8}.${i & 255}`);
    const sets = ["x", "y", "z"].map((name) => simple(`${name}.small.example`, "A", values));
    const result = await change(
      "Z0LAB1",
      sets.map((set) => ({ action: "CREATE", set })),
      "",
    );
    expect(result).toEqual({ ok: false, messages: ["Number of records limit of 1000 exceeded."] });
    close();
  });

  it("puts the zone's own id into an alias to the zone", async () => {
    const { read, change, close } = connectLab(lab);
    const alias: RecordSet = {
      name: fqdn("alias.small.example"),
      type: "A",
      routing: { policy: "simple" },
      answer: {
        kind: "alias",
        target: { hostedZoneId: sameZone, name: fqdn("a.small.example"), evaluateTargetHealth: false },
      },
    };
    expect(await change("Z0LAB1", [{ action: "CREATE", set: alias }], "")).toMatchObject({ ok: true });
    const [found] = await read.lookUp("Z0LAB1", [alias]);
    expect(found?.answer).toMatchObject({ target: { hostedZoneId: "Z0LAB1" } });
    close();
  });

  it("sends nothing that it cannot send whole", async () => {
    const { change, close } = connectLab(lab);
    const set = { ...simple("n.small.example", "A", ["10.1.1.1"]), unmodelled: { Future: 1 } };
    expect(await faultOf(change("Z0LAB1", [{ action: "CREATE", set }], ""))).toMatchObject({
      kind: "not-modelled",
      detail: "it has Future, which would be lost",
    });
    expect(lab.calls()).toEqual([]);
    close();
  });

  it("looks names up with a call each, fewer where they came along", async () => {
    const { read, close } = connectLab(lab);
    const ids = ["r100", "r101", "r102", "nowhere"].map((label) => ({
      name: fqdn(`${label}.goldentooth.net`),
      type: "A",
    }));
    const found = await read.lookUp("Z0LAB0", ids);
    expect(found.map((set) => set?.name)).toEqual([ids[0]?.name, ids[1]?.name, ids[2]?.name, undefined]);
    expect(counted("ListResourceRecordSets")).toBe(2);
    close();
  });

  it("looks many names up by one listing where that is fewer calls", async () => {
    const { read, close } = connectLab(lab);
    const absent = simple("absent.goldentooth.net", "A", ["10.4.11.1"]);
    const ids = [...zoneOf(40), absent];
    expect(await read.lookUp("Z0LAB0", ids)).toEqual([...zoneOf(40), undefined]);
    // 1,201 record sets are five pages, and one call says how many there are.
    expect(counted("ListResourceRecordSets")).toBe(5);
    expect(counted("GetHostedZone")).toBe(1);
    close();
  });

  it("stops a listing that nobody waits for any more", async () => {
    const { read, close } = connectLab(lab, { callsPerSecond: 20 });
    const [leaving, alone] = [new AbortController(), new AbortController()];
    const both = read.recordSets("Z0LAB0");
    const left = faultOf(read.recordSets("Z0LAB0", leaving.signal));
    leaving.abort();
    expect(await left).toMatchObject({ kind: "cancelled" });
    expect(await both).toHaveLength(1_201);
    const before = lab.calls().length;
    const given = faultOf(read.recordSets("Z0LAB0", alone.signal));
    alone.abort();
    expect(await given).toMatchObject({ kind: "cancelled" });
    expect(lab.calls().length - before).toBeLessThan(2);
    close();
  });

  it.each([
    ["a zone that is not there", "not-configured", (url: string) => url],
    ["nobody answering", "refused", () => "http://127.0.0.1:1"],
  ])("tells %s", async (_, kind, endpoint) => {
    const { read, close } = connectRoute53({
      region: "eu-central-1",
      endpoint: endpoint(lab.url),
      credentials: labCredentials,
      clock: sleepless(),
      callsPerSecond: 100,
      attempts: 2,
    });
    expect(await faultOf(read.recordSets("ZNONE"))).toMatchObject({
      kind,
      what: "record sets of zone ZNONE",
    });
    close();
  });
});

describe("answers that are not as they should be", () => {
  const page = (items: string, next: string) =>
    `<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets>${items}</ResourceRecordSets>${next}<MaxItems>300</MaxItems></ListResourceRecordSetsResponse>`;
  const record = (value: string) =>
    `<ResourceRecordSet><Name>a.x.net.</Name><Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>${value}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`;
  const soa =
    "<ResourceRecordSet><Name>x.net.</Name><Type>SOA</Type><TTL>900</TTL><ResourceRecords><ResourceRecord><Value>ns.x.net. admin.x.net. 1 2 3 4 5</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>";
  const again =
    "<IsTruncated>true</IsTruncated><NextRecordName>a.x.net.</NextRecordName><NextRecordType>A</NextRecordType>";
  const last = "<IsTruncated>false</IsTruncated>";

  /** Route 53 that gives these answers in turn, the last one again and again. */
  async function scripted(answers: readonly Readonly<{ status: number; body: string }>[]) {
    let asked = 0;
    const server = createServer((request, response) => {
      request.resume();
      const { status, body } = answers[Math.min(asked++, answers.length - 1)] as {
        status: number;
        body: string;
      };
      response.writeHead(status, { "content-type": "text/xml" }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const connection = connectRoute53({
      region: "eu-central-1",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: labCredentials,
      clock: sleepless(),
      callsPerSecond: 100,
      attempts: 2,
    });
    return {
      ...connection,
      stop: () => {
        connection.close();
        server.closeAllConnections();
        server.close();
      },
    };
  }
  const ok = (body: string) => ({ status: 200, body });

  it.each([
    ["pages that go round", [ok(page(record("10.0.0.1"), again))], "go round"],
    [
      "a page that says there is more but not where",
      [ok(page(record("10.0.0.1"), "<IsTruncated>true</IsTruncated>"))],
      "there is more but not where",
    ],
    [
      "a record set that changed between two pages",
      [ok(page(record("10.0.0.1"), again)), ok(page(record("10.0.0.2"), last))],
      "listed twice with different content",
    ],
    ["half a page", [ok(page(record("10.0.0.1"), last).slice(0, 200))], ""],
    ["something else", [ok("<html><body>captive portal</body></html>")], "no list of Route 53"],
    ["a zone without its SOA", [ok(page(record("10.0.0.1"), last))], "no SOA is among them"],
    [
      "a record set without TTL",
      [ok(page("<ResourceRecordSet><Name>a.x.net.</Name><Type>A</Type></ResourceRecordSet>", last))],
      "a.x.net A) has neither",
    ],
  ])("%s make the listing a fault", async (_, answers, detail) => {
    const { read, stop } = await scripted(answers);
    const fault = await faultOf(read.recordSets("Z1"));
    expect(fault).toMatchObject({
      what: "record sets of zone Z1",
      detail: expect.stringContaining(detail),
    });
    expect(["unreadable", "truncated"]).toContain(fault.kind);
    stop();
  });

  it("a page of somebody else is no empty list of zones", async () => {
    const { read, stop } = await scripted([ok("<html><body>captive portal</body></html>")]);
    expect(await faultOf(read.zones())).toMatchObject({ kind: "unreadable" });
    expect(await faultOf(read.zones(fqdn("x.net")))).toMatchObject({ kind: "unreadable" });
    expect(await faultOf(read.zone("Z1"))).toMatchObject({ kind: "unreadable" });
    expect(await faultOf(read.change("C1"))).toMatchObject({ kind: "unreadable" });
    expect(await faultOf(read.lookUp("Z1", [{ name: fqdn("a.x.net"), type: "A" }]))).toMatchObject({
      kind: "unreadable",
    });
    stop();
  });

  it("counts a record set once that moved from one page to the next", async () => {
    const { read, stop } = await scripted([
      ok(page(record("10.0.0.1"), again)),
      ok(page(soa + record("10.0.0.1"), last)),
    ]);
    expect(await read.recordSets("Z1")).toHaveLength(2);
    stop();
  });

  const envelope = (code: string, message: string) =>
    `<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
  const change = [{ action: "CREATE" as const, set: simple("a.x.net", "A", ["10.0.0.1"]) }];

  it.each([
    [
      "in the usual envelope",
      envelope("InvalidChangeBatch", "[Tried to create it, and failed, Tried to delete it]"),
      ["Tried to create it, and failed", "Tried to delete it"],
    ],
    [
      "without the envelope",
      '<InvalidChangeBatch xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Messages><Message>Tried to create it</Message><Message>Tried to delete it</Message></Messages><RequestId>1</RequestId></InvalidChangeBatch>',
      ["Tried to create it", "Tried to delete it"],
    ],
    [
      "without the envelope, one message",
      '<InvalidChangeBatch xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Messages><Message>Tried to create it</Message></Messages><RequestId>1</RequestId></InvalidChangeBatch>',
      ["Tried to create it"],
    ],
    [
      "as invalid input",
      envelope("InvalidInput", "1 validation error"),
      ["InvalidInput: 1 validation error"],
    ],
  ])("a batch refused %s is a value", async (_, body, messages) => {
    const connection = await scripted([{ status: 400, body }]);
    expect(await connection.change("Z1", change, "")).toEqual({ ok: false, messages });
    connection.stop();
  });

  it("a denial is no refusal of the batch", async () => {
    const connection = await scripted([
      { status: 403, body: envelope("AccessDenied", "User is not authorized") },
    ]);
    expect(await faultOf(connection.change("Z1", change, ""))).toEqual({
      kind: "denied",
      what: "batch of 1 for zone Z1",
      detail: "AccessDenied: User is not authorized",
    });
    connection.stop();
  });

  it("an error of the service is not answered by sending the batch again", async () => {
    const connection = await scripted([
      { status: 500, body: envelope("InternalFailure", "try later") },
      ok("must not be asked"),
    ]);
    expect(await faultOf(connection.change("Z1", change, ""))).toMatchObject({
      detail: "InternalFailure: try later",
    });
    connection.stop();
  });
});

describe("messages of a refused batch", () => {
  it.each([
    ["Tried to delete it", ["Tried to delete it"]],
    ["[a, b]", ["a, b"]],
    [
      "[Tried to create resource record set [name='a.', type='A'] but it already exists, RRSet with DNS name b., type A, SetIdentifier c cannot be created]",
      [
        "Tried to create resource record set [name='a.', type='A'] but it already exists",
        "RRSet with DNS name b., type A, SetIdentifier c cannot be created",
      ],
    ],
    ["", []],
  ])("%j", (text, messages) => expect(splitMessages(text)).toEqual(messages));
});

describe("reads that are shared", () => {
  it("starts anew after a change and after a failure", async () => {
    let started = 0;
    const reads = createSharedReads<number>(
      async () => {
        started += 1;
        if (started === 1) throw new Error("first");
        return started;
      },
      () => new Error("cancelled"),
    );
    await expect(reads.read("z")).rejects.toThrow("first");
    const one = reads.read("z");
    reads.forget("z");
    expect(await Promise.all([one, reads.read("z")])).toEqual([2, 3]);
  });
});
