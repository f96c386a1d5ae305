import type { ResourceKind } from "../../kubernetes/kinds.ts";
import { resourceKinds } from "../../kubernetes/kinds.ts";
import type { KubeObject } from "../../kubernetes/read.ts";
import type { MetalLbSpec, NicSpec, NodeSpec, RouterSpec, SiteSpec, VantageSpec } from "../site-spec.ts";

export type StoredObject = SiteSpec["objects"][number];

/** When the sites' objects were made: long before anybody looks. */
const created = "2025-03-02T18:20:11Z";

/** An object with apiVersion and kind as the API gives them. */
export function object(
  kind: ResourceKind,
  metadata: KubeObject["metadata"],
  rest: Readonly<Record<string, unknown>> = {},
): StoredObject {
  const { group, version, kind: name } = resourceKinds[kind];
  return {
    kind,
    object: {
      apiVersion: group === "" ? version : `${group}/${version}`,
      kind: name,
      metadata: { creationTimestamp: created, ...metadata },
      ...rest,
    },
  };
}

/** A node of a site: its machine and its Node object come from the same words. */
export type NodePlan = Readonly<{
  name: string;
  /** InternalIP, on eth0. */
  ip: string;
  mac: string;
  controlPlane?: boolean;
  /** Wi-Fi that is up and addressed in the same segment. */
  wlan?: Readonly<{ ip: string; mac: string }>;
  /** The address Calico chose; default: eth0's. */
  calicoIp?: string;
  /** The Wi-Fi chip is there but down, as on every other Raspberry Pi. */
  idleWlanMac?: string;
  labels?: Readonly<Record<string, string>>;
  sysctls?: Readonly<Record<string, string>>;
  arping?: "iputils" | "habets";
}>;

export type LoadBalancerPlan = Readonly<{
  name: string;
  namespace: string;
  ip: string;
  port: number;
  /** Names of the nodes that run a pod of it. */
  on: readonly string[];
  policy?: "Cluster" | "Local";
  hostname?: string;
  ttl?: string;
  app?: string;
}>;

export type SitePlan = Readonly<{
  name: string;
  lanPrefix: string;
  routerIp: string;
  nodes: readonly NodePlan[];
  services: readonly LoadBalancerPlan[];
  vantages: readonly VantageSpec[];
  router: RouterSpec;
  metallb: MetalLbSpec;
  pool: Readonly<{ name: string; addresses: readonly string[] }>;
  frr: boolean;
  kubeProxy: Readonly<{ mode: "iptables" | "ipvs"; strictArp: boolean }>;
  externalDns: Readonly<{ version: string; domains: readonly string[]; policy: string }>;
  /** Advertisements, peers and whatever else belongs to this site alone. */
  extra: readonly StoredObject[];
  unusedAddress: string;
}>;

const prefixLength = (prefix: string): string => prefix.slice(prefix.indexOf("/") + 1);

export function nodeMachine(plan: NodePlan, lanPrefix: string, routerIp: string): NodeSpec {
  const length = prefixLength(lanPrefix);
  const nics: NicSpec[] = [{ name: "eth0", mac: plan.mac, addresses: [`${plan.ip}/${length}`] }];
  if (plan.wlan !== undefined)
    nics.push({
      name: "wlan0",
      mac: plan.wlan.mac,
      addresses: [`${plan.wlan.ip}/${length}`],
      wireless: true,
      metric: 600,
    });
  else if (plan.idleWlanMac !== undefined)
    nics.push({ name: "wlan0", mac: plan.idleWlanMac, addresses: [], wireless: true, up: false });
  return {
    name: plan.name,
    nics,
    routes: [{ dst: "default", gateway: routerIp, dev: "eth0" }],
    sysctls: { "net.ipv4.ip_forward": "1", ...plan.sysctls },
    ...(plan.arping === undefined ? {} : { arping: plan.arping }),
  };
}

