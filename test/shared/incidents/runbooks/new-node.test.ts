import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import type { DiagnosePorts } from "#shared/incidents/runbook.ts";
import { newNode } from "#shared/incidents/runbooks/new-node.ts";
import { plain } from "#shared/text.ts";
import {
  calicoUses,
  onMachine,
  patchObject,
  type SiteFault,
  wifiOn,
  withFaults,
} from "#shared/twin/sites/faults.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { ask, concluded, diagnosed, outcomes } from "../on-twin.ts";

const having =
  (...faults: readonly SiteFault[]) =>
  () =>
    withFaults(healthy(), ...faults);

const label = "node.kubernetes.io/exclude-from-external-load-balancers";

const condition = (node: string, status: string) =>
  patchObject("nodes", node, {
    status: {
      conditions: [
        { type: "NetworkUnavailable", status: "True" },
        { type: "Ready", status, reason: "KubeletNotReady", message: "cni plugin not initialized" },
      ],
    },
  });

const failing =
  (target: string, kind: "timed-out" | "denied" | "host-key-changed" | "not-configured") =>
  (ports: DiagnosePorts): DiagnosePorts => ({
    ...ports,
    shell: (to, command, options) =>
      to.name === target
        ? Promise.reject(new FaultError({ kind, what: `ssh to ${target}`, detail: "as the test says" }))
        : ports.shell(to, command, options),
  });

const cases: readonly Readonly<{
  what: string;
  node: string;
  site?: () => ReturnType<typeof healthy>;
  around?: (ports: DiagnosePorts) => DiagnosePorts;
  link: string;
  codes: readonly string[];
}>[] = [
  {
    what: "Wi-Fi on beside the cable",
    node: "dalt",
    site: having(wifiOn("dalt", "10.4.1.22/20")),
    link: "lan-nic",
    codes: ["wired-and-wifi"],
  },
  {
    what: "Calico on another address",
    node: "dalt",
    site: having(wifiOn("dalt", "10.4.1.22/20"), calicoUses("dalt", "10.4.1.22/20")),
    link: "calico-nic",
    codes: ["calico-address-nic"],
  },
  {
    what: "port 7946 dropped",
    node: "dalt",
    site: having(onMachine("dalt", { droppedPorts: [7946] })),
    link: "memberlist",
    codes: ["memberlist-filtered"],
  },
  {
    what: "the exclude label on a worker",
    node: "dalt",
    site: having(patchObject("nodes", "dalt", { metadata: { labels: { [label]: "" } } })),
    link: "exclude-label",
    codes: ["exclude-label"],
  },
  {
    what: "a route to the pool through another node",
    node: "dalt",
    site: having(
      onMachine("dalt", {
        routes: [
          { dst: "default", gateway: "10.4.0.1", dev: "eth0" },
          { dst: "10.4.11.0/24", gateway: "10.4.0.11", dev: "eth0" },
        ],
      }),
    ),
    link: "kernel",
    codes: ["route-via-gateway"],
  },
  {
    what: "kubelet not Ready yet, its network unavailable",
    node: "dalt",
    site: having(condition("dalt", "False")),
    link: "node-ready",
    codes: ["node-not-ready", "network-unavailable"],
  },
  {
    what: "SSH silent",
    node: "dalt",
    around: failing("dalt", "timed-out"),
    link: "ssh",
    codes: ["ssh-silent"],
  },
  { what: "SSH denied", node: "dalt", around: failing("dalt", "denied"), link: "ssh", codes: ["ssh-denied"] },
  {
    what: "another host key",
    node: "dalt",
    around: failing("dalt", "host-key-changed"),
    link: "ssh",
    codes: ["host-key-changed"],
  },
  {
    what: "no speaker on it",
    node: "dalt",
    site: () => {
      const spec = healthy();
      return {
        ...spec,
        objects: spec.objects.filter(
          ({ kind, object }) =>
            kind !== "pods" ||
            (object.spec as { nodeName?: string }).nodeName !== "dalt" ||
            !object.metadata.name.includes("speaker"),
        ),
      };
    },
    link: "pods",
    codes: ["speaker-missing"],
  },
];

