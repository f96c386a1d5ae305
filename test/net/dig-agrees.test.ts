import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LabDns, startLabDns } from "#infra/lab/dns/start.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { createTwin, type Twin } from "#shared/twin/twin.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

const exec = promisify(execFile);
const host = "httpbin.services.k8s.goldentooth.net";

const hasDig = await exec("dig", ["-v"]).then(
  () => true,
  () => false,
);

let twin: Twin;
let dns: LabDns;

beforeAll(async () => {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1));
  let ids = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
  const store = createObjectStore({ now: clock.now, newUid: newId });
  twin = createTwin({ spec: goldentoothL2(), clock, store, newId });
  dns = await startLabDns({ resolvers: twin.resolvers, port: 0 });
});
afterAll(async () => {
  await dns.close();
  twin.stop();
});

/** Numbers that are another each time, and the sizes of names that one of the two does not compress. */
const masked = (text: string): string =>
  text
    .replace(/^(; <<>> DiG )\S+/m, "$1VERSION")
    .replace(/, id: \d+/, ", id: ID")
    .replace(/^;; Query time: \d+ msec$/m, ";; Query time: N msec")
    .replace(/^;; WHEN: .*$/m, ";; WHEN: TIME")
    .replace(/^;; MSG SIZE {2}rcvd: \d+$/m, ";; MSG SIZE  rcvd: N");

async function real(ip: string, args: readonly string[]) {
  const server = dns.servers.find((each) => each.ip === ip);
  if (server === undefined) throw new Error(`nothing stands in for ${ip}`);
  const { listens, port } = server;
  const { stdout } = await exec("dig", ["-p", String(port), `@${listens}`, ...args]).catch(
    (error: { stdout: string; code: number }) => ({ stdout: `${error.stdout}exit code ${error.code}` }),
  );
  return masked(stdout.replaceAll(`-p ${port} `, "").replaceAll(`#${port}`, "#53").replaceAll(listens, ip));
}

async function modelled(ip: string, args: readonly string[]) {
  let stdout = "";
  const { exitCode } = await twin.run("ops-host", ["dig", `@${ip}`, ...args], {
    signal: new AbortController().signal,
    write: (stream, text) => {
      if (stream === "stdout") stdout += text;
    },
  });
  return masked(exitCode === 0 ? stdout : `${stdout}exit code ${exitCode}`);
}

const probe = [
  "+noall",
  "+comments",
  "+question",
  "+answer",
  "+authority",
  "+additional",
  "+time=2",
  "+tries=2",
];

const questions: readonly (readonly [server: string, ...args: readonly string[]])[] = [
  ["1.1.1.1", host],
  ["1.1.1.1", host, "AAAA"],
  ["1.1.1.1", "nobody.goldentooth.net"],
  ["1.1.1.1", `a-${host}`, "TXT", "+short"],
  ["1.1.1.1", "goldentooth.net", "SOA"],
  ["1.1.1.1", "goldentooth.net", "NS", "+tcp"],
  ["1.1.1.1", "nobody.example"],
  ["10.4.0.1", host],
  ["10.4.0.1", `a-${host}`, "TXT"],
  ["10.4.0.1", "router.hellholt.net"],
  ["10.4.0.1", "nas.hellholt.net"],
  ["10.4.0.1", host, "+cdflag"],
  ["203.0.113.10", host, "+norecurse"],
  ["203.0.113.10", host],
  ["203.0.113.10", "hellholt.net"],
  ["203.0.113.10", "services.k8s.goldentooth.net", "TXT"],
  ["198.51.100.10", "hellholt.net", "MX"],
  ["192.5.6.30", "goldentooth.net", "NS", "+norecurse"],
  ["192.5.6.30", "goldentooth.net", "DS", "+norecurse"],
  ["192.5.6.30", "nobody.net"],
  ["203.0.113.11", ...probe, "+norecurse", "+nocdflag", "-q", `${host}.`, "-t", "A"],
  ["10.4.0.1", ...probe, "+recurse", "+cdflag", "-q", `${host}.`, "-t", "A"],
  ["1.1.1.1", "+noall", "+answer", host],
  ["1.1.1.1", "+noedns", host],
];

const title = "dig on a vantage of the model prints what dig of BIND prints of the lab's name servers";

describe.skipIf(!hasDig)(hasDig ? title : `${title} (dig is not installed)`, () => {
  it.each(questions)("@%s %s %s %s", async (server, ...args) => {
    expect(await modelled(server, args)).toBe(await real(server, args));
  });

  it("a server that says nothing", async () => {
    twin.resolvers.setServer("203.0.113.13", "silent");
    const args = ["+time=1", "+tries=1", "+norecurse", host];
    const running = modelled("203.0.113.13", args);
    await (twin.clock as ReturnType<typeof createVirtualClock>).advance(5_000);
    expect(await running).toBe(await real("203.0.113.13", args));
  });
});
