/** A model reads the same few hundred addresses again and again, for every packet. */
function remembered<T>(read: (value: string) => T, most = 4_096): (value: string) => T {
  const known = new Map<string, T>();
  return (value) => {
    const found = known.get(value);
    if (found !== undefined) return found;
    const made = read(value);
    if (known.size >= most) known.clear();
    known.set(value, made);
    return made;
  };
}

/** IPv4 text to an unsigned number, or undefined for anything else. */
export const parseIpv4 = remembered((value): number | undefined => {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(value);
  if (match === null) return undefined;
  const octets = match.slice(1).map(Number);
  if (octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
});

export const formatIpv4 = (value: number): string =>
  [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");

export type Prefix = Readonly<{ address: number; length: number }>;

/** `10.4.0.5/20`; a bare address counts as /32. Undefined for IPv6 and nonsense. */
export const parsePrefix = remembered((value): Prefix | undefined => {
  const [host, bits = "32"] = value.split("/");
  const address = parseIpv4(host ?? "");
  const length = Number(bits);
  if (address === undefined || !Number.isInteger(length) || length < 0 || length > 32) return undefined;
  return { address, length };
});

const mask = (length: number): number => (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);

export const networkOf = ({ address, length }: Prefix): number => (address & mask(length)) >>> 0;

export const broadcastOf = ({ address, length }: Prefix): number => (address | ~mask(length)) >>> 0;

export const contains = (prefix: Prefix, address: number): boolean =>
  networkOf(prefix) === networkOf({ address, length: prefix.length });
