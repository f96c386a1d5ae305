import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LabAws } from "#infra/lab/aws/start.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { simple, weighted } from "#test/contract/zones.ts";
import { labZones, startLab } from "./lab-zones.ts";

const signed = { authorization: "AWS4-HMAC-SHA256 Credential=lab" };

describe("the lab's Route 53, as any client sees it", () => {
  let lab: LabAws;
  let zones: ReturnType<typeof labZones>;
  beforeAll(async () => {
    zones = labZones([
      {
        id: "Z0LAB0",
        name: fqdn("x.net"),
        recordSets: [
          // `-` sorts before the dot that ends a label: a-b.x.net before b.a.x.net would be plain string order.
          simple("b.a.x.net", "A", ["10.0.0.1"]),
          simple("a-b.x.net", "A", ["10.0.0.1"]),
          simple("*.a.x.net", "A", ["10.0.0.1"]),
          weighted("w.x.net", "blue", 1, "10.0.0.2"),
          weighted("w.x.net", "green", 1, "10.0.0.3"),
          simple("w.x.net", "TXT", ['"a" "b"']),
        ],
      },
      { id: "Z0LAB1", name: fqdn("y.net"), recordSets: [] },
      { id: "Z0LAB2", name: fqdn("x.net"), private: true, recordSets: [] },
    ]);
    lab = await startLab(zones);
  });
  afterAll(() => lab.close());

  const get = async (path: string): Promise<Readonly<{ status: number; body: string }>> => {
    const response = await fetch(`${lab.url}/2013-04-01/${path}`, { headers: signed });
    return { status: response.status, body: await response.text() };
  };
  const post = async (body: string, zone = "Z0LAB0"): Promise<Readonly<{ status: number; body: string }>> => {
    const url = `${lab.url}/2013-04-01/hostedzone/${zone}/rrset/`;
    const response = await fetch(url, { method: "POST", headers: signed, body });
    return { status: response.status, body: await response.text() };
  };
  const all = (body: string, tag: string): readonly string[] =>
    [...body.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, "g"))].map((match) => match[1] as string);

  it("lists in Route 53's order, names escaped", async () => {
    const { body } = await get("hostedzone/Z0LAB0/rrset");
    expect(all(body, "Name")).toEqual([
      "x.net.",
      "x.net.",
      "a-b.x.net.",
      "\\052.a.x.net.",
      "b.a.x.net.",
      "w.x.net.",
      "w.x.net.",
      "w.x.net.",
    ]);
    expect(all(body, "IsTruncated")).toEqual(["false"]);
  });

  it("goes on with all three fields, and repeats with the name alone", async () => {
    const { body } = await get("hostedzone/Z0LAB0/rrset?maxitems=6");
    expect(all(body, "NextRecordName")).toEqual(["w.x.net."]);
    expect(all(body, "NextRecordType")).toEqual(["A"]);
    expect(all(body, "NextRecordIdentifier")).toEqual(["green"]);
    const next = await get("hostedzone/Z0LAB0/rrset?name=w.x.net.&type=A&identifier=green");
    expect(all(next.body, "SetIdentifier")).toEqual(["green"]);
    const repeated = await get("hostedzone/Z0LAB0/rrset?name=w.x.net.");
    expect(all(repeated.body, "SetIdentifier")).toEqual(["blue", "green"]);
  });

  it.each([
    ["hostedzone/Z0LAB0/rrset?type=A", 400, "InvalidInput"],
    ["hostedzone/Z0LAB0/rrset?name=w.x.net&identifier=green", 400, "InvalidInput"],
    ["hostedzone/Z0LAB0/rrset?maxitems=none", 400, "InvalidInput"],
    ["hostedzone/ZNONE/rrset", 404, "NoSuchHostedZone"],
    ["hostedzone/ZNONE", 404, "NoSuchHostedZone"],
    ["change/CNONE", 404, "NoSuchChange"],
    ["hostedzonelimit/ZNONE/MAX_RRSETS_BY_ZONE", 404, "NoSuchHostedZone"],
    ["healthcheck", 501, "NotImplemented"],
  ])("answers %s with %i %s", async (path, status, code) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(all(answer.body, "Code")).toEqual([code]);
  });

  it("starts a list of zones at a name and goes on to later ones", async () => {
    const ids = (body: string) => all(body, "Id").map((id) => id.replace("/hostedzone/", ""));
    expect(ids((await get("hostedzonesbyname?dnsname=x.net")).body)).toEqual(["Z0LAB0", "Z0LAB2", "Z0LAB1"]);
    expect(ids((await get("hostedzonesbyname?dnsname=x.ne")).body)).toEqual(["Z0LAB0", "Z0LAB2", "Z0LAB1"]);
    expect(ids((await get("hostedzonesbyname?dnsname=z.net")).body)).toEqual([]);
    const first = await get("hostedzonesbyname?dnsname=x.net&maxitems=1");
    expect(all(first.body, "NextHostedZoneId")).toEqual(["Z0LAB2"]);
    expect(ids((await get("hostedzone?maxitems=2")).body)).toEqual(["Z0LAB0", "Z0LAB1"]);
    expect(ids((await get("hostedzone?maxitems=2&marker=Z0LAB2")).body)).toEqual(["Z0LAB2"]);
  });

  it("counts what a zone holds against its limit", async () => {
    const { body } = await get("hostedzonelimit/Z0LAB0/MAX_RRSETS_BY_ZONE");
    expect([...all(body, "Count"), ...all(body, "Value")]).toEqual(["8", "10000"]);
  });

  const batch = (inside: string) =>
    `<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>${inside}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`;

  it.each([
    ["half a document", "<ChangeResourceRecordSetsRequest>", "MalformedXML"],
    ["another document", "<Other/>", "MalformedXML"],
    ["no change", batch(""), "InvalidInput"],
    [
      "an action that is none",
      batch("<Change><Action>PUT</Action><ResourceRecordSet/></Change>"),
      "InvalidInput",
    ],
    ["no record set", batch("<Change><Action>CREATE</Action></Change>"), "InvalidInput"],
    [
      "a record set without values",
      batch(
        "<Change><Action>CREATE</Action><ResourceRecordSet><Name>n.x.net</Name><Type>A</Type></ResourceRecordSet></Change>",
      ),
      "InvalidInput",
    ],
  ])("refuses a batch with %s", async (_, body, code) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(all(answer.body, "Code")).toEqual([code]);
    expect(zones.history()).toEqual([]);
  });

  it("refuses who sends no signature", async () => {
    expect((await fetch(`${lab.url}/2013-04-01/hostedzone`)).status).toBe(403);
  });

  it("throttles when told to", async () => {
    zones.faults.throttle(1);
    const answer = await get("hostedzone");
    expect(answer.status).toBe(400);
    expect([...all(answer.body, "Code"), ...all(answer.body, "Message")]).toEqual([
      "Throttling",
      "Rate exceeded",
    ]);
    expect((await get("hostedzone")).status).toBe(200);
  });
});

