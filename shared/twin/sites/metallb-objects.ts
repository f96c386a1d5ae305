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
        spec: { replicas: 1, template: template("controller", controllerContainers) },
        status: { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
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
