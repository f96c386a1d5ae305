import { describe, expect, it } from "vitest";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import { checks } from "#shared/checks/all.ts";
import { FaultError } from "#shared/fault.ts";
import { exitCode, type Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { wifiOn, withFaults } from "#shared/twin/sites/faults.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

const drained = (): Promise<void> => new Promise((go) => setImmediate(go));

/** Types a line into the console of a site; gives the answer and everything shown on the way. */
function site(spec: SiteSpec, around?: (ports: ClusterPorts) => ClusterPorts) {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), drained);
  const { app, people, twin } = runInMemory(spec, clock, around);
  const shown: Reply[] = [];
  const ask = async (words: string): Promise<Reply> => {
    const asking = await app.ask({ door: "console", person: people[0], account: "operator", words });
    if (asking.kind === "answer") return asking.reply;
    return clock.runUntil(
      asking.job.run((reply) => shown.push(reply), new AbortController().signal),
      600_000,
    );
  };
  return { ask, shown, twin };
}

const screen = (reply: Reply): string => renderTerminal(reply, { columns: 80, colour: false });
const json = (reply: Reply) =>
  reply.data as unknown as {
    nodes: string[];
    checks: string[];
    results: { check: string; outcome: string; subject: { name: string }; fault?: { kind: string } }[];
  };

