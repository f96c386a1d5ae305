import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collectors } from "#shared/changes/all.ts";
import { collectChanges } from "#shared/changes/collect-changes.ts";
import type { Lists } from "#shared/changes/read-traces.ts";
import { fieldPaths } from "#shared/changes/read-traces.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { plain } from "#shared/text.ts";

const until = Date.UTC(2026, 10, 23, 14);
const window = { since: until - 3_600_000, until };
const at = (minutesAgo: number): string =>
  new Date(until - minutesAgo * 60_000).toISOString().replace(".000", "");
const old = "2026-11-01T10:00:00Z";

const object = (metadata: object, rest: object = {}): KubeObject =>
  ({ metadata: { name: "x", creationTimestamp: old, ...metadata }, ...rest }) as KubeObject;

const told = (lists: Lists): readonly string[] => {
  const { changes, problems } = collectChanges(lists, window);
  return [
    ...changes.map(
      ({ at: when, subject, what, by, source, times, atLatest }) =>
        `${new Date(when).toISOString().slice(11, 16)} ${subject.kind} ${subject.name}: ${plain(what)} [${by ?? ""}] ${source}${times ? ` x${times}` : ""}${atLatest ? " at the latest" : ""}`,
    ),
    ...problems.map((problem) => `problem: ${problem}`),
  ];
};

const speaker = (rest: object, metadata: object = {}) =>
  object(
    {
      name: "speaker-1",
      namespace: "metallb",
      labels: { app: "metallb", component: "speaker" },
      ...metadata,
    },
    rest,
  );

const assigned = (node: string, first: number, last: number, count = 1, protocol = "layer2"): KubeObject =>
  object(
    { name: `e-${node}-${first}`, namespace: "httpbin" },
    {
      involvedObject: { kind: "Service", namespace: "httpbin", name: "httpbin" },
      reason: "nodeAssigned",
      message: `announcing from node "${node}" with protocol "${protocol}"`,
      source: { component: "metallb-speaker" },
      firstTimestamp: at(first),
      lastTimestamp: at(last),
      count,
    },
  );

const status = (node: string, created: string): KubeObject =>
  object(
    {
      name: `l2-${node}`,
      namespace: "metallb",
      creationTimestamp: created,
      labels: { "metallb.io/service-name": "httpbin", "metallb.io/service-namespace": "httpbin" },
    },
    { status: { node } },
  );

