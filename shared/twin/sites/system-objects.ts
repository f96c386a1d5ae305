import type { SitePlan } from "./site-plan.ts";
import { object, running, type StoredObject } from "./stored-object.ts";

/** kube-proxy's configuration, Calico and ExternalDNS. */
export function systemObjects(plan: SitePlan): readonly StoredObject[] {
  const calico = [
    {
      name: "calico-node",
      image: "docker.io/calico/node:v3.29.3",
      env: [
        { name: "DATASTORE_TYPE", value: "kubernetes" },
        { name: "IP", value: "autodetect" },
        { name: "CALICO_IPV4POOL_IPIP", value: "Always" },
        { name: "NODENAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      ],
    },
  ];
  const { mode, strictArp } = plan.kubeProxy;
  const externalDns = [
    {
      name: "external-dns",
      image: `images.goldentooth.net/external-dns/external-dns:v${plan.externalDns.version}`,
      args: [
        "--log-level=info",
        "--log-format=text",
        "--interval=1m",
        "--source=service",
        `--policy=${plan.externalDns.policy}`,
        "--registry=txt",
        "--txt-owner-id=default",
        ...plan.externalDns.domains.map((domain) => `--domain-filter=${domain}`),
        "--provider=aws",
        "--aws-zone-type=public",
      ],
    },
  ];
  const externalDnsLabels = { "app.kubernetes.io/name": "external-dns" };
  return [
    object(
      "configmaps",
      { name: "kube-proxy", namespace: "kube-system", labels: { app: "kube-proxy" } },
      {
        data: {
          "config.conf":
            "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nclusterCIDR: 172.16.0.0/20\n" +
            `ipvs:\n  strictARP: ${strictArp}\nmode: "${mode}"\n`,
        },
      },
    ),
    object(
      "daemonsets",
      { name: "calico-node", namespace: "kube-system", labels: { "k8s-app": "calico-node" } },
      {
        spec: {
          selector: { matchLabels: { "k8s-app": "calico-node" } },
          template: { metadata: { labels: { "k8s-app": "calico-node" } }, spec: { containers: calico } },
        },
        status: { desiredNumberScheduled: plan.nodes.length, numberReady: plan.nodes.length },
      },
    ),
    ...plan.nodes.map((node, i) =>
      object(
        "pods",
        {
          name: `calico-node-${(0x4c9a1 + i * 7919).toString(36)}`,
          namespace: "kube-system",
          labels: { "k8s-app": "calico-node" },
        },
        { spec: { nodeName: node.name, containers: calico }, status: running(node.ip) },
      ),
    ),
    object(
      "deployments",
      { name: "external-dns", namespace: "external-dns", labels: externalDnsLabels },
      {
        spec: {
          replicas: 1,
          selector: { matchLabels: externalDnsLabels },
          template: { metadata: { labels: externalDnsLabels }, spec: { containers: externalDns } },
        },
        status: { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
      },
    ),
    object(
      "pods",
      { name: "external-dns-6f9c7d54b8-q7xkz", namespace: "external-dns", labels: externalDnsLabels },
      {
        spec: { nodeName: plan.nodes.at(-1)?.name, containers: externalDns },
        status: running("172.16.14.9"),
      },
    ),
  ];
}