describe("/nodes check", () => {
  it("raises nothing on a healthy site", async () => {
    const { ask } = site(healthy());
    const reply = await ask("nodes check");
    expect(reply.findings).toEqual([]);
    expect(screen(reply)).toMatch(
      new RegExp(`^✓ OK {2}goldentooth · 13 nodes pass all ${checks.length} checks\\n`),
    );
    expect(exitCode(reply)).toBe(0);
    expect(new Set(json(reply).results.map(({ outcome }) => outcome))).toEqual(
      new Set(["passed", "skipped"]),
    );
  });

  it("names who needs somebody first, and what they have in common", async () => {
    const { ask } = site(goldentooth());
    const reply = await ask("nodes check");
    expect(reply.verdict.word).toBe("2 of 13 nodes need you");
    expect(reply.findings.slice(0, 2).map(({ subject, severity }) => [subject.name, severity])).toEqual([
      ["karstark", "error"],
      ["lipps", "error"],
    ]);
    expect(screen(reply)).toContain("eth0 and wlan0 both up in 10.4.0.0/20; Calico chose wlan0");
    expect(screen(reply)).toContain(
      "Common cause: 2 nodes have Wi-Fi on beside the cable (karstark, lipps).",
    );
    expect(exitCode(reply)).toBe(1);
  });

  it("makes one line of what more than two nodes share", async () => {
    const { ask } = site(
      withFaults(
        healthy(),
        wifiOn("dalt", "10.4.1.30/20"),
        wifiOn("fenn", "10.4.1.31/20"),
        wifiOn("jast", "10.4.1.32/20"),
      ),
    );
    const reply = await ask("nodes check --only wired-and-wifi");
    expect(reply.findings.length).toBe(1);
    expect(screen(reply)).toContain("3 nodes: eth0 and wlan0 both up in 10.4.0.0/20 (dalt, fenn,");
    expect(reply.verdict.word).toBe("3 of 13 nodes need you");
  });

  it("tells progress while it runs", async () => {
    const { ask, shown } = site(healthy());
    await ask("nodes check");
    const progress = shown.map(({ verdict }) => verdict.text.join(""));
    expect(progress[0]).toBe("0 of 13 nodes");
    expect(progress).toContain("7 of 13 nodes");
    expect(progress.at(-1)).toBe("13 of 13 nodes");
  });

  it("takes one node, and leaves out what compares all of them", async () => {
    const { ask } = site(goldentooth());
    const reply = await ask("nodes check karstark");
    expect(reply.verdict.word).toBe("karstark needs you");
    expect(json(reply).nodes).toEqual(["karstark"]);
    expect(json(reply).checks).not.toContain("mtu-differs");
    expect(screen(reply)).toContain("left out, since they compare all nodes: duplicate-mac, mtu-differs");
    expect(reply.findings[0]?.remedy).toBeDefined();
  });

  it("does not hide a dead node behind the others' passes", async () => {
    const { ask, twin } = site(healthy());
    twin.setPower("dalt", false);
    const reply = await ask("nodes check --only lan-nic");
    expect(screen(reply)).toMatch(/^\? UNKNOWN {2}goldentooth · of 13 nodes 12 pass the check, 1 could not/);
    expect(reply.findings.map(({ subject, severity }) => [subject.name, severity])).toEqual([
      ["dalt", "unknown"],
    ]);
    expect(exitCode(reply)).toBe(3);
    const one = await ask("nodes check dalt");
    expect(one.findings.length).toBe(1);
    expect(one.verdict.outcome).toBe("unknown");
  });

  it("tells a silent node once, with its neighbours as witnesses", async () => {
    const { ask, twin } = site(healthy());
    twin.setPower("dalt", false);
    const reply = await ask("nodes check");
    expect(reply.verdict.word).toBe("1 of 13 nodes needs you");
    expect(reply.findings.map(({ code, subject, severity }) => [code, subject.name, severity])).toEqual([
      ["node-silent", "dalt", "error"],
      ["fault-unreachable", "goldentooth", "unknown"],
    ]);
    expect(reply.findings[0]?.facts.witnesses).toEqual(["allyrion", "bettley", "cargyll"]);
  });

  it("does not pass a comparison while a node is missing in it", async () => {
    const { ask, twin } = site(healthy());
    twin.setPower("dalt", false);
    const reply = await ask("nodes check --only mtu-differs");
    expect(reply.verdict).toMatchObject({ word: "UNKNOWN", outcome: "unknown" });
    expect(json(reply).results).toMatchObject([{ check: "mtu-differs", outcome: "unknown" }]);
  });

  it("makes a finding of a changed host key", async () => {
    const fault = {
      kind: "host-key-changed",
      what: "ssh to dalt",
      detail: "shows SHA256:new, pinned SHA256:old",
    } as const;
    const { ask } = site(healthy(), (ports) => ({
      ...ports,
      shell: (target, command, options) =>
        target.name === "dalt"
          ? Promise.reject(new FaultError(fault))
          : ports.shell(target, command, options),
    }));
    const reply = await ask("nodes check");
    expect(reply.verdict.word).toBe("1 of 13 nodes needs you");
    expect(reply.findings[0]).toMatchObject({ code: "host-key-changed", subject: { name: "dalt" } });
    expect(reply.findings.filter(({ subject }) => subject.name === "dalt").length).toBe(1);
  });

  it("works from the config when the API is down, and says so", async () => {
    const down = { kind: "unreachable", what: "list", detail: "connection refused" } as const;
    const access = { host: "h", port: 22, user: "u", identityFile: "k", knownHostsFile: "h", sudo: false };
    const around =
      (nodes: readonly string[]) =>
      (ports: ClusterPorts): ClusterPorts => ({
        ...ports,
        config: { ...ports.config, nodes: nodes.map((name) => ({ name, access })) },
        read: (async (kinds: readonly string[]) =>
          Object.fromEntries(kinds.map((kind) => [kind, down]))) as unknown as ClusterPorts["read"],
      });
    const reply = await site(goldentooth(), around(["dalt", "karstark"])).ask("nodes check");
    expect(screen(reply)).toContain("The API could not be read (connection refused)");
    expect(reply.verdict.word).toBe("1 of 2 nodes needs you");
    expect(json(reply).results.find(({ check }) => check === "internal-ip-nic")?.outcome).toBe("unknown");
    const none = await site(goldentooth(), around([])).ask("nodes check");
    expect(none.verdict.outcome).toBe("unknown");
    expect(screen(none)).toContain("no node is known");
  });

  it.each([
    ["nodes check karstrak", "No node karstrak. Nearest: karstark."],
    ["nodes check --only wired", "No check wired. Nearest: wired-and-wifi."],
  ])("%s", async (words, said) => {
    const reply = await site(goldentooth()).ask(words);
    expect(reply.verdict.outcome).toBe("usage");
    expect(screen(reply)).toContain(said);
  });
});

describe("/nodes list", () => {
  it("lists the nodes with their state", async () => {
    const { ask } = site(healthy());
    const reply = await ask("nodes list");
    expect(screen(reply)).toMatch(/karstark\s+10\.4\.0\.20\s+ready\s+runs/);
    expect(exitCode(reply)).toBe(0);
  });
});

describe("/nodes explain", () => {
  it.each(checks.map(({ id }) => id))("%s: why, how it looks, how to fix it", async (id) => {
    const reply = await site(healthy()).ask(`nodes explain ${id}`);
    const said = screen(reply);
    for (const title of ["Why\n", "How it looks\n", "How to fix it\n"]) expect(said).toContain(title);
    expect(said).not.toContain("`");
  });

  it("takes a finding's code for its check, lists all without a name, and names the nearest", async () => {
    const { ask } = site(healthy());
    expect((await ask("nodes explain wifi-may-answer")).verdict.word).toBe("wired-and-wifi");
    expect(json(await ask("nodes explain")).checks.length).toBe(checks.length);
    expect(screen(await ask("nodes explain mtu"))).toContain("No check mtu.");
  });
});