describe("the lab's S3, as any client sees it", () => {
  let lab: LabAws;
  beforeAll(async () => {
    lab = await startLab(labZones([]), { buckets: ["wishes"] });
  });
  afterAll(() => lab.close());
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${lab.url}${path}`, { ...init, headers: { ...signed, ...init.headers } });

  it("keeps, lists by prefix and page, gives and forgets objects", async () => {
    for (const key of ["a/1", "a/2", "a%20b", "c"]) await ask(`/wishes/${key}`, { method: "PUT", body: key });
    const listed = await (await ask("/wishes?list-type=2&prefix=a&max-keys=2")).text();
    expect([...listed.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1])).toEqual(["a b", "a/1"]);
    const token = /<NextContinuationToken>(.*?)</.exec(listed)?.[1] ?? "";
    const rest = await (await ask(`/wishes?list-type=2&prefix=a&continuation-token=${token}`)).text();
    expect([...rest.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1])).toEqual(["a/2"]);
    expect(await (await ask("/wishes/c")).text()).toBe("c");
    expect((await ask("/wishes/c", { method: "HEAD" })).headers.get("content-length")).toBe("1");
    await ask("/wishes/c", { method: "DELETE" });
    expect((await ask("/wishes/c")).status).toBe(404);
    expect((await ask("/nowhere/c")).status).toBe(404);
  });

  it("does not overwrite where the client forbids it", async () => {
    const once = { method: "PUT", headers: { "if-none-match": "*" }, body: "1" };
    expect([(await ask("/wishes/once", once)).status, (await ask("/wishes/once", once)).status]).toEqual([
      200, 412,
    ]);
  });

  it("takes the frames of a chunked upload off", async () => {
    await ask("/wishes/framed", {
      method: "PUT",
      headers: {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "content-encoding": "aws-chunked",
      },
      body: "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    });
    const got = await ask("/wishes/framed");
    expect([await got.text(), got.headers.get("content-encoding")]).toEqual(["hello world", null]);
  });
});
