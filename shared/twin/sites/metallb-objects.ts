import { atLeast } from "../../metallb/versions.ts";
import type { SitePlan } from "./site-plan.ts";
import { object, running, type StoredObject } from "./stored-object.ts";

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

const webhookService = "metallb-webhook-service";

/** What the API server asks before it takes an object of MetalLB's: names and paths as in the chart of 0.16.1. */
function webhookObjects(plan: SitePlan, controllerIp: string): readonly StoredObject[] {
  const { namespace, version } = plan.metallb;
  if (!atLeast(version, "0.13.0")) return [];
  const port = { protocol: "TCP", port: 443, targetPort: 9443 };
  const webhook = (singular: string, plural: string, operations: readonly string[], apiVersion: string) => ({
    name: `${singular}validationwebhook.metallb.io`,
    admissionReviewVersions: ["v1"],
    clientConfig: {
      caBundle: "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
      service: {
        name: webhookService,
        namespace,
        path: `/validate-metallb-io-${apiVersion}-${singular}`,
        port: 443,
      },
    },
    failurePolicy: "Fail",
    rules: [{ apiGroups: ["metallb.io"], apiVersions: [apiVersion], operations, resources: [plural] }],
    sideEffects: "None",
    timeoutSeconds: 10,
  });
  const written = ["CREATE", "UPDATE"];
  return [
    object(
      "services",
      { name: webhookService, namespace, labels: { "app.kubernetes.io/name": "metallb" } },
      {
        spec: {
          type: "ClusterIP",
          clusterIP: "172.20.0.9",
          clusterIPs: ["172.20.0.9"],
          ipFamilies: ["IPv4"],
          ports: [port],
          selector: { "app.kubernetes.io/name": "metallb", "app.kubernetes.io/component": "controller" },
        },
        status: { loadBalancer: {} },
      },
    ),
    object(
      "endpointslices",
      {
        name: `${webhookService}-4k9fz`,
        namespace,
        labels: {
          "kubernetes.io/service-name": webhookService,
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        },
      },
      {
        addressType: "IPv4",
        endpoints: [
          {
            addresses: [controllerIp],
            conditions: { ready: true, serving: true, terminating: false },
            nodeName: plan.nodes[plan.nodes.length - 1]?.name,
          },
        ],
        ports: [{ name: "", port: 9443, protocol: "TCP" }],
      },
    ),
    object(
      "validatingwebhookconfigurations",
      { name: "metallb-webhook-configuration" },
      {
        webhooks: [
          webhook("bgppeer", "bgppeers", written, "v1beta2"),
          webhook("bfdprofile", "bfdprofiles", ["CREATE", "DELETE"], "v1beta1"),
          webhook("bgpadvertisement", "bgpadvertisements", written, "v1beta1"),
          webhook("community", "communities", written, "v1beta1"),
          webhook("ipaddresspool", "ipaddresspools", written, "v1beta1"),
          webhook("l2advertisement", "l2advertisements", written, "v1beta1"),
        ],
      },
    ),
  ];
}

const controllerIp = "172.16.12.9";

/** MetalLB as its Helm chart installs it, and the pool. */
export function metallbObjects(plan: SitePlan): readonly StoredObject[] {
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
        spec: {
          replicas: 1,
          selector: { matchLabels: labels("controller") },
          template: template("controller", controllerContainers),
        },
        status: { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
      },
    ),
    object(
      "pods",
      { name: "metallb-controller-5f9bb77dcf-x7wq2", namespace, labels: labels("controller") },
      {
        spec: { nodeName: plan.nodes[plan.nodes.length - 1]?.name, containers: controllerContainers },
        status: running(controllerIp),
      },
    ),
    ...webhookObjects(plan, controllerIp),
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
