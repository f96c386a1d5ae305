import { ownObjects } from "../metallb/own-objects.ts";
import { serviceKey } from "../metallb/resources.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, passed } from "./check.ts";

// Labels of the DaemonSets that k3s' ServiceLB makes, one a Service.
const ofService = "svccontroller.k3s.cattle.io/svcname";
const ofNamespace = "svccontroller.k3s.cattle.io/svcnamespace";

export const k3sServicelb = defineCheck({
  id: "k3s-servicelb",
  about: "cluster",
  title: "k3s' own load balancer does not serve the Services that MetalLB does",
  codes: ["k3s-servicelb"],
  page: {
    why: `k3s brings a load balancer of its own, ServiceLB (once Klipper). For every Service of type LoadBalancer it starts
a DaemonSet \`svclb-...\` that takes the Service's ports on every node, and writes the nodes' addresses into the Service's
status. MetalLB writes its own address there. Both go on correcting each other.`,
    looks: `EXTERNAL-IP of a Service changes back and forth between an address of the pool and those of nodes. Events repeat
\`IPAllocated\` and \`nodeAssigned\`. DNS records that follow the status flap along. svclb Pods are Pending where another
Service has the port.`,
    fix: `Start every k3s server with \`--disable=servicelb\` (or \`disable: [servicelb]\` in its config file), one after the
other; the DaemonSets go by themselves. From then on node addresses no longer answer on the Services' ports: see first
whether anybody uses those. To keep both, set a \`loadBalancerClass\` for MetalLB and on its Services. Taking the option out
is the way back.`,
  },
  needs: [],
  reads: ["pods", "daemonsets", "services", "ipaddresspools"],
  judge: (_, { cluster, objects }) => {
    const { speakers } = ownObjects(objects);
    const ours = objects.services.filter(
      ({ type, loadBalancerClass }) =>
        type === "LoadBalancer" && (loadBalancerClass ?? "") === (speakers.loadBalancerClass ?? ""),
    );
    const taken = objects.daemonSets.flatMap((daemonSet) => {
      const labels = { ...daemonSet.podLabels, ...daemonSet.labels };
      const name = labels[ofService];
      if (name === undefined) return [];
      const namespace = labels[ofNamespace];
      return ours.filter(
        (service) => service.name === name && (namespace === undefined || service.namespace === namespace),
      );
    });
    if (taken.length === 0) return passed;
    const names = [...new Set(taken.map(serviceKey))].sort();
    return judged([
      {
        code: "k3s-servicelb",
        severity: "error",
        subject: { kind: "cluster", name: cluster },
        facts: { services: names },
        text: text`k3s' ServiceLB serves ${nameList(names)} as well: it and MetalLB overwrite each other's status`,
        remedy: text`Start k3s servers with ${code("--disable=servicelb")} once nobody uses node addresses for these ports`,
      },
    ]);
  },
});
