import { isWithin, labelsOf } from "../dns/fqdn.ts";

/** Whether a name of a certificate stands for a host. `*` matches exactly one label (RFC 6125, 6.4.3). */
export function coversHost(dnsName: string, host: string): boolean {
  if (dnsName === host) return true;
  if (!dnsName.startsWith("*.")) return false;
  const [, ...rest] = labelsOf(host);
  return rest.join(".") === dnsName.slice(2);
}

export const uncovered = (hosts: readonly string[], dnsNames: readonly string[]): readonly string[] =>
  hosts.filter((host) => !dnsNames.some((name) => coversHost(name, host)));

/**
 * Names a certificate needs so that every host is covered: a wildcard for each level that has hosts, and the domain
 * itself where it is one of them. A host that is a wildcard itself stays as it is.
 */
export function wildcardsFor(hosts: readonly string[], domain: string): readonly string[] {
  const names = hosts
    .filter((host) => isWithin(host, domain))
    .map((host) => {
      if (host === domain || host.startsWith("*.")) return host;
      return `*.${labelsOf(host).slice(1).join(".")}`;
    });
  return [...new Set(names)].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}
