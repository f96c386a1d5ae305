import { type Cidr, contains, parseAddresses, parseIp } from "../metallb/ip.ts";

/**
 * Addresses that resolvers with protection against DNS rebinding take out of answers from outside: dnsmasq's list, the
 * documentation ranges included (rfc1035.c, private_net and private_net6; 100.64/10 in its newer versions).
 */
const ranges: readonly Cidr[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "192.0.2.0/24",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "255.255.255.255/32",
  "fd00::/8",
  "fe80::/10",
  "2001:db8::/32",
].flatMap((range) => {
  const read = parseAddresses(range);
  return "error" in read ? [] : read;
});

export function isPrivateAddress(text: string): boolean {
  const ip = parseIp(text);
  return ip !== undefined && ranges.some((range) => contains(range, ip));
}
