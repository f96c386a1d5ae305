import type { Obstacle } from "../checks/fix.ts";
import type { Fault } from "../fault.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { parseIp } from "../metallb/ip.ts";
import type { Nic } from "../probes/ip-addr.ts";
import type { KernelRoute } from "../probes/node-routes.ts";
import type { SshEnds } from "../probes/node-ssh-connection.ts";
import type { Site } from "../site/site.ts";
import { code, text } from "../text.ts";
import { homesIn } from "./dual-homed.ts";

export type GuardEvidence = Readonly<{
  node: string;
  nics: readonly Nic[];
  wireless: readonly string[];
  routes: readonly KernelRoute[];
  ssh: SshEnds;
  site: Site;
  nodes: readonly KubeObject[];
  pods: readonly KubeObject[];
  endpointSlices: readonly KubeObject[];
}>;

/** Annotations by which programs pin a node to one of its addresses. */
const pins: Readonly<Record<string, string>> = {
  "projectcalico.org/IPv4Address": "Calico's address",
  "projectcalico.org/IPv6Address": "Calico's address",
  "flannel.alpha.coreos.com/public-ip": "flannel's address",
  "k3s.io/internal-ip": "the address that k3s registered",
  "etcd.k3s.cattle.io/node-address": "the etcd address of k3s",
  "alpha.kubernetes.io/provided-node-ip": "the kubelet's --node-ip",
};

const first: Readonly<Record<string, string>> = {
  "projectcalico.org/IPv4Address": "calico-address-nic",
  "projectcalico.org/IPv6Address": "calico-address-nic",
};

const sameIp = (a: string, b: string): boolean => {
  const [one, other] = [parseIp(a), parseIp(b)];
  return one !== undefined && one.text === other?.text;
};

const has = (nic: Nic, address: string): boolean =>
  nic.addresses.some((each) => sameIp(each.address, address.split("/")[0] ?? ""));

function statusAddresses(node: KubeObject): readonly string[] {
  const { addresses } = (node.status ?? {}) as { addresses?: readonly { type?: string; address?: string }[] };
  return (addresses ?? []).flatMap(({ type, address }) =>
    type === "InternalIP" && address !== undefined ? [address] : [],
  );
}

/** Addresses of API servers, as the Service `default/kubernetes` has them. */
const apiServers = (slices: readonly KubeObject[]): readonly string[] =>
  slices
    .filter(
      ({ metadata: { namespace, labels } }) =>
        namespace === "default" && labels?.["kubernetes.io/service-name"] === "kubernetes",
    )
    .flatMap(({ endpoints }) =>
      ((endpoints ?? []) as readonly { addresses?: readonly string[] }[]).flatMap(
        ({ addresses }) => addresses ?? [],
      ),
    );

type Container = Readonly<{
  command?: readonly string[];
  args?: readonly string[];
  env?: readonly Readonly<{ value?: string }>[];
}>;

/** Words of a pod's containers and annotations that may hold a URL: those of etcd and API servers name addresses. */
function podWords({ metadata, spec }: KubeObject): readonly string[] {
  const { containers } = (spec ?? {}) as { containers?: readonly Container[] };
  return [
    ...Object.values(metadata.annotations ?? {}),
    ...(containers ?? []).flatMap(({ command, args, env }) => [
      ...(command ?? []),
      ...(args ?? []),
      ...(env ?? []).flatMap(({ value }) => value ?? []),
    ]),
  ];
}

/** The address in a URL, or as the whole value of a flag such as `--advertise-address=`. */
function namesAddress(word: string, address: string): boolean {
  const plain = address.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?://\\[?|=)${plain}(?:\\]?[:/,]|$)`).test(word);
}

/**
 * Everything known that would be cut off if an interface went down: the node's InternalIP, addresses that network
 * plugins pinned, the default route, the SSH session, URLs of etcd and API servers; and no working cable to fall back
 * on. A fault where one of these could not be seen, because then nobody knows.
 */
export function disableObstacles(nic: Nic, evidence: GuardEvidence): readonly Obstacle[] | Fault {
  const { node, nics, wireless, routes, ssh, site } = evidence;
  const object = evidence.nodes.find(({ metadata }) => metadata.name === node);
  if (object === undefined)
    return {
      kind: "not-configured",
      what: `Node ${node}`,
      detail: "the API server lists no node of that name",
    };
  const arrives = nics.find((each) => has(each, ssh.server));
  if (arrives === undefined || arrives.linkType === "loopback")
    return {
      kind: "unreadable",
      what: "our SSH session",
      detail: `it arrives at ${ssh.server}, which does not tell by which interface it comes`,
    };
  const out: Obstacle[] = [];
  const cable = homesIn(nics, site).filter(({ name }) => name !== nic.name && !wireless.includes(name));
  const [other] = cable;
  if (other === undefined)
    out.push({
      what: text`no wired interface that is up, plugged in and addressed in ${site.lanPrefix} would be left`,
      first: text`bring the cable up first: ${code("/nodes explain lan-nic")}`,
    });
  const to = other?.name ?? "the wired interface";
  for (const address of statusAddresses(object))
    if (has(nic, address))
      out.push({
        what: text`InternalIP ${address} is on ${nic.name}`,
        first: text`start the kubelet with ${code("--node-ip")} of ${to} first: ${code("/nodes explain internal-ip-nic")}`,
      });
  for (const [annotation, words] of Object.entries(pins)) {
    const address = object.metadata.annotations?.[annotation];
    if (address === undefined || !has(nic, address)) continue;
    const page = first[annotation];
    out.push({
      what: text`${words} ${address.split("/")[0] ?? ""} is on ${nic.name} (${annotation})`,
      first:
        page === undefined
          ? text`move it to ${to} first`
          : text`make it choose ${to} first: ${code(`/nodes explain ${page}`)}`,
    });
  }
  for (const family of [4, 6] as const) {
    const defaults = routes.filter(
      (route) =>
        route.dst === "default" && route.family === family && route.table === "main" && !route.linkDown,
    );
    const least = Math.min(...defaults.map(({ metric }) => metric));
    if (defaults.some((route) => route.metric === least && route.nic === nic.name))
      out.push({
        what: text`the default route${family === 6 ? " for IPv6" : ""} leaves by ${nic.name}`,
        first: text`give ${to} the lower metric first: ${code("/nodes explain default-route-nic")}`,
      });
  }
  if (arrives.name === nic.name)
    out.push({
      what: text`our SSH session arrives at ${ssh.server} on ${nic.name}`,
      first: text`reach the node by its wired address first: ${code("/nodes explain ssh-over-wifi")}`,
    });
  for (const { address } of nic.addresses) {
    if (apiServers(evidence.endpointSlices).some((each) => sameIp(each, address)))
      out.push({
        what: text`the API server is published at ${address} (Service default/kubernetes)`,
        first: text`set ${code("--advertise-address")} of kube-apiserver to an address of ${to} first`,
      });
    const pod = evidence.pods.find((each) => podWords(each).some((word) => namesAddress(word, address)));
    if (pod !== undefined)
      out.push({
        what: text`pod ${pod.metadata.namespace ?? "default"}/${pod.metadata.name} names ${address} in a URL or flag`,
        first: text`move that URL to an address of ${to} first`,
      });
  }
  return out;
}
