import type { Finding, Severity } from "../finding.ts";
import { bySeverity } from "../finding.ts";
import { code, join, text } from "../text.ts";
import type { AddressPrediction, Prediction } from "./prediction.ts";

/** The reasons nobody announces an address, most frequent first, with the number of nodes each rules out. */
export const reasons = (address: AddressPrediction): readonly (readonly [why: string, nodes: number])[] => {
  const counts = new Map<string, number>();
  for (const why of Object.values(address.why)) counts.set(why, (counts.get(why) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
};

/** Silence that may well be meant: nothing runs behind the Service, or another load balancer serves it. */
const gentler: Readonly<Record<string, Severity>> = {
  "no-servable-endpoint": "warning",
  "no-pool": "warning",
  "not-load-balancer-class": "info",
};

/** What is wrong with a prediction taken by itself: an invalid configuration, silent addresses, split addresses. */
export function predictionFindings(prediction: Prediction): readonly Finding[] {
  const invalid = prediction.addresses.find(({ configError }) => configError !== undefined)?.configError;
  if (invalid !== undefined)
    return [
      {
        code: "metallb-configuration-invalid",
        severity: "error",
        subject: { kind: "config", name: "metallb" },
        facts: { error: invalid, addresses: prediction.addresses.length },
        text: text`MetalLB rejects its whole configuration: ${code(invalid)}. Speakers keep the last good one in memory and announce nothing after their next restart.`,
        remedy: ["Correct that object; every pool and advertisement is out of force until then."],
      },
    ];

  const silent = prediction.addresses
    .filter(({ order }) => order.length === 0)
    .map((address): Finding => {
      const why = reasons(address);
      return {
        code: "address-not-announced",
        severity: (why.length === 1 && gentler[why[0]?.[0] ?? ""]) || "error",
        subject: { kind: "address", name: address.ip },
        facts: { service: address.service, why: Object.fromEntries(why) },
        text: text`nobody will announce ${code(address.ip)} (${address.service}): ${
          why.length === 0
            ? "there is no node"
            : join(
                why.map(
                  ([reason, count]) => text`${code(reason)} on ${count} ${count === 1 ? "node" : "nodes"}`,
                ),
                ", ",
              )
        }`,
      };
    });

  const leaders = new Map<string, AddressPrediction[]>();
  for (const address of prediction.addresses) {
    if (address.order.length === 0) continue;
    leaders.set(address.ip, [...(leaders.get(address.ip) ?? []), address]);
  }
  const split = [...leaders]
    .filter(([, sharing]) => new Set(sharing.map(({ order }) => order[0])).size > 1)
    .map(
      ([ip, sharing]): Finding => ({
        code: "shared-address-split",
        severity: "error",
        subject: { kind: "address", name: ip },
        facts: Object.fromEntries(sharing.map(({ service, order }) => [service, order[0] ?? null])),
        text: text`${code(ip)} is shared and its Services elect different nodes: ${join(
          sharing.map(({ service, order }) => text`${service} on ${code(order[0] ?? "")}`),
          ", ",
        )}. Both answer ARP.`,
        remedy: ["Give the Services the same traffic policy and the same advertisements."],
      }),
    );
  return [...silent, ...split];
}

/** How many findings of one code are told one by one. */
const siblings = 5;

/**
 * The first five findings of each code, and one that stands for the rest: same code, the worst of their severities, their
 * subjects in its facts. Nothing is lost to exit codes or to programs, and a person sees the kinds instead of a wall.
 */
export function foldSiblings(findings: readonly Finding[]): readonly Finding[] {
  const byCode = new Map<string, Finding[]>();
  for (const finding of findings)
    byCode.set(finding.code, [...(byCode.get(finding.code) ?? []), finding].sort(bySeverity));
  return [...byCode.values()].flatMap((same) => {
    // "1 more" takes the room of the one.
    if (same.length <= siblings + 1) return same;
    const rest = same.slice(siblings);
    const [first] = rest as [Finding, ...Finding[]];
    const names = [...new Set(rest.map(({ subject }) => subject.name))];
    return [
      ...same.slice(0, siblings),
      {
        code: first.code,
        severity: first.severity,
        subject: { kind: "cluster" as const, name: `${rest.length} more` },
        facts: { more: rest.map(({ subject, facts }) => ({ subject: subject.name, ...facts })) },
        text: text`of the same kind: ${names.slice(0, 8).join(", ")}${names.length > 8 ? ` and ${names.length - 8} more` : ""}`,
      },
    ];
  });
}
