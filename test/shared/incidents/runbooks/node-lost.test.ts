import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import type { DiagnosePorts } from "#shared/incidents/runbook.ts";
import { nodeLost } from "#shared/incidents/runbooks/node-lost.ts";
import { plain } from "#shared/text.ts";
import { buildSite } from "#shared/twin/sites/build-site.ts";
import { onMachine, patchObject, removeObject, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy, healthyPlan } from "#shared/twin/sites/healthy.ts";
import { ask, concluded, diagnosed, outcomes } from "../on-twin.ts";

const off = (...names: readonly string[]) => ({
  afterwards: (twin: Parameters<NonNullable<Parameters<typeof diagnosed>[2]>["afterwards"] & {}>[0]) => {
    for (const name of names) twin.setPower(name, false);
  },
});

const failing =
  (target: string, kind: "timed-out" | "host-key-changed" | "denied" | "not-configured") =>
  (ports: DiagnosePorts): DiagnosePorts => ({
    ...ports,
    shell: (to, command, options) =>
      to.name === target
        ? Promise.reject(new FaultError({ kind, what: `ssh to ${target}`, detail: "as the test says" }))
        : ports.shell(to, command, options),
  });

const withoutVantages = (ports: DiagnosePorts): DiagnosePorts => ({
  ...ports,
  config: { ...ports.config, vantages: [] },
});

const condition = (node: string, status: string, reason: string, message = "as the test says") =>
  patchObject("nodes", node, {
    status: {
      conditions: [
        { type: "NetworkUnavailable", status: "False" },
        { type: "Ready", status, reason, message, lastTransitionTime: "2026-03-01T13:59:30Z" },
      ],
    },
  });

const withMemberlistOff = () =>
  buildSite({ ...healthyPlan, metallb: { ...healthyPlan.metallb, memberlist: false } });

