import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readConfig } from "#bot/config.ts";
import { configJsonSchema } from "#bot/config-schema.ts";

const good = `clusters:
  - name: goldentooth
    kubeconfig: kubeconfig
    site:
      lanPrefix: 10.4.0.0/20
      routerIp: 10.4.0.1
    vantages:
      - name: ops-host
        place: lan-wired
        ssh: { host: 10.4.0.5, user: ops, identityFile: id, knownHostsFile: known_hosts }
      - name: here
        place: lan-wired
        local: true
    nodes:
      ssh: { user: root, identityFile: id, knownHostsFile: known_hosts, jumpHost: ops-host }
      list:
        - { name: karstark, host: 10.4.0.20 }
people:
  - { name: olive, slack: U0OLIVE, os: olive }
roles:
  - { role: operator, people: [olive], clusters: ["*"] }
`;

const resolve = (path: string) => `/etc/arpeggio/${path}`;
const problems = (source: string) => {
  const read = readConfig(source, resolve);
  return read.ok ? [] : read.problems.map((p) => `${p.line}:${p.column} ${p.path} ${p.message}`);
};

describe("the config file", () => {
  it("is read with absolute paths and defaults filled in", () => {
    const read = readConfig(good, resolve);
    expect(read).toMatchObject({
      ok: true,
      config: {
        clusters: [
          {
            name: "goldentooth",
            kubeconfig: "/etc/arpeggio/kubeconfig",
            vantages: [
              { name: "ops-host", access: { port: 22, sudo: false, identityFile: "/etc/arpeggio/id" } },
              { name: "here", access: "local" },
            ],
            nodes: [{ name: "karstark", access: { host: "10.4.0.20", user: "root", jumpHost: "ops-host" } }],
          },
        ],
      },
    });
  });

  it("wants to know the region of a ledger in DynamoDB", () => {
    const table = `${good}ledger: { dynamodb: { table: arpeggio-ledger } }\n`;
    expect(problems(table)).toEqual([
      "22:21 ledger.dynamodb needs to know where the table is; expected aws: { region } beside ledger:",
    ]);
    expect(problems(`${table}aws: { region: eu-central-1 }\n`)).toEqual([]);
    expect(problems(`${good}ledger: { file: ledger.sqlite }\n`)).toEqual([]);
  });

  it("tells every problem at once, with place, value, expectation and nearest word", () => {
    const bad = good
      .replace("place: lan-wired\n        ssh", "place: lan-wried\n        ssh")
      .replace("lanPrefix: 10.4.0.0/20", "lanPrefix: 10.4.0.0/99")
      .replace("    kubeconfig:", "    kubconfig:")
      .replace("slack: U0OLIVE", "slack: olive")
      .replace("people: [olive]", "people: [oliv]");
    expect(problems(bad)).toEqual([
      '3:5 clusters[0].kubconfig there is no "kubconfig" here; nearest: "kubeconfig"',
      '5:18 clusters[0].site.lanPrefix is "10.4.0.0/99"; must be a prefix in CIDR form, for example 10.4.0.0/20',
      '9:16 clusters[0].vantages[0].place is "lan-wried"; expected one of lan-wired, lan-wifi, behind-router; nearest: "lan-wired"',
      '19:27 people[0].slack is "olive"; must be a Slack user id such as U0123ABCD',
      '21:32 roles[0].people[0] is "oliv", which is no name under people; nearest: "olive"',
    ]);
  });

  it.each([
    ["clusters: []", /clusters/],
    ["", /clusters is missing; expected array/],
    ["clusters:\n  - name: a\n", /2:5 clusters\[0\].site is missing; expected object/],
    ["clusters: [\n", /is not YAML here/],
    ["a: &a [*a, *a]\n", /.+/],
  ])("%j is refused", (source, message) => {
    expect(problems(source).join("\n")).toMatch(message);
  });

  it.each([
    [
      good.replace("people: [olive]", "people: [oliv]"),
      /21:32 roles\[0\].people\[0\] is "oliv", which is no name under people; nearest: "olive"/,
    ],
    [good.replace('clusters: ["*"]', "clusters: [silvertooth]"), /which is no cluster/],
    [good.replace("jumpHost: ops-host", "jumpHost: ops-hots"), /nearest: "ops-host"/],
    [good.replace("routerIp: 10.4.0.1", "routerIp: 10.5.0.1"), /lies outside lanPrefix 10.4.0.0\/20/],
    [good.replace("- name: here", "- name: ops-host"), /"ops-host" is used twice/],
    [good.replace("people: [olive], ", ""), /names nobody/],
    [good.replace("        local: true\n", ""), /exactly one of "ssh" and "local: true"/],
  ])("rules across keys hold", (source, message) => {
    expect(problems(source).join("\n")).toMatch(message);
  });

  it("never crashes on any text, and always says where", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string({ unit: fc.constantFrom("a", ":", " ", "\n", "-", "[", "{", "&", "*", "'") }),
        ),
        (source) => {
          const read = readConfig(source, resolve);
          if (!read.ok) for (const p of read.problems) expect(p.line).toBeGreaterThan(0);
        },
      ),
    );
  });

  it("is described by a JSON Schema in which every object is closed", () => {
    const schema = JSON.stringify(configJsonSchema());
    expect(schema).toContain('"additionalProperties":false');
    expect(schema).not.toContain('"additionalProperties":true');
    expect(schema).toContain("known_hosts");
  });
});

