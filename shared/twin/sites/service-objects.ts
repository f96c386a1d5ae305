import type { LoadBalancerPlan, SitePlan } from "./site-plan.ts";
import { object, running, type StoredObject } from "./stored-object.ts";

const podIp = (nodeIndex: number, number: number): string => `172.16.${nodeIndex}.${10 + number}`;

/** A Service of type LoadBalancer with its pods and their EndpointSlice. */
export function serviceObjects(
  plan: SitePlan,
  service: LoadBalancerPlan,
  number: number,
): readonly StoredObject[] {
  const app = service.app ?? service.name;
  const labels = { "app.kubernetes.io/name": app };
  const { name, namespace } = service;
  const pods = service.on.map((node, i) => ({
    name: `${app}-${(0x6d5f00 + number * 17).toString(16)}-${"bcdfghjkl".charAt(i)}x${number}q2`,
    node,
    ip: podIp(
      plan.nodes.findIndex((each) => each.name === node),
      number,
    ),
  }));
  return [
    object(
      "services",
      {
        name,
        namespace,
        labels,
        annotations: {
          ...(service.hostname === undefined
            ? {}
            : { "external-dns.alpha.kubernetes.io/hostname": service.hostname }),
          ...(service.ttl === undefined ? {} : { "external-dns.alpha.kubernetes.io/ttl": service.ttl }),
          "metallb.universe.tf/ip-allocated-from-pool": plan.pool.name,
        },
      },
      {
        spec: {
          type: "LoadBalancer",
          clusterIP: `172.20.0.${20 + number}`,
          clusterIPs: [`172.20.0.${20 + number}`],
          ipFamilies: ["IPv4"],
          externalTrafficPolicy: service.policy ?? "Cluster",
          allocateLoadBalancerNodePorts: true,
          ports: [
            {
              name: "http",
              port: service.port,
              protocol: "TCP",
              targetPort: 8080,
              nodePort: 30_000 + number,
            },
          ],
          selector: labels,
        },
        status: { loadBalancer: { ingress: [{ ip: service.ip, ipMode: "VIP" }] } },
      },
    ),
    object(
      "endpointslices",
      {
        name: `${name}-${(0x1a2b + number).toString(36)}`,
        namespace,
        labels: {
          "kubernetes.io/service-name": name,
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        },
      },
      {
        addressType: "IPv4",
        endpoints: pods.map((pod) => ({
          addresses: [pod.ip],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: pod.node,
          targetRef: { kind: "Pod", name: pod.name, namespace },
        })),
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      },
    ),
    ...pods.map((pod) =>
      object(
        "pods",
        { name: pod.name, namespace, labels },
        {
          spec: {
            nodeName: pod.node,
            containers: [
              {
                name: app,
                image: `docker.io/${app}/${app}:1`,
                ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
              },
            ],
          },
          status: running(pod.ip),
        },
      ),
    ),
  ];
}
