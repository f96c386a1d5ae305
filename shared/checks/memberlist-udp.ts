import type { Fault } from "../fault.ts";
import { memberTroubles } from "../metallb/speaker-log.ts";
import { speakerSettings } from "../metallb/speakers.ts";
import { join, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";
import { logWindowSeconds } from "./log-window.ts";

type Pair = Readonly<{ observer: string; member: string; at: string }>;

/** The fewest nodes that explain all pairs: always the one that stands in the most of those left. */
function blamed(pairs: readonly Pair[]): readonly Readonly<{ node: string; pairs: readonly Pair[] }>[] {
  const out: { node: string; pairs: readonly Pair[] }[] = [];
  let left = pairs;
  while (left.length > 0) {
    const counts = new Map<string, number>();
    for (const { observer, member } of left)
      for (const node of [observer, member]) counts.set(node, (counts.get(node) ?? 0) + 1);
    const [worst] = [...counts].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    if (worst === undefined) break;
    const [node] = worst;
    out.push({ node, pairs: left.filter(({ observer, member }) => observer === node || member === node) });
    left = left.filter(({ observer, member }) => observer !== node && member !== node);
  }
  return out;
}

/** One pair an observer and member, the newest. */
const newest = (pairs: readonly Pair[]): readonly Pair[] => [
  ...new Map(
    pairs.toSorted((a, b) => (a.at < b.at ? -1 : 1)).map((pair) => [`${pair.observer} ${pair.member}`, pair]),
  ).values(),
];

export const memberlistUdp = defineCheck({
  id: "memberlist-udp",
  about: "cluster",
  title: "Speakers hear each other over UDP port 7946",
  codes: ["memberlist-udp-blocked"],
  page: {
    why: `Speakers gossip over UDP port 7946; TCP is only the fallback of a probe. With UDP blocked, members still find each
other, so everything looks right, but each probe costs a second longer, suspicions are spread late or not at all, and a
dead node is noticed late. No connection attempt proves UDP; the speakers themselves do: a probe that only TCP answered is
a warning in their log.`,
    looks: `"Was able to connect to NODE over TCP but UDP probes failed, network may be misconfigured" in the log of
speakers, several times a minute. Failover takes longer than ten seconds.`,
    fix: `Open UDP 7946 between all nodes, beside TCP, in the host firewall and in every network policy for host
endpoints. The node that most speakers complain about is the first place to look. To go back, remove the rule again.`,
  },
  needs: [],
  reads: ["pods", "daemonsets", "nodes"],
  logs: "speakers",
  judge: (nodes, { objects, speakerLogs }) => {
    const { memberlist, logLevel } = speakerSettings(objects);
    if (memberlist === "off") return skipped("memberlist is off: speakers do not gossip");
    if (speakerLogs.size === 0)
      return unknown({
        kind: "unreadable",
        what: "logs of the speakers",
        detail: "no speaker runs whose log could be read",
      });
    const notReady = objects.nodes.filter(({ conditions }) =>
      conditions.some(({ type, status }) => type === "Ready" && status !== "True"),
    );
    const silent = nodes.filter(({ unreached }) => unreached !== undefined);
    const gone = new Set([...notReady.map(({ name }) => name), ...silent.map(({ node }) => node)]);
    const pairs: Pair[] = [];
    let unread: Fault | undefined;
    for (const [observer, log] of speakerLogs) {
      // A node that is gone is told as such; its log is no riddle beside that.
      if (!log.ok) {
        if (!gone.has(observer)) unread ??= log.fault;
      } else
        for (const { member, trouble, at } of memberTroubles(log.evidence))
          if (trouble === "udp") pairs.push({ observer, member, at });
    }
    if (pairs.length > 0)
      return judged(
        blamed(newest(pairs)).map(({ node, pairs: about }) => {
          const others = [
            ...new Set(about.map(({ observer, member }) => (observer === node ? member : observer))),
          ].sort();
          const last =
            about
              .map(({ at }) => at)
              .sort()
              .at(-1) ?? "";
          return found({
            code: "memberlist-udp-blocked",
            severity: "error",
            node,
            facts: { with: others, last, windowSeconds: logWindowSeconds },
            text: text`speakers reach each other over TCP but not over UDP 7946 between ${node} and ${join(others, ", ")} (their logs, last at ${last})`,
            remedy: text`Open UDP 7946 on ${node} and on the way to it`,
          });
        }),
      );
    if (unread !== undefined) return unknown(unread);
    // Warnings are not written at all then, so that their absence proves nothing.
    if (logLevel === "error" || logLevel === "none")
      return unknown({
        kind: "not-configured",
        what: "warnings in the speakers' logs",
        detail: `speakers run with --log-level=${logLevel}`,
      });
    return judged([]);
  },
});
