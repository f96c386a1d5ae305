import * as z from "zod";
import type { Finding } from "../finding.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { speakerLogSources } from "../metallb/speakers.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";

const time = z.string().nullish();

const event = z.object({
  reason: z.string().nullish(),
  message: z.string().nullish(),
  involvedObject: z.object({ kind: z.string(), namespace: z.string(), name: z.string() }).partial().nullish(),
  firstTimestamp: time,
  lastTimestamp: time,
  eventTime: time,
});

const conditioned = z.object({
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: time })),
  }),
});

const running = z.object({
  spec: z.object({ nodeName: z.string() }),
  status: z.object({
    containerStatuses: z.array(
      z.object({
        name: z.string(),
        state: z.object({ running: z.object({ startedAt: z.string() }).nullish() }).nullish(),
      }),
    ),
  }),
});

/** When each running container of each node started, milliseconds; what does not say so is left out. */
function startsByNode(pods: readonly KubeObject[]) {
  const starts = pods.flatMap((pod) => {
    const { data } = running.safeParse(pod);
    return (data?.status.containerStatuses ?? []).flatMap(({ name, state }) => {
      const at = Date.parse(state?.running?.startedAt ?? "");
      const { namespace, name: podName } = pod.metadata;
      return Number.isNaN(at) ? [] : [{ node: data?.spec.nodeName, namespace, pod: podName, name, at }];
    });
  });
  return Map.groupBy(starts, ({ node }) => node);
}

const byLayer2 = /announcing from node "([^"]+)"(?: with protocol "layer2")?$/;

/** A boot takes less than this, seconds; a speaker that has run for longer was not started by the same one. */
const bootSeconds = 600;

const seconds = (ms: number): number => Math.round(ms / 1_000);

export const announcedBeforeReady = defineCheck({
  id: "announced-before-ready",
  about: "cluster",
  title: "No node took addresses while it was still booting",
  codes: ["announced-before-ready"],
  page: {
    why: `Speakers run on the host network, so they start before the CNI, kube-proxy and the node's Ready condition. The
election looks at none of these: a node that is first for an address takes it back the moment its speaker has joined the
others (metallb#1710). From then until the node is ready, packets for the address arrive where nothing forwards them.`,
    looks: `A node reboots. Its addresses move away and are served, then fail for ten to sixty seconds just when the node
comes back, and work again by themselves. The Service has a \`nodeAssigned\` event that is older than the node's last change
to Ready.`,
    fix: `Before a planned reboot label the node \`node.kubernetes.io/exclude-from-external-load-balancers\`, and take the label
off when it is Ready and its CNI pod is: \`kubectl label node NODE node.kubernetes.io/exclude-from-external-load-balancers-\`.
A CNI that sets the condition NetworkUnavailable while it starts, as Calico does, keeps the node out of the election by itself
from MetalLB 0.13.10. For reboots that nobody plans there is no setting: the way is a boot order in which kubelet starts last.`,
  },
  needs: [],
  reads: ["nodes", "pods", "events"],
  judge: (_, { objects, raw }) => {
    const events = raw.events.flatMap((each) => {
      const read = event.safeParse(each);
      if (!read.success || read.data.reason !== "nodeAssigned") return [];
      const node = byLayer2.exec(read.data.message ?? "")?.[1];
      const { firstTimestamp, lastTimestamp, eventTime, involvedObject: about } = read.data;
      const times = [firstTimestamp, lastTimestamp, eventTime].flatMap((at) => {
        const ms = at ? Date.parse(at) : Number.NaN;
        return Number.isNaN(ms) ? [] : [ms];
      });
      return node === undefined
        ? []
        : [{ node, service: `${about?.namespace ?? ""}/${about?.name ?? ""}`, times }];
    });
    if (events.length === 0)
      return skipped("no nodeAssigned event is left: the API server keeps them for an hour");
    const sources = new Map(speakerLogSources(objects).map((source) => [source.node, source]));
    const starts = startsByNode(raw.pods);
    const findings: Finding[] = [];
    let unread: string | undefined;
    for (const [node, mine] of Map.groupBy(events, (each) => each.node)) {
      const source = sources.get(node);
      const kubeNode = raw.nodes.find(({ metadata }) => metadata.name === node);
      // Gone since, or not running: what is not there any more took no address too early.
      if (source === undefined || kubeNode === undefined) continue;
      const ready = conditioned
        .safeParse(kubeNode)
        .data?.status.conditions.find(({ type, status }) => type === "Ready" && status === "True");
      const containers = starts.get(node) ?? [];
      const from = containers.find(
        (each) =>
          each.namespace === source.namespace && each.pod === source.pod && each.name === source.container,
      )?.at;
      const until = Date.parse(ready?.lastTransitionTime ?? "");
      if (ready === undefined) continue;
      if (from === undefined || Number.isNaN(until)) {
        unread ??= node;
        continue;
      }
      // A container that has run for longer survived: then the speaker alone was restarted, and no node booted.
      const booted = containers.every(({ at }) => at >= from - bootSeconds * 1_000);
      if (!booted || until <= from || until - from > bootSeconds * 1_000) continue;
      const early = mine.flatMap(({ service, times }) => {
        const [first] = times.filter((at) => at >= from && at < until).sort((a, b) => a - b);
        return first === undefined ? [] : [{ service, first }];
      });
      if (early.length === 0) continue;
      const services = [...new Set(early.map(({ service }) => service))].sort();
      const first = Math.min(...early.map((each) => each.first));
      findings.push(
        found({
          code: "announced-before-ready",
          severity: "warning",
          node,
          facts: {
            services,
            speakerStarted: new Date(from).toISOString(),
            announced: new Date(first).toISOString(),
            ready: new Date(until).toISOString(),
          },
          text: text`${node} took ${nameList(services)} ${seconds(until - first)} s before it was Ready (speaker started ${seconds(until - from)} s before; times in whole seconds)`,
          remedy: text`Before a reboot: ${code(`kubectl label node ${node} node.kubernetes.io/exclude-from-external-load-balancers=`)}, and off again when it is Ready`,
        }),
      );
    }
    if (findings.length === 0 && unread !== undefined)
      return unknown({
        kind: "unreadable",
        what: `start of ${unread}`,
        detail: "when its speaker started, or when it became Ready, is not in the objects",
      });
    return judged(findings);
  },
});