describe("node-lost", () => {
  it("a node that is there, with its address answered", async () => {
    const diagnosis = await diagnosed(nodeLost, "cargyll");
    expect(concluded(diagnosis)).toBe("healthy");
    expect(diagnosis.links.every(({ outcome }) => outcome === "passed")).toBe(true);
    expect(diagnosis.seen.map(({ vantage }) => vantage)).toEqual([
      "ops-host",
      "laptop",
      "guest-client",
      "ops-host",
    ]);
    expect(diagnosis.title).toBe("cargyll · 10.4.0.12");
    expect(diagnosis.changes).toBeDefined();
  });

  it("a node that carries nothing is judged by itself", async () => {
    const diagnosis = await diagnosed(nodeLost, "allyrion", {
      site: () =>
        withFaults(
          healthy(),
          patchObject("nodes", "allyrion", {
            metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } },
          }),
        ),
    });
    expect(concluded(diagnosis)).toBe("healthy");
    expect(outcomes(diagnosis).addresses).toBe("skipped");
  });

  it("power gone: ARP, ping and SSH are silent, its address has moved to the next", async () => {
    const diagnosis = await diagnosed(nodeLost, "cargyll", off("cargyll"));
    expect(concluded(diagnosis)).toBe("cause: node-gone");
    expect(outcomes(diagnosis)).toMatchObject({
      "node-object": "passed",
      "node-ready": "failed",
      arp: "failed",
      outside: "failed",
      ssh: "failed",
      "lan-link": "unknown",
      addresses: "passed",
      memberlist: "passed",
    });
    const ready = diagnosis.links.find(({ id }) => id === "node-ready");
    expect(plain(ready?.because ?? [])).toMatch(/Ready is Unknown .* since 14:01:40 UTC, for \d+ s/);
    expect(diagnosis.tookMs).toBeLessThan(10_000);
  });

  it("in the first seconds nobody can tell death from a cut cable", async () => {
    const diagnosis = await diagnosed(nodeLost, "cargyll", { ...off("cargyll"), waitSeconds: 15 });
    expect(concluded(diagnosis)).toBe("candidates: node-gone | node-cut-off");
  });

  it("without memberlist the address stays with the dead node", async () => {
    const diagnosis = await diagnosed(nodeLost, "cargyll", { site: withMemberlistOff, ...off("cargyll") });
    expect(concluded(diagnosis)).toBe("cause: node-gone + memberlist-off");
    expect(outcomes(diagnosis)).toMatchObject({ addresses: "failed", memberlist: "failed" });
  });

  it("tells the Services that lived on it alone", async () => {
    const diagnosis = await diagnosed(nodeLost, "harlton", off("harlton"));
    expect(concluded(diagnosis)).toMatch(/^cause: node-gone \+ .*service-without-endpoints/);
    const link = diagnosis.links.find(({ id }) => id === "endpoints");
    expect(plain(link?.because ?? [])).toContain("harbor/harbor and httpbin/httpbin");
  });

  it("a pulled cable: SSH has another way in, its LAN interface has no carrier", async () => {
    const diagnosis = await diagnosed(nodeLost, "cargyll", {
      afterwards: (twin) => twin.setLink("cargyll", "eth0", { carrier: false }),
    });
    expect(concluded(diagnosis)).toMatch(/^cause: lan-link-down/);
    expect(outcomes(diagnosis)).toMatchObject({ ssh: "passed", "lan-link": "failed", arp: "failed" });
  });

  it("SSH alone is broken: the node is not lost", async () => {
    const diagnosis = await diagnosed(nodeLost, "fenn", { around: failing("fenn", "timed-out") });
    expect(concluded(diagnosis)).toBe("cause: ssh-silent");
    expect(outcomes(diagnosis)).toMatchObject({ arp: "passed", outside: "passed", ssh: "failed" });
  });

  it("another host key is said, never accepted", async () => {
    const diagnosis = await diagnosed(nodeLost, "fenn", { around: failing("fenn", "host-key-changed") });
    expect(concluded(diagnosis)).toBe("cause: host-key-changed");
  });

  it("kubelet silent on a node that runs", async () => {
    const diagnosis = await diagnosed(nodeLost, "dalt", {
      site: () => withFaults(healthy(), condition("dalt", "Unknown", "NodeStatusUnknown")),
    });
    expect(concluded(diagnosis)).toBe("cause: kubelet-silent");
  });

  it("kubelet itself says that it is not Ready", async () => {
    const diagnosis = await diagnosed(nodeLost, "dalt", {
      site: () =>
        withFaults(healthy(), condition("dalt", "False", "KubeletNotReady", "cni config uninitialized")),
    });
    expect(concluded(diagnosis)).toBe("cause: kubelet-not-ready");
    if (diagnosis.conclusion.kind !== "cause") throw new Error("no cause");
    expect(plain(diagnosis.conclusion.cause.text)).toContain("cni config uninitialized");
  });

  it("kubelet and SSH silent while the kernel answers: hung or filtered, not decided", async () => {
    const diagnosis = await diagnosed(nodeLost, "dalt", {
      site: () => withFaults(healthy(), condition("dalt", "Unknown", "NodeStatusUnknown")),
      afterwards: (twin) => twin.hang("dalt", true),
    });
    expect(concluded(diagnosis)).toBe("candidates: node-hung | node-filtered");
  });

  it("a Node that was deleted while its machine runs", async () => {
    const diagnosis = await diagnosed(nodeLost, "dalt", {
      site: () => withFaults(healthy(), removeObject("nodes", "dalt")),
      around: (ports) => ({
        ...ports,
        config: { ...ports.config, nodes: [{ name: "dalt", access: {} as never }] },
      }),
    });
    expect(concluded(diagnosis)).toBe("cause: node-object-missing");
    expect(outcomes(diagnosis)).toMatchObject({ "node-object": "failed", ssh: "passed", arp: "unknown" });
  });

  it("a speaker that is stopped on a node that is well", async () => {
    const diagnosis = await diagnosed(nodeLost, "cargyll", {
      afterwards: (twin) => twin.stopSpeaker("cargyll"),
    });
    expect(concluded(diagnosis)).toBe("cause: speaker-down");
    expect(outcomes(diagnosis)).toMatchObject({ speaker: "failed", addresses: "passed" });
  });
});