function nodeObject(plan: NodePlan, lanPrefix: string): StoredObject {
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: created,
    lastTransitionTime: created,
  });
  return object(
    "nodes",
    {
      name: plan.name,
      labels: {
        "beta.kubernetes.io/arch": "arm64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "arm64",
        "kubernetes.io/hostname": plan.name,
        "kubernetes.io/os": "linux",
        ...(plan.controlPlane === true ? { "node-role.kubernetes.io/control-plane": "" } : {}),
        ...plan.labels,
      },
      annotations: {
        "node.alpha.kubernetes.io/ttl": "0",
        "projectcalico.org/IPv4Address": `${plan.calicoIp ?? plan.ip}/${prefixLength(lanPrefix)}`,
        "projectcalico.org/IPv4IPIPTunnelAddr": "172.16.0.1",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
      },
    },
    {
      spec:
        plan.controlPlane === true
          ? { taints: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }] }
          : {},
      status: {
        addresses: [
          { type: "InternalIP", address: plan.ip },
          { type: "Hostname", address: plan.name },
        ],
        conditions: [
          condition("NetworkUnavailable", "False", "CalicoIsUp", "Calico is running on this node"),
          condition(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
          ),
          condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
          condition(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
          ),
          condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
        nodeInfo: {
          architecture: "arm64",
          kernelVersion: "6.1.0-rpi8-rpi-v8",
          kubeletVersion: "v1.32.5",
          osImage: "Debian GNU/Linux 12 (bookworm)",
          operatingSystem: "linux",
          containerRuntimeVersion: "containerd://1.7.27",
        },
      },
    },
  );
}

const running = (ip: string | undefined) => ({
  phase: "Running",
  podIP: ip,
  conditions: [
    { type: "Initialized", status: "True" },
    { type: "Ready", status: "True" },
    { type: "ContainersReady", status: "True" },
    { type: "PodScheduled", status: "True" },
  ],
});

const podIp = (nodeIndex: number, number: number): string => `172.16.${nodeIndex}.${10 + number}`;

function serviceObjects(plan: SitePlan, service: LoadBalancerPlan, number: number): readonly StoredObject[] {
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
          spec: { nodeName: pod.node, containers: [{ name: app, image: `docker.io/${app}/${app}:1` }] },
          status: running(pod.ip),
        },
      ),
    ),
  ];
}

