import { describe, expect, it } from "vitest";
import {
  endpointsOf,
  podsOf,
  type ServicePort,
  schemeOf,
  serviceFacts,
} from "#shared/incidents/path/service-facts.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";

const denied = { kind: "denied", what: "list", detail: "403" } as const;

const service = (spec: object, more: object = {}): KubeObject => ({
  metadata: { name: "web", namespace: "apps", ...more },
  spec,
});

describe("what a Service says", () => {
  it("has the API's defaults where it says nothing", () => {
    expect(serviceFacts([service({ ports: [{ port: 80 }] })], "apps/web")).toEqual({
      key: "apps/web",
      type: "ClusterIP",
      ports: [{ name: "", port: 80, protocol: "TCP", target: 80, appProtocol: undefined }],
      selector: {},
      policy: "Cluster",
      loadBalancerClass: undefined,
      deleting: false,
    });
  });

  it("keeps named target ports, policy and deletion", () => {
    const object = service(
      {
        type: "LoadBalancer",
        externalTrafficPolicy: "Local",
        selector: { app: "web" },
        ports: [{ name: "https", port: 443, targetPort: "tls", protocol: "TCP", appProtocol: "https" }],
      },
      { deletionTimestamp: "2026-11-23T14:00:00Z" },
    );
    expect(serviceFacts([object], "apps/web")).toMatchObject({
      policy: "Local",
      deleting: true,
      selector: { app: "web" },
      ports: [{ name: "https", target: "tls", appProtocol: "https" }],
    });
  });

  it("is undefined when nobody could look, and when it is not there", () => {
    expect(serviceFacts(denied, "apps/web")).toBeUndefined();
    expect(serviceFacts([], "apps/web")).toBeUndefined();
  });
});

const port = (parts: Partial<ServicePort>): ServicePort => ({
  name: "",
  port: 1,
  protocol: "TCP",
  target: 1,
  appProtocol: undefined,
  ...parts,
});

describe("what a port speaks", () => {
  it.each<readonly [Partial<ServicePort>, "http" | "https" | undefined]>([
    [{ port: 80 }, "http"],
    [{ port: 443 }, "https"],
    [{ port: 443, name: "http" }, "https"],
    [{ port: 8080, name: "web" }, "http"],
    [{ port: 9000, name: "https-api" }, "https"],
    [{ port: 5432, name: "postgres" }, undefined],
    [{ port: 1883 }, undefined],
    [{ port: 443, appProtocol: "kubernetes.io/h2c" }, "http"],
    [{ port: 8000, appProtocol: "https" }, "https"],
    [{ port: 80, appProtocol: "tcp" }, undefined],
    [{ port: 443, protocol: "UDP" }, undefined],
  ])("%j: %s", (parts, expected) => {
    expect(schemeOf(port(parts))).toBe(expected);
  });
});

const pod = (
  name: string,
  parts: Readonly<{ labels?: Record<string, string>; status?: object; node?: string }>,
) => ({
  metadata: { name, namespace: "apps", labels: parts.labels ?? { app: "web" } },
  spec: {
    ...(parts.node === undefined ? {} : { nodeName: parts.node }),
    containers: [{ ports: [{ name: "http", containerPort: 8080 }] }],
  },
  ...(parts.status === undefined ? {} : { status: parts.status }),
});

const facts = serviceFacts([service({ selector: { app: "web" }, ports: [] })], "apps/web");

describe("pods that a Service means", () => {
  if (facts === undefined) throw new Error("no facts");
  it("are those with all of its labels, with what troubles them", () => {
    const pods = [
      pod("ready", {
        node: "dalt",
        status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
      }),
      pod("pulling", {
        node: "fenn",
        status: {
          phase: "Pending",
          containerStatuses: [{ state: { waiting: { reason: "ImagePullBackOff" } } }],
        },
      }),
      pod("waiting", { status: { phase: "Pending" } }),
      pod("other", { labels: { app: "other" } }),
    ];
    expect(podsOf(pods, facts)).toMatchObject([
      { name: "ready", node: "dalt", ready: true, trouble: undefined, ports: [{ name: "http", port: 8080 }] },
      { name: "pulling", ready: false, trouble: "ImagePullBackOff" },
      { name: "waiting", node: undefined, ready: false },
    ]);
  });

  it("are none without a selector, and undefined when nobody could look", () => {
    expect(podsOf([pod("a", {})], { ...facts, selector: {} })).toEqual([]);
    expect(podsOf(denied, facts)).toBeUndefined();
  });
});

describe("endpoints", () => {
  const slice = (endpoints: readonly object[], name = "web") => ({
    metadata: { name: "s", namespace: "apps", labels: { "kubernetes.io/service-name": name } },
    endpoints,
  });
  it("are ready unless they say otherwise, and serve as long as they are told to", () => {
    const lists = [
      slice([
        { addresses: ["172.16.0.1"], nodeName: "dalt", targetRef: { kind: "Pod", name: "a" } },
        { addresses: ["172.16.0.2"], conditions: { ready: false, serving: true } },
        { addresses: ["172.16.0.3"], conditions: { ready: false } },
      ]),
      slice([{ addresses: ["172.16.9.9"] }], "other"),
    ];
    expect(endpointsOf(lists, "apps/web")).toEqual([
      { address: "172.16.0.1", node: "dalt", pod: "a", ready: true, serving: true },
      { address: "172.16.0.2", node: undefined, pod: undefined, ready: false, serving: true },
      { address: "172.16.0.3", node: undefined, pod: undefined, ready: false, serving: false },
    ]);
  });
  it("are undefined when nobody could look", () => {
    expect(endpointsOf(denied, "apps/web")).toBeUndefined();
  });
});