describe("each source", () => {
  it.each<readonly [string, Lists, readonly string[]]>([
    ["nothing", {}, []],
    ["an object made long ago", { ipaddresspools: [object({ namespace: "metallb" })] }, []],
    [
      "a new pool, with its maker",
      {
        ipaddresspools: [
          object({
            namespace: "metallb",
            creationTimestamp: at(10),
            managedFields: [{ manager: "helm", operation: "Update", time: at(10), fieldsV1: {} }],
          }),
        ],
      },
      ["13:50 IPAddressPool metallb/x: created [helm] creationTimestamp"],
    ],
    [
      "an edited advertisement, with its fields",
      {
        l2advertisements: [
          object({
            namespace: "metallb",
            managedFields: [
              {
                manager: "kubectl-edit",
                operation: "Update",
                time: at(5),
                fieldsV1: { "f:spec": { "f:interfaces": {} } },
              },
              { manager: "speaker", operation: "Update", subresource: "status", time: at(4) },
            ],
          }),
        ],
      },
      ["13:55 L2Advertisement metallb/x: changed; it holds spec.interfaces [kubectl-edit] managedFields"],
    ],
    [
      "a node that went NotReady, not its heartbeat",
      {
        nodes: [
          object(
            { name: "dalt" },
            {
              status: {
                conditions: [
                  {
                    type: "Ready",
                    status: "Unknown",
                    reason: "NodeStatusUnknown",
                    lastHeartbeatTime: at(1),
                    lastTransitionTime: at(7),
                  },
                  {
                    type: "DiskPressure",
                    status: "False",
                    lastHeartbeatTime: at(1),
                    lastTransitionTime: old,
                  },
                ],
              },
            },
          ),
        ],
      },
      ["13:53 Node dalt: condition Ready is Unknown (NodeStatusUnknown) [] condition"],
    ],
    [
      "an object that a finalizer holds",
      { services: [object({ deletionTimestamp: at(3) }, { spec: { type: "LoadBalancer" } })] },
      ["13:57 Service x: is being deleted [] deletionTimestamp"],
    ],
    [
      "a Service that publishes nothing",
      { services: [object({ creationTimestamp: at(3) }, { spec: { type: "ClusterIP" } })] },
      [],
    ],
    [
      "a speaker that restarted, with the reason",
      {
        pods: [
          speaker({
            spec: { nodeName: "dalt" },
            status: {
              containerStatuses: [
                {
                  name: "speaker",
                  restartCount: 2,
                  state: { running: { startedAt: at(9) } },
                  lastState: { terminated: { reason: "OOMKilled", exitCode: 137 } },
                },
              ],
            },
          }),
        ],
      },
      [
        "13:51 Pod metallb/speaker-1: speaker on dalt: container speaker restarted, 2 times in all; before, it ended with OOMKilled (137) [] pod status",
      ],
    ],
    [
      "a speaker pod that never started",
      { pods: [speaker({ spec: { nodeName: "dalt" } }, { creationTimestamp: at(2) })] },
      ["13:58 Pod metallb/speaker-1: created (speaker) [] creationTimestamp"],
    ],
    ["an application's pod", { pods: [object({ namespace: "httpbin", creationTimestamp: at(2) })] }, []],
    [
      "an Argo CD sync and an older deployment",
      {
        applications: [
          object(
            { name: "metallb", namespace: "argocd" },
            {
              status: {
                operationState: {
                  phase: "Succeeded",
                  startedAt: at(21),
                  finishedAt: at(20),
                  operation: { initiatedBy: { automated: true } },
                  syncResult: { revision: "0123456789abcdef0123456789abcdef01234567" },
                },
                history: [
                  { deployedAt: at(20), revision: "0123456789abcdef0123456789abcdef01234567" },
                  { deployedAt: at(40), revision: "v2" },
                ],
              },
            },
          ),
        ],
      },
      [
        "13:40 Application argocd/metallb: sync of 0123456: Succeeded [Argo CD, automated] GitOps status",
        "13:20 Application argocd/metallb: deployed v2 [Argo CD] GitOps status",
      ],
    ],
    [
      "a Helm release and a Kustomization of Flux",
      {
        helmreleases: [
          object(
            { name: "metallb", namespace: "flux-system" },
            { status: { history: [{ lastDeployed: at(30), chartVersion: "0.16.1", status: "deployed" }] } },
          ),
        ],
        kustomizations: [
          object(
            { name: "apps", namespace: "flux-system" },
            {
              status: {
                conditions: [
                  { type: "Ready", status: "False", reason: "BuildFailed", lastTransitionTime: at(6) },
                ],
              },
            },
          ),
        ],
      },
      [
        "13:54 Kustomization flux-system/apps: condition Ready is False (BuildFailed) [] condition",
        "13:30 HelmRelease flux-system/metallb: chart 0.16.1: deployed [Flux] GitOps status",
      ],
    ],
    [
      "a counted event about a node, none about an application's pod",
      {
        events: [
          object(
            { name: "a" },
            {
              involvedObject: { kind: "Node", name: "dalt" },
              reason: "NodeNotReady",
              message: "Node is not ready",
              source: { component: "node-controller" },
              firstTimestamp: at(50),
              lastTimestamp: at(12),
              count: 3,
            },
          ),
          object(
            { name: "b", namespace: "httpbin" },
            {
              regarding: { kind: "Pod", namespace: "httpbin", name: "httpbin-1" },
              reason: "BackOff",
              eventTime: at(12),
            },
          ),
        ],
      },
      ["13:48 Node dalt: NodeNotReady: Node is not ready [node-controller] event x3"],
    ],
    [
      "a killed speaker that only its event remembers",
      {
        pods: [speaker({})],
        events: [
          object(
            { name: "k", namespace: "metallb" },
            {
              involvedObject: { kind: "Pod", namespace: "metallb", name: "speaker-0" },
              reason: "Killing",
              message: "Stopping container speaker",
              source: { component: "kubelet" },
              lastTimestamp: at(2),
              firstTimestamp: at(2),
            },
          ),
        ],
      },
      ["13:58 Pod metallb/speaker-0: Killing: Stopping container speaker [kubelet] event"],
    ],
    [
      "an event without a time",
      { events: [{ metadata: { name: "timeless" }, reason: "Odd" } as KubeObject] },
      ["problem: Event timeless: it carries no time"],
    ],
  ])("tells %s", (_, lists, changes) => {
    expect(told(lists).toSorted()).toEqual(changes.toSorted());
  });
});

