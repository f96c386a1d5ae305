import { probes } from "#shared/probes/all.ts";
import { arpingHabets, arpingHabetsFast, arpingIputils } from "#shared/probes/arping.ts";
import { arpingIdentify } from "#shared/probes/arping-identify.ts";
import { ipAddr } from "#shared/probes/ip-addr.ts";
import { ipRoute } from "#shared/probes/ip-route.ts";
import type { ShellCommand } from "#shared/probes/shell.ts";
import { tcpdumpArp } from "#shared/probes/tcpdump-arp.ts";
import { ip } from "./agreement-site.ts";

/** One command that must print the same on both sides. */
export type Case = Readonly<{
  title: string;
  probe: string;
  on: string;
  command: ShellCommand;
  /** What must be in the real output, so that two machines that both say nothing do not pass for agreement. */
  shows: RegExp;
  /** Lines, or entries of a JSON list, come as a directory or a hash table with a seed of its own has them. */
  anyOrder?: true;
}>;

const count = 2;
const lookWith = (program: "iputils" | "habets") => {
  const probe = program === "iputils" ? arpingIputils : arpingHabets;
  const from = program === "iputils" ? "ops-host" : "ops-habets";
  const row = (title: string, on: string, address: string, shows: RegExp, nic = "eth0"): Case => ({
    title: `${probe.id}, ${title}`,
    probe: probe.id,
    on,
    command: probe.argv(nic, address, count),
    shows,
  });
  return { from, row };
};

/** In the summary of either program. */
export const replies = (n: number) => new RegExp(`Received ${n} response|, ${n} packets received`);

/** Asked from a vantage: what is seen does not depend on whether a kernel or a speaker answers. */
export const onTheWire = (["iputils", "habets"] as const).flatMap((program): readonly Case[] => {
  const { from, row } = lookWith(program);
  return [
    row("one answerer", from, ip.one, replies(count)),
    row("two NICs of one node", from, ip.twoNics, replies(2 * count)),
    row("two nodes", from, ip.twoNodes, replies(2 * count)),
    row("silence", from, ip.nobody, replies(0)),
  ];
});

export const fast: Case = {
  title: "arping-habets-fast, two nodes, ten times a second",
  probe: arpingHabetsFast.id,
  on: "ops-habets",
  command: arpingHabetsFast.argv("eth0", ip.twoNodes, 10),
  shows: replies(20),
};

export const onTheMachine = (["iputils", "habets"] as const).flatMap((program): readonly Case[] => {
  const { from, row } = lookWith(program);
  const powerless = program === "iputils" ? "powerless" : "powerless-habets";
  return [
    row("own address", from, from === "ops-host" ? "10.77.0.5" : "10.77.0.6", replies(0)),
    row(
      "own address, announced",
      program === "iputils" ? "karstark" : "cargyll",
      program === "iputils" ? ip.twoNics : ip.ofCargyll,
      replies(0),
    ),
    row("no such interface", from, ip.one, /eth9/, "eth9"),
    row("missing tool", "bare", ip.one, /^bash: line 1: arping: command not found$/m),
    row("missing privilege", powerless, ip.one, /not permitted|CAP_NET_RAW/),
  ];
});

const identify = (on: string, shows: RegExp): Case => ({
  title: `arping-identify on ${on}`,
  probe: arpingIdentify.id,
  on,
  command: arpingIdentify.argv(),
  shows,
});
const record = (title: string, on: string, shows: RegExp, nic = "eth0"): Case => ({
  title: `tcpdump-arp, ${title}`,
  probe: tcpdumpArp.id,
  on,
  command: tcpdumpArp.argv(nic, 1),
  shows,
});
const routeOf = (title: string, on: string, address: string, shows: RegExp): Case => ({
  title: `ip-route-get, ${title}`,
  probe: ipRoute.id,
  on,
  command: ipRoute.argv(address),
  shows,
});
const addresses = (title: string, on: string, shows: RegExp): Case => ({
  title: `ip-addr, ${title}`,
  probe: ipAddr.id,
  on,
  command: ipAddr.argv(),
  shows,
});

export const others: readonly Case[] = [
  identify("ops-host", /iputils/),
  identify("ops-habets", /Habets/),
  identify("bare", /command not found/),
  identify("powerless", /iputils/),
  identify("powerless-habets", /Habets/),
  record("nothing to see", "ops-host", /^0 packets captured$/m),
  record("no such interface", "ops-host", /eth9/, "eth9"),
  record("missing tool", "bare", /^timeout: failed to run command/m),
  record("missing timeout", "barest", /^bash: line 1: timeout: command not found$/m),
  record("missing privilege", "powerless", /permission/),
  routeOf("on-link", "ops-host", ip.one, /"dev":"eth0"/),
  routeOf("via a gateway", "ops-host", "192.0.2.9", /"gateway":"10.77.0.1"/),
  routeOf("unreachable", "ops-habets", "192.0.2.9", /RTNETLINK answers: Network is unreachable/),
  routeOf("own address", "ops-host", "10.77.0.5", /"type":"local"/),
  routeOf("own address, announced", "bettley", ip.one, /"type":"local"/),
  routeOf("two NICs to choose from", "karstark", ip.one, /"dev":"eth0"/),
  routeOf("asked by a user without rights", "powerless", ip.one, /"uid"/),
  routeOf("missing tool", "bare", ip.one, /^bash: line 1: ip: command not found$/m),
  addresses("a vantage", "ops-host", /"fe80::/),
  addresses("a node that announces on two NICs", "karstark", /"10\.77\.0\.202"/),
  addresses("a node that announces several addresses", "bettley", /"10\.77\.0\.203"/),
  addresses("asked by a user without rights", "powerless", /"eth0"/),
  addresses("missing tool", "bare", /^bash: line 1: ip: command not found$/m),
];

/**
 * A network namespace has no files, services, radios and connections of its own, so what these print is about the
 * machine that runs the tests, not about the node: captured output of real nodes holds the model to them instead.
 */
export const ofTheMachine: Readonly<Record<string, string>> = {
  "ssh-connection": "sshd on a pipe knows no peer, and says UNKNOWN",
  "network-units": "services of this machine",
  "nm-devices": "services of this machine",
  rfkill: "radios of this machine",
  "network-files": "files of this machine",
  "network-settings": "files of this machine",
  tools: "files of this machine",
  "memberlist-tcp": "an nc of this machine, if it has one, and one of three programs of that name",
  timer: "whether systemd runs on this machine",
  dig: "no name server stands in these namespaces; dig-agrees.test.ts compares it where one does",
  "tcp-connect": "an nc of this machine, as above; what kernels let it say is captured in test/fixtures/hops",
  "http-get": "no HTTP server stands in these namespaces; captured from real ones in test/fixtures/http",
  "ping-hop": "needs a router between, which this wiring lacks; captured with one in test/fixtures/hops",
};

const seen = new Set([...onTheWire, fast, ...onTheMachine, ...others].map(({ probe }) => probe));

/** The other probes with the arguments of their samples: what a node's kernel says of itself. */
export const ofNodes: readonly Case[] = probes
  .filter(({ id }) => !seen.has(id) && !Object.hasOwn(ofTheMachine, id))
  .flatMap(({ id, sampleCommand }) =>
    ["karstark", "bettley", "ops-host"].map((on) => ({
      title: `${id} on ${on}`,
      probe: id,
      on,
      command: sampleCommand(),
      shows: /./,
      ...(/^(?:ip-neigh|arp-sysctls|wireless-nics)$/.test(id) ? { anyOrder: true as const } : {}),
    })),
  );
