import { describe, expect, it } from "vitest";
import { exitCode } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { runDns } from "./run-dns.ts";

const old = "external-dns.alpha.kubernetes.io/";

const set = (Name: string, Type: string, Value: string, TTL = 300) => ({
  Name,
  Type,
  TTL,
  ResourceRecords: [{ Value }],
});

const heritage = '"heritage=external-dns,external-dns/owner=default,external-dns/resource=service/apps/web"';

const zone = JSON.stringify({
  ResourceRecordSets: [
    set("web.example.com.", "A", "10.0.0.1"),
    set("a-web.example.com.", "TXT", heritage),
    set("\\052.apps.example.com.", "A", "10.0.0.9"),
    set("a-\\052.apps.example.com.", "TXT", heritage),
    set("hand.example.com.", "A", "10.0.0.7"),
  ],
});

const service = (name: string, hostname: string, ip: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "apps", annotations: { [`${old}hostname`]: hostname } },
  spec: { type: "LoadBalancer" },
  status: { loadBalancer: { ingress: [{ ip }] } },
});

const dump = JSON.stringify({
  kind: "List",
  items: [service("web", "web.example.com", "10.0.0.2"), service("hand", "hand.example.com", "10.0.0.8")],
});

const deployment = (
  args: readonly string[],
  image = "ghcr.example/external-dns:v0.20.0",
  env: readonly unknown[] = [],
) =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "external-dns", namespace: "dns" },
    spec: { template: { spec: { containers: [{ name: "external-dns", image, args, env }] } } },
  });

const files = { "zone.json": zone, "dump.json": dump };
const base = ["forecast", "--zone-file", "zone.json", "--endpoints", "dump.json", "--zone", "example.com"];
const owner = [...base, "--owner", "default"];

type Answer = Readonly<{
  changes: readonly Readonly<Record<string, unknown>>[];
  accepted: boolean | null;
  refused: readonly unknown[];
  silent: readonly Readonly<{ name: string; type: string; why: string }>[];
  unknown: readonly string[];
}>;

