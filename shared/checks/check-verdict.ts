import type { CheckResult } from "../check-result.ts";
import type { Reply } from "../reply.ts";
import { counted } from "../report/wording.ts";

type Count = Readonly<{
  total: number;
  failing: number;
  unknown: number;
  /** Nodes about which there is nothing worse than a remark. */
  remarked: number;
  checks: number;
  cluster: number;
}>;

/** For several nodes: how many need somebody, how many are fine, how many nobody knows about. */
export function verdict(
  { total, failing, unknown, remarked, checks, cluster }: Count,
  unsureChecks: number,
): Reply["verdict"] {
  const passing = total - failing - unknown - remarked;
  const all = counted(checks, "check");
  const passed = checks === 1 ? "pass the check" : `pass all ${all}`;
  const rest = [
    passing === 0
      ? "none passes all of them"
      : `${passing} ${passing === 1 ? passed.replace("pass", "passes") : passed}`,
    ...(remarked > 0 ? [`${remarked} with a remark`] : []),
    ...(unknown > 0 ? [`${unknown} could not be looked at in full`] : []),
    ...(cluster > 0 ? [`${counted(cluster, "finding")} about the cluster`] : []),
  ].join(", ");
  const nodes = counted(total, "node");
  if (failing > 0)
    return {
      word: `${failing} of ${nodes} ${failing === 1 ? "needs" : "need"} you`,
      outcome: "failed",
      text: [rest],
    };
  if (cluster > 0) return { word: "FAIL", outcome: "failed", text: [rest] };
  if (unknown > 0) return { word: "UNKNOWN", outcome: "unknown", text: [`of ${nodes} ${rest}`] };
  if (unsureChecks > 0)
    return {
      word: "UNKNOWN",
      outcome: "unknown",
      text: [`${unsureChecks} of ${all} could not be made in full, the others pass on ${nodes}`],
    };
  if (remarked > 0) return { word: "OK", outcome: "ok", text: [`of ${nodes} ${rest}`] };
  return {
    word: "OK",
    outcome: "ok",
    text: [`${nodes} ${total === 1 ? passed.replace("pass", "passes") : passed}`],
  };
}

/** For one node: how many of its checks failed and how many could not be made. */
export function verdictOfOne(node: string, results: readonly CheckResult[]): Reply["verdict"] {
  const having = (outcome: CheckResult["outcome"]): number =>
    results.filter((result) => result.outcome === outcome).length;
  const failed = having("failed");
  const unsure = having("unknown");
  const rest = [
    ...(failed > 0
      ? [`${failed} of ${counted(results.length, "check")} ${failed === 1 ? "fails" : "fail"}`]
      : []),
    ...(unsure > 0 ? [`${unsure} of ${counted(results.length, "check")} could not be made`] : []),
    ...(failed + unsure > 0 ? [`${having("passed")} ${having("passed") === 1 ? "passes" : "pass"}`] : []),
  ].join(", ");
  if (failed > 0) return { word: `${node} needs you`, outcome: "failed", text: [rest] };
  if (unsure > 0) return { word: "UNKNOWN", outcome: "unknown", text: [`${node}: ${rest}`] };
  const skips = having("skipped");
  const passes = counted(having("passed"), "check");
  return {
    word: "OK",
    outcome: "ok",
    text: [
      `${node} passes ${skips === 0 ? "all " : ""}${passes}${skips === 0 ? "" : `, ${skips} do not apply`}`,
    ],
  };
}
