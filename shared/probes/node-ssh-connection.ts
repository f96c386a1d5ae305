import { expectSuccess, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import { wholeLines } from "./whole-lines.ts";

/** The two ends of the SSH connection as the node's sshd saw them. */
export type SshEnds = Readonly<{ client: string; clientPort: number; server: string; serverPort: number }>;

/** sshd sets `SSH_CONNECTION` to client address, client port, server address, server port. */
export const nodeSshConnection: Probe<readonly [], SshEnds> = {
  id: "ssh-connection",
  tool: "printenv",
  about: "the address of the node that our SSH connection arrived at",
  sample: [],
  argv: () => ({ argv: ["printenv", "SSH_CONNECTION"], privileged: false, timeoutMs: 5_000 }),
  read: (output) => {
    if (output.exitCode === 1 && output.stdout.trim() === "" && output.stderr.trim() === "")
      throw unreadable("SSH_CONNECTION", "sshd on the node does not set it");
    expectSuccess(output, "printenv");
    const [client, clientPort, server, serverPort, ...more] = (
      wholeLines(output, "SSH_CONNECTION")[0] ?? ""
    ).split(" ");
    const port = (text: string | undefined): number =>
      /^\d{1,5}$/.test(text ?? "") ? Number(text) : Number.NaN;
    if (
      !client ||
      !server ||
      more.length > 0 ||
      Number.isNaN(port(clientPort)) ||
      Number.isNaN(port(serverPort))
    )
      throw unreadable("SSH_CONNECTION", `not two addresses and ports: ${firstLine(output.stdout)}`);
    return { client, clientPort: port(clientPort), server, serverPort: port(serverPort) };
  },
};