const answer = async (
  words: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> => (await runDns(words, { ...files, ...more })).json as unknown as Answer;

const short = ({ changes }: Answer): readonly string[] =>
  changes.map(({ action, name, type }) => `${action} ${name} ${type}`);

describe("dns forecast", () => {
  it("warns, and fails, when nothing is wanted and everything owned would go", async () => {
    const none = { ...files, "dump.json": JSON.stringify({ kind: "List", items: [] }) };
    const ask = (policy: string) => runDns([...owner, "--release", "0.21.0", "--policy", policy], none);
    expect((await ask("sync")).verdict).toMatchObject({ word: "WARN", outcome: "failed" });
    expect((await ask("upsert-only")).verdict).toMatchObject({ word: "FORECAST", outcome: "info" });
  });

  it("prints the batch with names decoded, TXT values quoted, and nothing else", async () => {
    expect(await answer([...owner, "--release", "0.21.0"])).toEqual({
      changes: [
        { action: "UPSERT", name: "a-web.example.com", type: "TXT", values: [heritage], ttl: 300 },
        { action: "UPSERT", name: "web.example.com", type: "A", values: ["10.0.0.2"], ttl: 300 },
        { action: "DELETE", name: "*.apps.example.com", type: "A", values: ["10.0.0.9"], ttl: 300 },
        { action: "DELETE", name: "a-*.apps.example.com", type: "TXT", values: [heritage], ttl: 300 },
      ],
      accepted: true,
      refused: [],
      silent: [{ name: "hand.example.com", type: "A", why: expect.stringContaining("nobody owns it") }],
      unknown: [],
    });
  });

  it("an upgrade to the release with the other prefix deletes what the old one wrote", async () => {
    const got = await answer([...owner, "--release", "0.22.0", "--policy", "sync"]);
    expect(short(got).filter((line) => line.startsWith("DELETE"))).toHaveLength(4);
    expect(got.silent.map(({ name }) => name)).toContain("web.example.com");
  });

  it("starts with how many it would delete and orphan", async () => {
    const reply = await runDns([...owner, "--release", "0.21.0"], files);
    const [first] = renderTerminal(reply, { columns: 80, colour: false }).split("\n");
    expect(first).toContain("would delete 1 and orphan 1");
    expect(exitCode(reply)).toBe(0);
  });

  it("accepted is null when nothing is sent", async () => {
    const got = await answer([...owner, "--release", "0.21.0", "--policy", "create-only"]);
    expect([got.changes, got.accepted]).toEqual([[], null]);
  });

  it("an empty owner switches the filter off", async () => {
    const got = await answer([...base, "--owner", "", "--release", "0.21.0"]);
    expect(short(got)).toContain("UPSERT hand.example.com A");
  });

  it("takes filters, types and the prefix by flag", async () => {
    const with21 = [...owner, "--release", "0.21.0"];
    expect(short(await answer([...with21, "--exclude-domains", "apps.example.com"]))).toHaveLength(2);
    expect(
      short(await answer([...with21, "--domain-filter", "apps.example.com,x.example.com"])),
    ).toHaveLength(2);
    expect(short(await answer([...with21, "--managed-types", "CNAME"]))).toEqual([]);
    expect(short(await answer([...with21, "--exclude-types", "A"]))).toEqual([]);
    const kept = [...owner, "--release", "0.22.0", "--policy", "sync", "--annotation-prefix", old];
    expect(short(await answer(kept))).toContain("UPSERT web.example.com A");
    expect(short(await answer([...with21, "--txt-prefix", "txt."]))).toEqual([]);
  });

  it("what Route 53 refuses makes it fail", async () => {
    const edited = zone.replace(
      '"a-\\\\052.apps.example.com.","Type":"TXT","TTL":300',
      '"a-\\\\052.apps.example.com.","Type":"TXT","TTL":60',
    );
    const reply = await runDns([...owner, "--release", "0.21.0"], { ...files, "zone.json": edited });
    expect((reply.json as unknown as Answer).refused).toEqual([
      { name: "a-*.apps.example.com", type: "TXT", why: expect.stringContaining("TTL is 60") },
    ]);
    expect(exitCode(reply)).toBe(1);
  });

  it("a TXT target goes out as the object writes it, so Route 53 refuses one without quotation marks", async () => {
    const endpoint = (dnsName: string, target: string) => ({ dnsName, recordType: "TXT", targets: [target] });
    const given = JSON.stringify({
      apiVersion: "externaldns.k8s.io/v1alpha1",
      kind: "DNSEndpoint",
      metadata: { name: "texts", namespace: "apps" },
      spec: {
        endpoints: [
          endpoint("plain.example.com", "v=spf1 -all"),
          endpoint("marked.example.com", '"v=spf1 -all"'),
        ],
      },
    });
    const words = "--zone-file zone.json --endpoints given.json --zone example.com --owner me";
    const reply = await runDns(
      `forecast ${words} --policy create-only --release 0.22.0 --managed-types A,TXT`,
      { "zone.json": zone, "given.json": given },
    );
    const { changes, refused, accepted } = reply.json as Answer;
    const values = (name: string) =>
      changes.find((each) => each.name === name && each.type === "TXT")?.values;
    expect(values("plain.example.com")).toEqual(["v=spf1 -all"]);
    expect(values("marked.example.com")).toEqual(['"v=spf1 -all"']);
    expect(accepted).toBe(false);
    expect(refused).toEqual([
      {
        name: "plain.example.com",
        type: "TXT",
        why: expect.stringContaining("not in quotation marks"),
      },
    ]);
  });

  it("reads arguments and environment of a Deployment; its own options outrank them", async () => {
    const given = deployment(["--provider=aws", "--source=service", "--txt-owner-id=other"], undefined, [
      { name: "EXTERNAL_DNS_POLICY", value: "upsert-only" },
      { name: "EXTERNAL_DNS_TXT_OWNER_ID", value: "ignored" },
    ]);
    const words = [...base, "--deployment", "d.json"];
    expect(short(await answer(words, { "d.json": given }))).toEqual([]);
    expect(short(await answer([...words, "--owner", "default"], { "d.json": given }))).toEqual([
      "UPSERT a-web.example.com TXT",
      "UPSERT web.example.com A",
    ]);
  });

  it("names flags that are not modelled, and is unknown then", async () => {
    const given = deployment(
      ["--fqdn-template={{.Name}}.example.com", "--log-level=debug", "--registry=dynamodb"],
      undefined,
      [{ name: "EXTERNAL_DNS_DOMAIN_FILTER", valueFrom: { secretKeyRef: { name: "x", key: "y" } } }],
    );
    const reply = await runDns([...base, "--deployment", "d.json"], { ...files, "d.json": given });
    expect((reply.json as unknown as Answer).unknown).toEqual(
      expect.arrayContaining(["--fqdn-template", "--registry=dynamodb", "env EXTERNAL_DNS_DOMAIN_FILTER"]),
    );
    expect((reply.json as unknown as Answer).unknown).toHaveLength(3);
    expect(exitCode(reply)).toBe(3);
  });

  it("reads a manifest in YAML, and an encrypted registry's key", async () => {
    const yaml =
      "kind: Deployment\nmetadata: {name: external-dns}\nspec: {template: {spec: {containers: [{name: external-dns, image: 'external-dns:0.21.0', args: ['--txt-owner-id', default]}]}}}\n";
    expect(short(await answer([...base, "--deployment", "d.yaml"], { "d.yaml": yaml }))).toHaveLength(4);
    const key = { "key.txt": "0123456789abcdef0123456789abcdef\n" };
    const encrypted = await answer([...owner, "--release", "0.21.0", "--txt-aes-key-file", "key.txt"], key);
    expect(encrypted.changes[0]).toEqual({
      action: "UPSERT",
      name: "a-web.example.com",
      type: "TXT",
      ttl: 300,
    });
  });

  const usage: readonly (readonly [string, readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
    ["0.22 without a policy", owner, {}, /--policy is missing.*--release 0\.21\.0/],
    ["an unknown release", [...owner, "--release", "0.9.0"], {}, /0\.9\.0.*not a release/],
    ["an unknown policy", [...owner, "--policy", "all"], {}, /--policy takes sync/],
    ["no owner", [...base, "--policy", "sync"], {}, /--owner is missing/],
    [
      "both affixes",
      [...owner, "--policy", "sync", "--txt-prefix", "a", "--txt-suffix", "b"],
      {},
      /exclude each other/,
    ],
    [
      "another zone's listing",
      [
        "forecast",
        "--zone-file",
        "zone.json",
        "--endpoints",
        "dump.json",
        "--zone",
        "other.net",
        "--owner",
        "x",
        "--policy",
        "sync",
      ],
      {},
      /not in the zone other\.net/,
    ],
    [
      "a broken listing",
      [...owner, "--policy", "sync"],
      { "zone.json": "{}" },
      /zone\.json.*ResourceRecordSets/,
    ],
    ["a broken dump", [...owner, "--policy", "sync"], { "dump.json": "[1]" }, /dump\.json.*no kind/],
    [
      "a key of the wrong length",
      [...owner, "--policy", "sync", "--txt-aes-key-file", "k"],
      { k: "short" },
      /32 bytes/,
    ],
    [
      "no ExternalDNS in the Deployment",
      [...base, "--policy", "sync", "--deployment", "d"],
      { d: "kind: List\nitems: []\n" },
      /no Deployment/,
    ],
    [
      "a Deployment whose image says no release",
      [...base, "--policy", "sync", "--deployment", "d"],
      { d: deployment([], "external-dns:latest") },
      /say --release/,
    ],
  ];
  it.each(usage)("refuses %s", async (_, words, more, message) => {
    const reply = await runDns(words, { ...files, ...more });
    expect(exitCode(reply)).toBe(2);
    expect(JSON.stringify(reply.json)).toMatch(message);
  });
});
