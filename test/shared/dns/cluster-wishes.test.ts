import { describe, expect, it } from "vitest";
import { clusterWishes, type WishKind } from "#shared/dns/cluster-wishes.ts";
import {
  controllerViews,
  intervalSeconds,
  serviceAddresses,
  wishFaults,
} from "#shared/dns/snapshot-views.ts";
import type { Fault } from "#shared/fault.ts";
import type { KubeObject, Listed } from "#shared/kubernetes/read.ts";

const deployment = (image: string, args: readonly string[], env: readonly object[] = []): KubeObject => ({
  metadata: { name: "external-dns", namespace: "external-dns" },
  spec: { template: { spec: { containers: [{ name: "external-dns", image, args, env }] } } },
});

const args = [
  "--source=service",
  "--provider=aws",
  "--domain-filter=example.net",
  "--policy=sync",
  "--txt-owner-id=home",
  "--interval=2m",
];

const service = (name: string, hostname: string, ip: string): KubeObject => ({
  metadata: {
    name,
    namespace: "apps",
    annotations: { "external-dns.alpha.kubernetes.io/hostname": hostname },
  },
  spec: { type: "LoadBalancer" },
  status: { loadBalancer: { ingress: [{ ip }] } },
});

const lists = (more: Partial<Record<WishKind, Listed>> = {}): Readonly<Record<WishKind, Listed>> => ({
  deployments: [deployment("registry.example/external-dns:v0.16.0", args)],
  services: [service("web", "web.example.net", "10.4.11.1"), service("db", "db.other.net", "10.4.11.2")],
  ingresses: [],
  gateways: [],
  httproutes: [],
  dnsendpoints: [],
  namespaces: [],
  ...more,
});

const denied: Fault = { kind: "denied", what: "list", detail: "forbidden" };

describe("what a cluster wants", () => {
  it("is what each ExternalDNS found wants, with flags, counts and addresses", () => {
    const wishes = clusterWishes("goldentooth", lists());
    expect(wishes.controllers).toMatchObject([
      {
        name: "external-dns/external-dns",
        flags: { "txt-owner-id": ["home"], interval: ["2m"] },
        endpoints: [
          { name: "db.other.net", type: "A", targets: ["10.4.11.2"] },
          {
            name: "web.example.net",
            type: "A",
            targets: ["10.4.11.1"],
            labels: { resource: "service/apps/web" },
          },
        ],
        unknown: [],
      },
    ]);
    expect(wishes.faults).toEqual([]);
    expect(wishes.counts).toMatchObject({ services: 2, deployments: 1, ingresses: 0 });
    expect(serviceAddresses(wishes)).toContainEqual({ service: "apps/web", addresses: ["10.4.11.1"] });
    const [view] = controllerViews(wishes);
    expect(view).toMatchObject({ intervalSeconds: 120, controller: { owner: "home", policy: "sync" } });
  });

  it("reads every ExternalDNS, its environment too, and keeps keys and hidden values out", () => {
    const other = {
      ...deployment(
        "registry.example/external-dns:v0.18.0",
        [
          "--source=service",
          "--policy=upsert-only",
          "--txt-encrypt-aes-key=0123456789abcdef0123456789abcdef",
        ],
        [
          { name: "EXTERNAL_DNS_TXT_OWNER_ID", value: "second" },
          { name: "EXTERNAL_DNS_TXT_PREFIX", valueFrom: { configMapKeyRef: { name: "x", key: "y" } } },
        ],
      ),
      metadata: { name: "external-dns-2", namespace: "external-dns" },
    };
    const wishes = clusterWishes(
      "goldentooth",
      lists({ deployments: [...(lists().deployments as KubeObject[]), other] }),
    );
    expect(wishes.controllers).toHaveLength(2);
    const second = wishes.controllers[1];
    expect(second?.flags["txt-owner-id"]).toEqual(["second"]);
    expect(JSON.stringify(wishes)).not.toContain("0123456789abcdef");
    expect(second?.unknown).toContain("the value of EXTERNAL_DNS_TXT_PREFIX is hidden");
  });

  it.each([
    "registry.example/external-dns:latest",
    "registry.example/external-dns@sha256:abc",
    "external-dns:v0.99.0",
  ])("does not know the release of %s, and wants nothing rather than guess", (image) => {
    const [controller] = clusterWishes(
      "goldentooth",
      lists({ deployments: [deployment(image, args)] }),
    ).controllers;
    expect(controller).toMatchObject({ endpoints: [], unknown: [expect.stringContaining("is not known")] });
    expect(
      controllerViews(clusterWishes("g", lists({ deployments: [deployment(image, args)] })))[0],
    ).toMatchObject({
      controller: { owner: "home", policy: "upsert-only" },
    });
  });

  it("makes a source that could not be read a fault, and an API that is not there none", () => {
    const absent: Fault = {
      kind: "not-configured",
      what: "list",
      detail: "the server does not know httproutes",
    };
    const wishes = clusterWishes(
      "goldentooth",
      lists({ services: denied, httproutes: absent, gateways: denied }),
    );
    expect(wishes.faults.map(({ source, kind }) => `${source} ${kind}`).toSorted()).toEqual([
      "gateways denied",
      "services denied",
    ]);
    expect(wishFaults(wishes)[0]).toMatchObject({ kind: "denied" });
  });

  it.each([
    ["1m", 60],
    ["90s", 90],
    ["1h30m", 5_400],
    ["nonsense", 60],
  ])("takes %s as an interval of %d s", (text, expected) => {
    expect(intervalSeconds(new Map([["interval", [text]]]))).toBe(expected);
  });
});
