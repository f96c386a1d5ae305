import { onMachine, removeObject } from "#shared/twin/sites/faults.ts";
import { healthyWith } from "./coverage-sites.ts";
import type { Tape } from "./incident-recordings.ts";
import { type IncidentScenario, truth } from "./incident-scenario.ts";

const ip = "10.4.11.1";
const host = "httpbin.services.k8s.goldentooth.net";
const harbor = "harbor.services.k8s.goldentooth.net";
const recorded = { kind: "recorded", lines: [], runbook: "service-unreachable", ask: "httpbin" } as const;
/** The day on which curl was captured: certificates are judged against it. */
const captured = Date.UTC(2026, 10, 23, 12);

const arping = (file: string, renamed: Readonly<Record<string, string>>, address = ip): Tape => ({
  words: ["arping", address],
  file: `arp/${file}`,
  renamed,
  lastsMs: 3_000,
});

const upper = (mac: string): string => mac.toUpperCase();
const cargyll = "dc:a6:32:0a:13:0b";
const cargyllWifi = "dc:a6:32:0a:13:0c";
const dalt = "dc:a6:32:0a:14:0b";
const bridge = "02:00:5e:00:00:01";

const twoNodes = {
  "10.4.11.3": ip,
  "DC:A6:32:0B:01:01": upper(cargyll),
  "DC:A6:32:0C:02:02": upper(dalt),
  "dc:a6:32:0b:01:01": cargyll,
  "dc:a6:32:0c:02:02": dalt,
};
const twoNics = { "DC:A6:32:0A:1B:0B": upper(cargyll), "DC:A6:32:0A:1B:0C": upper(cargyllWifi) };

const curl = (file: string, name: string): Tape => ({
  words: ["curl"],
  file: `http/${file}`,
  renamed: { "web.example.net": name },
});

const https = (file: string) => ({
  startsAt: captured,
  ask: "harbor",
  tapes: [curl(file, harbor)],
});

const plain = (file: string) => ({ startsAt: captured, tapes: [curl(file, host)] });

const asked = (file: string, name: string, type: string): Tape => ({
  words: ["dig", "@10.4.0.1", `${name}.`, type],
  file: `dig/${file}`,
});

/**
 * What real programs on real kernels printed, in place of what the model would have said. The rest of each site is well, so
 * that nothing but the recording can tell.
 */
