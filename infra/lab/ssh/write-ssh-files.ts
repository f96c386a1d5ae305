import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SshEdge } from "./edge.ts";

export type SshFiles = Readonly<{ config: string; knownHosts: string; identity: string }>;

/**
 * Writes what a real `ssh -F DIR/ssh_config NODE` needs: config, pinned host keys, the client's key. Run it again after
 * a host key was changed on purpose, or leave it to see the change refused.
 */
export async function writeSshFiles(
  options: Readonly<{ dir: string; edge: Pick<SshEdge, "host" | "ports" | "hostKeys" | "clientKey"> }>,
): Promise<SshFiles> {
  const { dir, edge } = options;
  const files = {
    config: join(dir, "ssh_config"),
    knownHosts: join(dir, "known_hosts"),
    identity: join(dir, "id_ed25519"),
  };
  const knownHosts = [...edge.hostKeys].map(([machine, key]) => {
    const [type, blob] = key.public.split(" ");
    return `[${edge.host}]:${edge.ports.get(machine)} ${type} ${blob}`;
  });
  const hosts = [...edge.ports].map(([machine, port]) => `Host ${machine}\n  Port ${port}\n`);
  const config = `${hosts.join("\n")}
Host *
  HostName ${edge.host}
  User root
  IdentityFile "${files.identity}"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile "${files.knownHosts}"
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  UpdateHostKeys no
`;
  await mkdir(dir, { recursive: true });
  await writeFile(files.identity, edge.clientKey.private, { mode: 0o600 });
  // The mode above counts only for a new file.
  await chmod(files.identity, 0o600);
  await writeFile(`${files.identity}.pub`, `${edge.clientKey.public}\n`);
  await writeFile(files.knownHosts, `${knownHosts.join("\n")}\n`);
  await writeFile(files.config, config);
  return files;
}