describe("new-node", () => {
  it("a node that is fit, and what it is given", async () => {
    const diagnosis = await diagnosed(newNode, "cargyll");
    expect(concluded(diagnosis)).toBe("healthy");
    const elected = diagnosis.links.find(({ id }) => id === "elected");
    expect(plain(elected?.because ?? [])).toBe(
      "1 of 13 addresses, which it has by prediction already: 10.4.11.1",
    );
    expect(elected?.evidence?.lines.join("\n")).toContain("10.4.11.1  httpbin/httpbin");
    expect(diagnosis.tookMs).toBeLessThan(10_000);
  });

  it("says from whom an address moves once the network of the node is up", async () => {
    const diagnosis = await diagnosed(newNode, "cargyll", { site: having(condition("cargyll", "False")) });
    const elected = diagnosis.links.find(({ id }) => id === "elected");
    expect(plain(elected?.because ?? [])).toContain("as soon as its speaker is up: 10.4.11.1");
    expect(elected?.evidence?.lines[0]).toMatch(/moves to it from \w+; next if it dies: \w+/);
  });

  it("the dual-homed node of the home lab", async () => {
    const diagnosis = await diagnosed(newNode, "karstark", { site: goldentoothL2 });
    expect(concluded(diagnosis)).toMatch(/^cause: wired-and-wifi/);
    expect(concluded(diagnosis)).toContain("calico-address-nic");
    if (diagnosis.conclusion.kind !== "cause") throw new Error("no cause");
    expect(diagnosis.conclusion.cause.next.map(plain).join("\n")).toContain(
      "/nodes fix karstark wired-and-wifi",
    );
  });

  it.each(cases)("$what: $link fails with $codes", async ({ node, site, around, link, codes }) => {
    const diagnosis = await diagnosed(newNode, node, { ...(site && { site }), ...(around && { around }) });
    expect(outcomes(diagnosis)[link]).toBe("failed");
    const said = concluded(diagnosis);
    expect(said).toMatch(/^cause: /);
    expect(codes.filter((name) => !said.includes(name))).toEqual([]);
    const { conclusion } = diagnosis;
    const causes = conclusion.kind === "cause" ? [conclusion.cause, ...conclusion.also] : [];
    expect(causes.filter(({ code }) => !newNode.codes.includes(code))).toEqual([]);
  });

  it("another node's fault is none of this one", async () => {
    const diagnosis = await diagnosed(newNode, "fenn", { site: having(wifiOn("dalt", "10.4.1.22/20")) });
    expect(concluded(diagnosis)).toBe("healthy");
  });

  it("what could not be looked at leaves it unknown", async () => {
    const diagnosis = await diagnosed(newNode, "dalt", { around: failing("dalt", "not-configured") });
    expect(concluded(diagnosis)).toBe("unknown");
    expect(outcomes(diagnosis)["lan-nic"]).toBe("unknown");
  });

  it("an API that denies is unknown, not fit", async () => {
    const fault = { kind: "denied", what: "list", detail: "forbidden" } as const;
    const diagnosis = await diagnosed(newNode, "dalt", {
      around: (ports) => ({
        ...ports,
        read: (async (kinds: readonly string[]) =>
          Object.fromEntries(kinds.map((kind) => [kind, fault]))) as unknown as DiagnosePorts["read"],
      }),
    });
    expect(concluded(diagnosis)).toBe("unknown");
    expect(outcomes(diagnosis)).toMatchObject({
      "node-object": "unknown",
      pods: "unknown",
      elected: "unknown",
    });
  });

  it("a word that is no node", async () => {
    const { answer } = await ask(newNode, "dalton");
    expect("noSuch" in answer && plain(answer.noSuch)).toContain("Nearest: dalt.");
  });
});