const speakerEnv = (memberlist: boolean) => [
  { name: "METALLB_NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
  { name: "METALLB_HOST", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
  ...(memberlist
    ? [
        { name: "METALLB_ML_BIND_ADDR", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        {
          name: "METALLB_ML_LABELS",
          value: "app.kubernetes.io/name=metallb,app.kubernetes.io/component=speaker",
        },
        { name: "METALLB_ML_BIND_PORT", value: "7946" },
        { name: "METALLB_ML_SECRET_KEY_PATH", value: "/etc/ml_secret_key" },
      ]
    : []),
];

function metallbObjects(plan: SitePlan): readonly StoredObject[] {
  const { namespace, version, memberlist, ignoreExcludeLabel } = plan.metallb;
  const image = `quay.io/metallb/speaker:v${version}`;
  const labels = (component: string) => ({
    "app.kubernetes.io/name": "metallb",
    "app.kubernetes.io/instance": "metallb",
    "app.kubernetes.io/component": component,
    "app.kubernetes.io/version": `v${version}`,
  });
  const speakerContainers = [
    {
      name: "speaker",
      image,
      args: [
        plan.frr ? "--port=7472" : "--port=9120",
        "--log-level=info",
        ...(ignoreExcludeLabel ? ["--ignore-exclude-lb"] : []),
      ],
      env: [
        ...speakerEnv(memberlist),
        ...(plan.frr ? [{ name: "FRR_CONFIG_FILE", value: "/etc/frr_reloader/frr.conf" }] : []),
        { name: "METALLB_BGP_TYPE", value: plan.frr ? "frr" : "native" },
      ],
    },
    ...(plan.frr
      ? ["frr", "reloader", "frr-metrics"].map((name) => ({ name, image: "quay.io/frrouting/frr:9.1.0" }))
      : []),
  ];
  const template = (component: string, containers: readonly unknown[]) => ({
    metadata: { labels: labels(component) },
    spec: { containers },
  });
  const controllerContainers = [
    {
      name: "controller",
      image: `quay.io/metallb/controller:v${version}`,
      args: ["--port=7472", "--log-level=info"],
    },
  ];
  return [
    object(
      "ipaddresspools",
      { name: plan.pool.name, namespace },
      {
        spec: { addresses: plan.pool.addresses, autoAssign: true, avoidBuggyIPs: false },
      },
    ),
    object(
      "daemonsets",
      { name: "metallb-speaker", namespace, labels: labels("speaker") },
      {
        spec: {
          selector: { matchLabels: labels("speaker") },
          template: template("speaker", speakerContainers),
        },
        status: {
          desiredNumberScheduled: plan.nodes.length,
          currentNumberScheduled: plan.nodes.length,
          numberReady: plan.nodes.length,
        },
      },
    ),
    object(
      "deployments",
      { name: "metallb-controller", namespace, labels: labels("controller") },
      {
        spec: { replicas: 1, template: template("controller", controllerContainers) },
        status: { replicas: 1, readyReplicas: 1 },
      },
    ),
    object(
      "pods",
      { name: "metallb-controller-5f9bb77dcf-x7wq2", namespace, labels: labels("controller") },
      {
        spec: { nodeName: plan.nodes[plan.nodes.length - 1]?.name, containers: controllerContainers },
        status: running("172.16.12.9"),
      },
    ),
    ...plan.nodes.map((node, i) =>
      object(
        "pods",
        {
          name: `metallb-speaker-${["bd4vk", "c8n2p", "d5xqz", "f7rtl", "g9wms", "h2jbc", "j6zkd", "k4pvf", "l8qng", "m3cxh", "n5dtj", "p7fwk", "q9gzl"][i] ?? `s${i}mtx`}`,
          namespace,
          labels: labels("speaker"),
        },
        { spec: { nodeName: node.name, containers: speakerContainers }, status: running(node.ip) },
      ),
    ),
    object(
      "configmaps",
      { name: "metallb-excludel2", namespace },
      {
        data: {
          "excludel2.yaml":
            "announcedInterfacesToExclude:\n" +
            "- ^docker.*\n- ^cbr.*\n- ^dummy.*\n- ^virbr.*\n- ^lxcbr.*\n- ^veth.*\n- ^lo$\n- ^cali.*\n- ^tunl.*\n" +
            "- ^flannel.*\n- ^kube-ipvs.*\n- ^cni.*\n- ^nodelocaldns.*\n- ^lxc.*\n",
        },
      },
    ),
  ];
}

function systemObjects(plan: SitePlan): readonly StoredObject[] {
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
      image: `registry.k8s.io/external-dns/external-dns:v${plan.externalDns.version}`,
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
        status: { replicas: 1, readyReplicas: 1 },
      },
    ),
  ];
}

/** A site from its plan: machines and objects that agree with each other. */
export function buildSite(plan: SitePlan): SiteSpec {
  const namespaces = new Set([
    "default",
    "kube-system",
    "external-dns",
    plan.metallb.namespace,
    ...plan.services.map(({ namespace }) => namespace),
  ]);
  return {
    name: plan.name,
    lanPrefix: plan.lanPrefix,
    nodes: plan.nodes.map((node) => nodeMachine(node, plan.lanPrefix, plan.routerIp)),
    vantages: plan.vantages,
    router: plan.router,
    metallb: plan.metallb,
    unusedAddress: plan.unusedAddress,
    objects: [
      ...[...namespaces].map((name) =>
        object(
          "namespaces",
          { name, labels: { "kubernetes.io/metadata.name": name } },
          { status: { phase: "Active" } },
        ),
      ),
      ...plan.nodes.map((node) => nodeObject(node, plan.lanPrefix)),
      ...metallbObjects(plan),
      ...systemObjects(plan),
      ...plan.services.flatMap((service, i) => serviceObjects(plan, service, i)),
      ...plan.extra,
    ],
  };
}