describe("alerts in the config", () => {
  const withAlerts = (alerts: string, http = "http: { port: 9464 }\n") => `${good}${http}alerts:\n${alerts}`;
  const runbooks = [
    { id: "service-unreachable", takesSubject: true },
    { id: "node-lost", takesSubject: true },
  ];
  const told = (source: string) => {
    const read = readConfig(source, resolve, { runbooks });
    return read.ok ? [] : read.problems.map((p) => `${p.line}:${p.column} ${p.path} ${p.message}`);
  };

  it("are read with their defaults: loopback, five a minute, five minutes of quiet", () => {
    const route =
      "  routes:\n    - { match: { alertname: /Down/ }, runbook: service-unreachable, subject: service }\n";
    const read = readConfig(withAlerts(`  tokenFile: token\n${route}`), resolve, { runbooks });
    expect(read).toMatchObject({
      ok: true,
      config: {
        http: { host: "127.0.0.1", port: 9464 },
        alerts: {
          tokenFile: "/etc/arpeggio/token",
          quietSeconds: 300,
          storm: { over: 5, withinSeconds: 60, calmSeconds: 300 },
          routes: [{ runbook: "service-unreachable", subject: "service" }],
        },
      },
    });
  });

  it("need a door", () => {
    expect(told(withAlerts("  quietSeconds: 60\n", ""))).toEqual([
      expect.stringContaining("alerts needs a door to come in by; expected http: { port } beside alerts:"),
    ]);
  });

  it("tell every wrong route at once, where it stands, with the nearest word", () => {
    const bad = [
      "  chanel: C0ALERTS",
      "  routes:",
      "    - match: { alertname: /Kube(/ }",
      "      runbook: service-unreachabel",
      "      subject: service",
      "    - match: { alertname: NodeDown }",
      "      runbook: node-lost",
      "",
    ].join("\n");
    const source = withAlerts(bad.replace("  chanel: C0ALERTS\n", ""));
    expect(told(source)).toEqual([
      expect.stringMatching(
        /^25:27 alerts\.routes\[0\]\.match\.alertname is "\/Kube\(\/", which is no regular expression/,
      ),
      '26:16 alerts.routes[0].runbook is "service-unreachabel", which is no runbook; nearest: "service-unreachable"',
      '28:7 alerts.routes[1] has no "subject"; node-lost is about something: name the label that says what',
    ]);
    expect(told(withAlerts(bad))).toContainEqual(
      expect.stringContaining('alerts.chanel there is no "chanel" here; nearest: "channel"'),
    );
  });
});
