import type { LabDns, LabNameServer } from "./start.ts";

const kinds: Readonly<Record<LabNameServer["kind"], string>> = {
  resolver: "resolver",
  zone: "name server",
  parent: "registry",
};

/** What `.lab/dns-servers` says: where each server of the model listens. */
export const dnsServersText = ({ servers, port }: LabDns): string =>
  servers.length === 0
    ? "# nothing listens: this machine has no addresses in 127.53.0.0/16\n"
    : [
        `# all on port ${port}: dig -p ${port} @ADDRESS NAME`,
        ...servers.map(
          ({ listens, ip, kind, name }) =>
            `${listens.padEnd(16)} is ${ip.padEnd(16)} ${kinds[kind].padEnd(12)} ${name}`,
        ),
        "",
      ].join("\n");

/** For `.lab/env`: the port, and a server of each kind to begin with. */
export function dnsEnv({ servers, port }: LabDns): Readonly<Record<string, string>> {
  if (servers.length === 0) return {};
  const site = servers.find(({ kind, ip }) => kind === "resolver" && ip.startsWith("10."));
  const outside = servers.find(({ kind, ip }) => kind === "resolver" && !ip.startsWith("10."));
  return {
    LAB_DNS_PORT: String(port),
    ...(site && { LAB_DNS_SITE: site.listens }),
    ...(outside && { LAB_DNS_PUBLIC: outside.listens }),
  };
}
