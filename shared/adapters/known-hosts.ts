import { createHash, createHmac } from "node:crypto";

/** A public key as SSH carries it: `blob` starts with the length-prefixed key type. */
export type HostKey = Readonly<{ type: string; blob: Buffer }>;

export type KnownHostsLine = Readonly<{
  marker: "none" | "revoked" | "cert-authority";
  /** The name field: comma-separated patterns, or one hashed name (`|1|salt|hash`). */
  names: string;
  key: HostKey;
  line: number;
}>;

export type KnownHosts = Readonly<{
  lines: readonly KnownHostsLine[];
  /** Lines that cannot be read, as "line 3: ...". OpenSSH skips them in silence; we say so when a host is not found. */
  problems: readonly string[];
}>;

/** What a file says about one host. */
export type Pins = Readonly<{
  keys: readonly HostKey[];
  revoked: readonly HostKey[];
  /** Lines that trust a certificate authority for the host: not supported, so a host with these alone is not pinned. */
  certAuthorities: number;
}>;

const keyTypes = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
] as const;

/** RFC 8332: one RSA key signs under several algorithm names; the SHA-1 one is left out. */
const signatureAlgorithms = (type: string): readonly string[] =>
  type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];

/** RFC 4251 section 5: a string is a big-endian 32-bit length and that many bytes. */
export function keyTypeOf(blob: Buffer): string | undefined {
  if (blob.length < 4) return undefined;
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > blob.length - 4) return undefined;
  return blob.subarray(4, 4 + length).toString("latin1");
}

/** The form `ssh-keygen -lf` prints: SHA-256, base64 without padding. */
export const fingerprint = (blob: Buffer): string =>
  `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;

/** Reads the format of sshd(8), section SSH_KNOWN_HOSTS FILE FORMAT. */
export function parseKnownHosts(content: string): KnownHosts {
  const lines: KnownHostsLine[] = [];
  const problems: string[] = [];
  content.split(/\r?\n/).forEach((raw, index) => {
    const line = index + 1;
    const fields = raw
      .trim()
      .split(/[ \t]+/)
      .filter((field) => field !== "");
    if (fields.length === 0 || fields[0]?.startsWith("#")) return;
    let marker: KnownHostsLine["marker"] = "none";
    if (fields[0]?.startsWith("@")) {
      const word = fields.shift();
      if (word === "@revoked") marker = "revoked";
      else if (word === "@cert-authority") marker = "cert-authority";
      else {
        problems.push(`line ${line}: unknown marker ${word}`);
        return;
      }
    }
    const [names, type, base64] = fields;
    if (names === undefined || type === undefined || base64 === undefined) {
      problems.push(`line ${line}: expected names, key type and key`);
      return;
    }
    const blob = Buffer.from(base64, "base64");
    if (keyTypeOf(blob) !== type) {
      problems.push(`line ${line}: the key is not a ${type} key`);
      return;
    }
    lines.push({ marker, names, key: { type, blob }, line });
  });
  return { lines, problems };
}

/** The name OpenSSH looks a host up under: an alias as it is, the bare host on port 22, else `[host]:port`. */
export function lookupName(host: string, port: number, alias?: string): string {
  if (alias !== undefined) return alias.toLowerCase();
  return (port === 22 ? host : `[${host}]:${port}`).toLowerCase();
}

function matchesPattern(pattern: string, name: string): boolean {
  const expression = pattern
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${expression}$`, "s").test(name);
}

/** `|1|base64 salt|base64 HMAC-SHA1(salt, name)`, as `ssh-keygen -H` writes it. */
function matchesHash(hashed: string, name: string): boolean {
  const [, version, salt, digest] = hashed.split("|");
  if (version !== "1" || salt === undefined || digest === undefined) return false;
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === digest;
}

function matchesNames(names: string, name: string): boolean {
  if (names.startsWith("|")) return matchesHash(names, name);
  const patterns = names.split(",");
  if (patterns.some((pattern) => pattern.startsWith("!") && matchesPattern(pattern.slice(1), name)))
    return false;
  return patterns.some((pattern) => !pattern.startsWith("!") && matchesPattern(pattern, name));
}

export function pinsFor(known: KnownHosts, name: string): Pins {
  const matching = known.lines.filter((line) => matchesNames(line.names, name));
  const keysOf = (marker: KnownHostsLine["marker"]) =>
    matching.filter((line) => line.marker === marker).map((line) => line.key);
  return {
    keys: keysOf("none"),
    revoked: keysOf("revoked"),
    certAuthorities: keysOf("cert-authority").length,
  };
}

/**
 * Host key algorithms to ask for, those the file has a key for first: a server with several keys then shows the one
 * that is pinned. The rest follows, so that a host which no longer has that kind of key is told as changed.
 */
export function hostKeyAlgorithms(pins: Pins): readonly string[] {
  const pinned = pins.keys.map((key) => key.type).filter((type) => keyTypes.some((known) => known === type));
  return [...new Set([...pinned, ...keyTypes])].flatMap(signatureAlgorithms);
}

/** `known` is the only verdict that lets a connection go on. */
export function judgeHostKey(pins: Pins, blob: Buffer): "known" | "revoked" | "changed" | "unknown" {
  if (pins.revoked.some((key) => key.blob.equals(blob))) return "revoked";
  if (pins.keys.some((key) => key.blob.equals(blob))) return "known";
  return pins.keys.length > 0 ? "changed" : "unknown";
}
