import ipaddr from "ipaddr.js";

/** What dnsmasq takes for private when it stops rebinding (rfc1035.c private_net), the documentation ranges included. */
const filtered = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "192.0.2.0/24",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "255.255.255.255/32",
  "fe80::/10",
  "fd00::/8",
  "2001:db8::/32",
].map((prefix) => ipaddr.parseCIDR(prefix));

/** An address that resolvers with a rebinding filter take out of answers. */
export function isFiltered(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return filtered.some(
    ([network, bits]) => network.kind() === address.kind() && address.match([network, bits] as never),
  );
}
