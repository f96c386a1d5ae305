import { code, text } from "../text.ts";
import { defineCheck, found, judged, unknown } from "./check.ts";

export const hostKeyChanged = defineCheck({
  id: "host-key-changed",
  about: "node",
  title: "The node shows the SSH host key that was pinned",
  codes: ["host-key-changed"],
  page: {
    why: `Arpeggio talks to a node only over the host key that somebody pinned. Another key means that the machine was
imaged anew, that the address now belongs to another machine, or that somebody sits in between. All three matter, and
none of them is a reason to type "yes".`,
    looks: `Every other check of the node is unknown. \`ssh\` refuses with "REMOTE HOST IDENTIFICATION HAS CHANGED".
After an address conflict or a reused DHCP lease it comes and goes.`,
    fix: `Compare the key over a way that cannot be forged: the console of the node, or the machine that imaged it
(\`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\`). If it is right, replace the line in the known_hosts file that
the config names; keep the old line until then, it is the way back. If it is not, find out whose machine answers there.`,
  },
  needs: [],
  reads: [],
  judge: ({ node, unreached }) => {
    if (unreached === undefined) return judged([]);
    if (unreached.kind !== "host-key-changed") return unknown(unreached);
    return judged([
      found({
        code: "host-key-changed",
        severity: "error",
        node,
        facts: { detail: unreached.detail },
        text: text`another SSH host key than the pinned one: ${unreached.detail}`,
        remedy: text`Compare it on the node's console: ${code("/nodes explain host-key-changed")}`,
      }),
    ]);
  },
});
