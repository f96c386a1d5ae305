import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SshEdge, startSshEdge } from "#infra/lab/ssh/edge.ts";
import { type SshFiles, writeSshFiles } from "#infra/lab/ssh/write-ssh-files.ts";
import { createSshShell, type SshShellOptions } from "#shared/adapters/ssh.ts";
import { systemClock } from "#shared/adapters/system-clock.ts";
import type { SshAccess } from "#shared/site/site.ts";
import { fakePrograms } from "#test/infra/lab/ssh/fake-programs.ts";

/** The lab's SSH edge with fake programs, its files in a directory of their own, and the adapter pointed at it. */
export async function startSshLab(names: readonly string[]) {
  const programs = fakePrograms();
  const edge: SshEdge = await startSshEdge({
    machines: names.map((name) => ({ name })),
    run: programs.run,
    host: "127.0.0.1",
  });
  const dir = await mkdtemp(join(tmpdir(), "arpeggio-ssh-"));
  const files: SshFiles = await writeSshFiles({ dir, edge });
  const access = (name: string): SshAccess | undefined => {
    const port = edge.ports.get(name);
    if (port === undefined) return undefined;
    return {
      host: edge.host,
      port,
      user: "root",
      identityFile: files.identity,
      knownHostsFile: files.knownHosts,
      sudo: false,
    };
  };
  const closers: (() => void)[] = [];
  const connect = (options: Partial<SshShellOptions> = {}) => {
    const ssh = createSshShell({
      access: (target) => access(target.name),
      connectTimeoutMs: 10_000,
      maxConcurrent: 40,
      clock: systemClock,
      ...options,
    });
    closers.push(ssh.close);
    return ssh;
  };
  return {
    edge,
    dir,
    files,
    programs,
    access,
    connect,
    close: async () => {
      for (const close of closers) close();
      await edge.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
