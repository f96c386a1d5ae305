import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped } from "./check.ts";

export const sshOverWifi = defineCheck({
  id: "ssh-over-wifi",
  about: "node",
  title: "SSH arrives over a wired interface",
  codes: ["ssh-over-wifi"],
  page: {
    why: `Whoever turns Wi-Fi off on a node that is reached over Wi-Fi saws off the branch they sit on: the session
dies with the command, and nobody is left to undo it. It also says that a name or an inventory holds the wireless address
of the node.`,
    looks: `\`SSH_CONNECTION\` on the node ends with the address of a wireless interface. Playbooks that turn Wi-Fi
off hang on this node and leave it unreachable.`,
    fix: `Reach the node by its wired address: correct the inventory, the DNS name or \`nodes.list\` of the config, and
log in anew. Only then turn Wi-Fi off. Nothing on the node itself has to change, so there is nothing to take back.`,
  },
  common: "are reached over Wi-Fi",
  needs: ["ip-addr", "wireless-nics", "ssh-connection"],
  reads: [],
  judge: ({ node, "ip-addr": nics, "wireless-nics": wireless, "ssh-connection": { server, client } }) => {
    const at = nics.find(({ addresses }) => addresses.some(({ address }) => address === server));
    if (at === undefined)
      return skipped(`SSH arrives at ${server}, which is on no interface (translated on its way)`);
    if (at.linkType === "loopback")
      return skipped("SSH arrives over loopback: through a tunnel, or from the node itself");
    if (!wireless.includes(at.name)) return judged([]);
    return judged([
      found({
        code: "ssh-over-wifi",
        severity: "warning",
        node,
        nic: at.name,
        facts: { server, client, nic: at.name },
        text: text`our SSH session arrives over Wi-Fi: ${server} on ${at.name}`,
        remedy: text`Reach the node by its wired address first: ${code("/nodes explain ssh-over-wifi")}`,
      }),
    ]);
  },
});