describe("what nobody could see", () => {
  it("without a vantage silence of ARP is no evidence: candidates", async () => {
    const diagnosis = await diagnosed(nodeLost, "cargyll", {
      ...off("cargyll"),
      around: withoutVantages,
    });
    expect(concluded(diagnosis)).toBe("candidates: node-gone | node-cut-off");
    expect(outcomes(diagnosis)).toMatchObject({ arp: "unknown", outside: "unknown", addresses: "unknown" });
  });

  it("a vantage that hears nobody proves nothing", async () => {
    const diagnosis = await diagnosed(nodeLost, "cargyll", {
      afterwards: (twin) => twin.setLink("ops-host", "eth0", { carrier: false }),
    });
    expect(outcomes(diagnosis).arp).toBe("unknown");
    expect(concluded(diagnosis)).not.toMatch(/node-gone|node-cut-off/);
  });

  it("a well node without a vantage is not called well", async () => {
    const diagnosis = await diagnosed(nodeLost, "cargyll", { around: withoutVantages });
    expect(concluded(diagnosis)).toBe("unknown");
  });

  it("an API that does not answer leaves it unknown", async () => {
    const fault = { kind: "unreachable", what: "API server", detail: "connection refused" } as const;
    const diagnosis = await diagnosed(nodeLost, "cargyll", {
      around: (ports) => ({
        ...ports,
        read: (async (kinds: readonly string[]) =>
          Object.fromEntries(kinds.map((kind) => [kind, fault]))) as unknown as DiagnosePorts["read"],
      }),
    });
    expect(concluded(diagnosis)).toBe("unknown");
    expect(diagnosis.changes).toBeUndefined();
    expect(plain(diagnosis.changesGap ?? [])).toContain("connection refused");
    expect(outcomes(diagnosis)).toMatchObject({ "node-object": "unknown", "node-ready": "unknown" });
  });

  it("a login that is denied proves that the machine runs", async () => {
    const diagnosis = await diagnosed(nodeLost, "dalt", {
      site: () => withFaults(healthy(), condition("dalt", "Unknown", "NodeStatusUnknown")),
      around: failing("dalt", "denied"),
    });
    expect(concluded(diagnosis)).toBe("cause: kubelet-silent");
    expect(outcomes(diagnosis).ssh).toBe("unknown");
  });
});

describe("the word", () => {
  it("that is no node is answered at once, with the nearest", async () => {
    const { answer, tookMs } = await ask(nodeLost, "cargil");
    expect("noSuch" in answer && plain(answer.noSuch)).toBe(
      "No node cargil on goldentooth. Nearest: cargyll.",
    );
    expect(tookMs).toBe(0);
  });
});

it("takes less than ten seconds on forty nodes of which eight are dead", async () => {
  const hex = (n: number) => n.toString(16).padStart(2, "0");
  const more = Array.from({ length: 27 }, (_, i) => ({
    name: `extra-${String(i).padStart(2, "0")}`,
    ip: `10.4.3.${i + 1}`,
    mac: `dc:a6:32:0e:${hex(i)}:01`,
  }));
  const diagnosis = await diagnosed(nodeLost, "extra-03", {
    site: () => buildSite({ ...healthyPlan, nodes: [...healthyPlan.nodes, ...more] }),
    ...off(...more.slice(0, 8).map(({ name }) => name)),
  });
  expect(concluded(diagnosis)).toBe("cause: node-gone");
  expect(diagnosis.tookMs).toBeLessThan(10_000);
});

describe("causes", () => {
  it("are all among the runbook's codes, with their way on", async () => {
    for (const site of [withMemberlistOff, () => withFaults(healthy(), onMachine("dalt", {}))]) {
      const { conclusion } = await diagnosed(nodeLost, "harlton", { site, ...off("harlton") });
      const causes = conclusion.kind === "cause" ? [conclusion.cause, ...conclusion.also] : [];
      expect(causes.length).toBeGreaterThan(0);
      expect(causes.filter(({ code }) => !nodeLost.codes.includes(code))).toEqual([]);
    }
  });
});
