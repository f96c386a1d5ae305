import { wantedNics } from "../arp/wanted-nics.ts";
import { calicoObjects } from "../calico/resources.ts";
import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, passed, unknown } from "./check.ts";

export const calicoEbpf = defineCheck({
  id: "calico-ebpf",
  about: "cluster",
  title: "Calico's eBPF dataplane, where it is on, suits announced addresses",
  codes: ["calico-ebpf", "calico-ebpf-dsr", "calico-ebpf-nic"],
  page: {
    why: `With \`bpfEnabled\` Calico's programs take the place of kube-proxy. They handle announced addresses only on
interfaces that \`bpfDataIfacePattern\` matches: elsewhere the announcer answers ARP and the packets that follow go nowhere.
With \`bpfExternalServiceMode: DSR\` the node of the Pod replies to the client directly, with the announced address and its
own MAC: switches with port security and hosts with strict reverse path filtering drop that. Findings about kube-proxy,
IPVS included, say nothing here.`,
    looks: `\`/arping\` is well and connections time out, from everywhere or only when the Pod runs on another node than the
announcer's. A capture on the announcer shows the SYN coming in and nothing going out.`,
    fix: `Set \`bpfDataIfacePattern\` so that it matches the LAN interface of every node, or take it out for the default.
For DSR: \`bpfExternalServiceMode: Tunnel\` is the default and works everywhere. Felix applies both within seconds, and
connections that are open may break: choose a quiet moment. The old values are the way back.`,
  },
  needs: ["ip-addr", "wireless-nics"],
  reads: ["felixconfigurations"],
  judge: (nodes, { cluster, site, raw }) => {
    const configurations = calicoObjects("felixconfigurations", raw.felixconfigurations);
    if (isFault(configurations)) return unknown(configurations);
    const usual = configurations.find(({ name }) => name === "default")?.spec ?? {};
    // Those of one node override the default, field by field.
    const specOf = (node: string) => {
      const own = configurations.find(({ name }) => name === `node.${node}`)?.spec ?? {};
      return {
        enabled: own.bpfEnabled ?? usual.bpfEnabled ?? false,
        mode: own.bpfExternalServiceMode ?? usual.bpfExternalServiceMode ?? "Tunnel",
        pattern: (own.bpfDataIfacePattern ?? usual.bpfDataIfacePattern) || undefined,
      };
    };
    const on = nodes.map((node) => ({ node, spec: specOf(node.node) })).filter(({ spec }) => spec.enabled);
    if (on.length === 0) return passed;
    const subject = { kind: "cluster", name: cluster } as const;
    const findings: Finding[] = [];
    const uncovered: { node: string; nics: readonly string[]; pattern: string }[] = [];
    for (const { node, spec } of on) {
      if (spec.pattern === undefined) continue;
      let pattern: RegExp;
      try {
        pattern = new RegExp(spec.pattern);
      } catch {
        return unknown({
          kind: "unreadable",
          what: "bpfDataIfacePattern",
          detail: `${spec.pattern} is no expression that we can read`,
        });
      }
      const nics = wantedNics(node.node, node["ip-addr"], node["wireless-nics"], site).map(
        ({ name }) => name,
      );
      if (nics.length > 0 && !nics.some((name) => pattern.test(name)))
        uncovered.push({ node: node.node, nics, pattern: spec.pattern });
    }
    const [first] = uncovered;
    if (first !== undefined)
      findings.push({
        code: "calico-ebpf-nic",
        severity: "error",
        subject,
        facts: { uncovered },
        text: text`Calico's eBPF programs are not on ${nameList(first.nics)} of ${nameList(uncovered.map(({ node }) => node))}: ${code(first.pattern)} does not match`,
        remedy: text`Widen ${code("bpfDataIfacePattern")} to match the LAN interface, in a quiet moment`,
      });
    const direct = on.filter(({ spec }) => spec.mode === "DSR").map(({ node }) => node.node);
    if (direct.length > 0)
      findings.push({
        code: "calico-ebpf-dsr",
        severity: "warning",
        subject,
        facts: { nodes: direct },
        text: text`Calico replies to clients directly (DSR) from ${nameList(direct)}: an announced address leaves with other MACs than the announcer's`,
        remedy: text`Set ${code("bpfExternalServiceMode: Tunnel")} unless switches and clients are known to take it`,
      });
    if (findings.length === 0)
      findings.push({
        code: "calico-ebpf",
        severity: "info",
        subject,
        facts: { nodes: on.map(({ node }) => node.node) },
        text: text`Calico's eBPF dataplane serves announced addresses on ${on.length} of ${nodes.length} nodes; kube-proxy's settings do not count there`,
      });
    return judged(findings);
  },
});
