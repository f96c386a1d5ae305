import { nicWith, wantedNics } from "../arp/wanted-nics.ts";
import { noNodeObject } from "../metallb/own-objects.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, passed, skipped, unknown } from "./check.ts";

const annotation = "projectcalico.org/IPv4Address";

export const calicoAddressNic = defineCheck({
  id: "calico-address-nic",
  about: "node",
  title: "Calico's address is on the LAN interface",
  codes: ["calico-address-nic", "calico-address-absent"],
  page: {
    why: `Calico routes between nodes over the address that it writes to \`${annotation}\` of each Node. It looks for that
address itself, again every 60 seconds, and by default takes the addressed interface with the highest index: with eth0 as
2 and wlan0 as 3, Wi-Fi wins. Traffic that kube-proxy hands to a pod of another node then crosses the radio, or is dropped
by reverse path filtering, although the announced address itself is answered by cable.`,
    looks: `An address answers ARP from the right interface, and connections to it are slow, stall under load or fail
when the pod runs on another node. \`kubectl get node -o yaml\` shows the wireless address in the annotation; calico-node
logs \`Using autodetected IPv4 address on interface wlan0\`.`,
    fix: `Set a method that cannot choose wrongly: \`IP_AUTODETECTION_METHOD=kubernetes-internal-ip\` where the InternalIP
is right, else \`skip-interface=^wl.*\` or \`interface=^eth0$\` (with the operator: \`nodeAddressAutodetectionV4\` of the
Installation). Rolling calico-node out sets NetworkUnavailable on each node in turn, which moves its announced addresses:
do it apart from any other change. To go back, restore the former value. Turning Wi-Fi off alone leaves the method as risky
as it was.`,
  },
  needs: ["ip-addr", "wireless-nics"],
  reads: ["nodes"],
  judge: ({ node, "ip-addr": nics, "wireless-nics": wireless }, { site, objects }) => {
    const object = objects.nodes.find(({ name }) => name === node);
    if (object === undefined) return unknown(noNodeObject(node));
    const address = object.annotations[annotation]?.split("/")[0];
    if (address === undefined) return skipped("the Node has no address of Calico");
    const nic = nicWith(nics, address);
    const wanted = wantedNics(node, nics, wireless, site);
    const names = wanted.map(({ name }) => name);
    const internal = object.addresses
      .filter(({ type }) => type === "InternalIP")
      .map((each) => nicWith(nics, each.address)?.name);
    const facts = { address, nic: nic?.name ?? null, lanNic: names, lanPrefix: site.lanPrefix };
    const remedy = text`Fix the autodetection method, not the annotation: ${code("/nodes explain calico-address-nic")}`;
    if (nic === undefined)
      return judged([
        found({
          code: "calico-address-absent",
          severity: "error",
          node,
          facts,
          text: text`Calico's address ${address} is on none of the node's interfaces`,
          remedy,
        }),
      ]);
    if (names.includes(nic.name)) return passed;
    if (wanted.length === 0) return skipped(`no interface of the node is in ${site.lanPrefix}`);
    // A cluster network of its own: kubelet and Calico agree on a wired interface outside the LAN.
    if (!wireless.includes(nic.name) && internal.includes(nic.name)) return passed;
    return judged([
      found({
        code: "calico-address-nic",
        severity: "error",
        node,
        nic: nic.name,
        facts,
        text: text`Calico chose ${nic.name} (${address}); the LAN interface is ${nameList(names)}`,
        remedy,
      }),
    ]);
  },
});
