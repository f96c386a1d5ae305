import type { NicSpec, NodeSpec } from "../site-spec.ts";
import type { NodePlan } from "./site-plan.ts";
import { created, object, type StoredObject } from "./stored-object.ts";

const prefixLength = (prefix: string): string => prefix.slice(prefix.indexOf("/") + 1);

/** `client` is where people and programs log in from. */
export function nodeMachine(
  plan: NodePlan,
  lanPrefix: string,
  routerIp: string,
  client: string | undefined,
): NodeSpec {
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
    ...(client === undefined ? {} : { env: { SSH_CONNECTION: `${client} 52144 ${plan.ip} 22` } }),
    ...(plan.arping === undefined ? {} : { arping: plan.arping }),
  };
}

/** The Node as kubelet and Calico keep it. */
export function nodeObject(plan: NodePlan, lanPrefix: string): StoredObject {
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
