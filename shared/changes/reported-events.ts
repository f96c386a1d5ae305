import { text } from "../text.ts";
import { isIn } from "./change.ts";
import type { Collector, Traces } from "./collector.ts";
import type { EventTrace } from "./read-events.ts";

const siteKinds = [
  "Node",
  "Service",
  "IPAddressPool",
  "L2Advertisement",
  "BGPAdvertisement",
  "BGPPeer",
  "BFDProfile",
  "Application",
  "Kustomization",
  "HelmRelease",
];

/** Pods by name alone: one that is gone leaves nothing but its events. */
const sitePods = /^(calico-node|kube-proxy)-/;

/** Namespaces of MetalLB and ExternalDNS: every event of a workload there is about the site. */
const siteNamespaces = ({ traced }: Traces): ReadonlySet<string> =>
  new Set(
    traced.flatMap(({ kind, object }) =>
      ["pods", "daemonsets", "deployments"].includes(kind) && object.metadata.namespace !== "kube-system"
        ? [object.metadata.namespace ?? ""]
        : [],
    ),
  );

const isAssignment = ({ reason }: EventTrace): boolean => reason === "nodeAssigned";

/** What controllers reported, apart from nodeAssigned, which MetalLB repeats at every resync. */
export const reportedEvents: Collector = {
  source: "event",
  collect: (traces, window) => {
    const namespaces = siteNamespaces(traces);
    return traces.events
      .filter((event) => !isAssignment(event) && isIn(window, event.last))
      .filter(
        ({ subject, namespace }) =>
          siteKinds.includes(subject.kind) ||
          namespaces.has(namespace) ||
          (subject.kind === "Pod" && sitePods.test(subject.name.slice(subject.name.indexOf("/") + 1))),
      )
      .map(({ subject, reason, message, by, last, times }) => ({
        at: last,
        subject,
        what: text`${reason}${message === "" ? "" : `: ${message}`}`,
        ...(by === "" ? {} : { by }),
        source: "event" as const,
        ...(times > 1 ? { times } : {}),
      }));
  },
};