export const recordedScenarios: readonly IncidentScenario[] = [
  {
    ...recorded,
    name: "tape-arping-two-nodes",
    words: "iputils' arping: two nodes answer",
    tapes: [arping("iputils-b-two-nodes.txt", twoNodes)],
    truths: [truth("two nodes answer", "two-nodes")],
  },
  {
    ...recorded,
    name: "tape-habets-two-nodes",
    words: "arping by Habets: two nodes answer",
    site: healthyWith(onMachine("ops-host", { arping: "habets" })),
    tapes: [arping("habets-two-nodes.txt", twoNodes)],
    truths: [truth("two nodes answer", "two-nodes")],
  },
  {
    ...recorded,
    name: "tape-arping-two-nics",
    words: "iputils' arping: two MACs of one node, exit code 1",
    tapes: [arping("iputils-b-two-nics.txt", twoNics)],
    truths: [truth("one node answers with two MACs", "two-nics")],
  },
  {
    ...recorded,
    name: "tape-arping-silence",
    words: "iputils' arping: nobody; no advertisement stands",
    site: healthyWith(removeObject("l2advertisements", "primary")),
    tapes: [arping("iputils-b-silence.txt", { "10.4.11.99": ip })],
    truths: [
      truth("no L2Advertisement selects the pool", "no-l2-advertisement", "announcer-pool-not-advertised"),
    ],
  },
  {
    ...recorded,
    name: "tape-arping-proxy",
    words: "iputils' arping: one MAC answers for this and for an address nobody uses",
    tapes: [
      arping("iputils-b-proxy.txt", { "10.4.14.9": ip, "02:00:5E:00:00:01": upper(bridge) }),
      arping("iputils-b-proxy.txt", { "10.4.14.9": "10.4.10.250" }, "10.4.10.250"),
    ],
    truths: [truth("a device answers for every address", "proxy-arp")],
  },
  {
    ...recorded,
    name: "tape-arping-one",
    words: "iputils' arping: the node that should",
    tapes: [arping("iputils-b-one.txt", { "10.4.11.2": ip, "DC:A6:32:0B:01:01": upper(cargyll) })],
    truths: [],
  },
  {
    ...recorded,
    ...https("https-expired.txt"),
    name: "tape-curl-expired",
    words: "curl: the certificate has ended",
    truths: [truth("the certificate has ended", "certificate-expired")],
  },
  {
    ...recorded,
    ...https("https-wrong-name.txt"),
    name: "tape-curl-wrong-name",
    words: "curl: the certificate is for another name",
    truths: [truth("the certificate is for another name", "certificate-wrong-name")],
  },
  {
    ...recorded,
    ...https("https-valid.txt"),
    name: "tape-curl-valid",
    words: "curl: a certificate that is fine",
    truths: [],
  },
  {
    ...recorded,
    ...https("handshake-failure.txt"),
    name: "tape-curl-handshake",
    words: "curl: the handshake fails",
    truths: [truth("TLS does not come about", "tls-handshake-failed")],
  },
  {
    ...recorded,
    ...https("not-tls.txt"),
    name: "tape-curl-not-tls",
    words: "curl: no TLS is spoken there",
    truths: [truth("no TLS is spoken there", "not-tls", "tls-handshake-failed")],
  },
  {
    ...recorded,
    ...https("silent-tls.txt"),
    name: "tape-curl-silent-tls",
    words: "curl: the handshake stands still",
    truths: [truth("the handshake stands still", "tls-silent")],
  },
  {
    ...recorded,
    ...plain("http-500.txt"),
    name: "tape-curl-500",
    words: "curl: the application answers 500",
    truths: [truth("the application fails", "http-server-error")],
  },
  {
    ...recorded,
    ...plain("empty-reply.txt"),
    name: "tape-curl-empty",
    words: "curl: the server hangs up",
    truths: [truth("the server hangs up", "http-closed")],
  },
  {
    ...recorded,
    ...plain("silent.txt"),
    name: "tape-curl-silent",
    words: "curl: the server says nothing",
    truths: [truth("the server says nothing", "http-silent")],
  },
  {
    ...recorded,
    ...plain("http-redirect.txt"),
    name: "tape-curl-redirect",
    words: "curl: a redirect, which is an answer",
    truths: [],
  },
  ...["service-unreachable", "name-does-not-resolve"].map(
    (runbook): IncidentScenario => ({
      ...recorded,
      name: `tape-dig-dnsmasq-${runbook}`,
      lines: ["D12"],
      words: "dig: dnsmasq with stop-dns-rebind drops the address, and answers for the text beside it",
      runbook,
      ask: host,
      tapes: [
        asked("dnsmasq-rebind-filter.txt", host, "A"),
        asked("dnsmasq-txt-beside.txt", `a-${host}`, "TXT"),
      ],
      truths: [truth("the resolver filters private addresses", "dns-private-address-filter")],
    }),
  ),
  {
    ...recorded,
    name: "tape-dig-unbound",
    lines: ["D12"],
    words: "dig: Unbound with private-address",
    ask: host,
    tapes: [asked("unbound-private-address.txt", host, "A")],
    truths: [truth("the resolver filters private addresses", "dns-private-address-filter")],
  },
  {
    ...recorded,
    name: "tape-curl-self-signed",
    words: "curl: a self-signed certificate",
    startsAt: captured,
    tapes: [curl("https-self-signed.txt", harbor)],
    runbook: "certificate-expiring",
    ask: harbor,
    truths: [truth("nobody trusts who signed it", "certificate-untrusted")],
  },
  {
    ...recorded,
    name: "tape-curl-unknown-issuer",
    words: "curl: an issuer that the vantage does not know",
    startsAt: captured,
    tapes: [curl("https-unknown-issuer.txt", harbor)],
    runbook: "certificate-expiring",
    ask: harbor,
    truths: [truth("nobody trusts who signed it", "certificate-untrusted")],
  },
  {
    ...recorded,
    name: "tape-node-silent",
    words: "arping, ping and nc: a node answers nobody",
    afterwards: (twin) => twin.setPower("cargyll", false),
    tapes: [
      arping("iputils-b-silence.txt", { "10.4.11.99": "10.4.0.12" }, "10.4.0.12"),
      {
        words: ["ping", "10.4.0.12"],
        file: "hops/silence.txt",
        renamed: { [ip]: "10.4.0.12" },
        lastsMs: 1_000,
      },
      {
        words: ["nc", "10.4.0.12"],
        file: "nodes/nc-silence.txt",
        renamed: { "10.4.0.99": "10.4.0.12" },
        lastsMs: 1_000,
      },
    ],
    runbook: "node-lost",
    ask: "cargyll",
    truths: [truth("the node is off", "node-gone")],
  },
];