describe("announcers", () => {
  it.each<readonly [string, Lists, readonly string[]]>([
    [
      "resyncs of one announcer",
      { events: [assigned("dalt", 50, 2, 40)], servicel2statuses: [status("dalt", old)] },
      [],
    ],
    [
      "one announcer whose beginning nothing explains",
      { events: [assigned("dalt", 30, 2, 9)] },
      [
        "13:30 Service httpbin/httpbin: dalt announces it; who did before is not in the events [metallb-speaker] event",
      ],
    ],
    [
      "a move",
      { events: [assigned("dalt", 55, 20, 9), assigned("fenn", 19, 1, 9)] },
      ["13:41 Service httpbin/httpbin: announcer moved from dalt to fenn [metallb-speaker] event"],
    ],
    [
      "a move and a fail-back, whose moment a repeated event does not keep",
      { events: [assigned("dalt", 55, 5, 9), assigned("fenn", 19, 10, 3)] },
      [
        "13:41 Service httpbin/httpbin: announcer moved from dalt to fenn [metallb-speaker] event",
        "13:55 Service httpbin/httpbin: announcer moved from fenn to dalt [metallb-speaker] event at the latest",
      ],
    ],
    ["announcements by BGP", { events: [assigned("dalt", 30, 2, 9, "bgp")] }, []],
    ["a move from before the window", { events: [assigned("dalt", 90, 80), assigned("fenn", 70, 2, 9)] }, []],
    [
      "a new status object",
      { events: [assigned("fenn", 10, 2, 4)], servicel2statuses: [status("fenn", at(10))] },
      ["13:50 Service httpbin/httpbin: fenn began to announce it [metallb-speaker] ServiceL2Status"],
    ],
  ])("tells %s", (_, lists, changes) => {
    expect(told(lists)).toEqual(changes);
  });
});

it("has a line in the list for every source that something above comes from", () => {
  expect(new Set(collectors.map(({ source }) => source))).toEqual(
    new Set([
      "event",
      "ServiceL2Status",
      "creationTimestamp",
      "deletionTimestamp",
      "managedFields",
      "condition",
      "pod status",
      "GitOps status",
    ]),
  );
});

it("reads field sets to the third member", () => {
  expect(
    fieldPaths({
      "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
      "f:spec": { "f:a": { "f:b": { "f:c": {} } } },
    }),
  ).toEqual(["metadata.labels.app", "spec.a.b"]);
  expect(fieldPaths(undefined)).toEqual([]);
});

it("takes whatever objects a server may send", () => {
  const any = fc.dictionary(
    fc.constantFrom("metadata", "spec", "status", "reason", "involvedObject", "lastTimestamp"),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(fc.array(any), (items) => {
      const objects = items.map(
        (item) =>
          ({ ...item, metadata: { name: "x", managedFields: item.metadata } }) as unknown as KubeObject,
      );
      const { changes } = collectChanges(
        {
          events: objects,
          applications: objects,
          helmreleases: objects,
          nodes: objects,
          servicel2statuses: objects,
        },
        window,
      );
      expect(changes.every(({ at: when }) => when >= window.since)).toBe(true);
    }),
  );
});
