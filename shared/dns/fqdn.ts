import { domainToASCII } from "node:url";

/**
 * A domain name in the one form the project compares and stores: no trailing dot, ASCII letters in lower case, octal
 * escapes decoded, so `\052.Apps.example.com.` is `*.apps.example.com`. Three things stay escaped because decoding
 * them would change the name: a dot inside a label (`\056`), a backslash (`\134`) and bytes that are not UTF-8.
 */
export type Fqdn = string & { readonly fqdn: unique symbol };

export type ReadFqdn = Readonly<{ ok: true; fqdn: Fqdn }> | Readonly<{ ok: false; problem: string }>;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, "0")}`;

/** Decodes a run of escaped bytes; what is not UTF-8 stays escaped, byte by byte. */
function decodeRun(escaped: string): string {
  const bytes = Uint8Array.from(escaped.slice(1).split("\\"), (digits) => Number.parseInt(digits, 8));
  let out = "";
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    try {
      const char = utf8.decode(bytes.subarray(at, at + length));
      out += char === "." || char === "\\" ? octal(byte) : char;
      at += length;
    } catch {
      out += octal(byte);
      at += 1;
    }
  }
  return out;
}

/**
 * The stored form of any text, without judging whether it is a name; decoding twice changes nothing. Route 53 writes
 * every byte but a-z 0-9 - _ . as `\ooo` (awsdocs/amazon-route53-docs, DomainNameFormat.md).
 */
export function decodeName(text: string): string {
  if (!/[A-Z\\]/.test(text) && !text.endsWith(".")) return text;
  const decoded = text.includes("\\")
    ? text.replace(/\\(?![0-3][0-7]{2})/g, "\\134").replace(/(?:\\[0-3][0-7]{2})+/g, decodeRun)
    : text;
  const bare = decoded.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (!bare.endsWith(".")) return bare;
  let end = bare.length;
  while (end > 0 && bare[end - 1] === ".") end -= 1;
  return end === 0 ? "." : bare.slice(0, end);
}

/** Bytes of a decoded label on the wire. */
export function labelLength(label: string): number {
  if (/^[\x00-\x5b\x5d-\x7f]*$/.test(label)) return label.length;
  const escapes = label.match(/\\[0-3][0-7]{2}/g)?.length ?? 0;
  return encoder.encode(label).length - 3 * escapes;
}

/**
 * Reads a name as people, `aws` or Kubernetes write it. Labels of 63 bytes and 255 bytes in all, as on the wire; the
 * root is not a name here.
 */
export function readFqdn(text: string): ReadFqdn {
  const dotted = text.endsWith(".") && text !== "." ? text.slice(0, -1) : text;
  const labels = dotted.split(".");
  const fail = (problem: string): ReadFqdn => ({ ok: false, problem: `${JSON.stringify(text)} ${problem}` });
  if (labels.includes("")) return fail(text === "" ? "is no domain name" : "has an empty label");
  const name = decodeName(dotted);
  let total = 1;
  for (const label of name.split(".")) {
    const length = labelLength(label);
    if (length > 63) return fail(`has a label of ${length} bytes; 63 are allowed`);
    total += length + 1;
  }
  if (total > 255) return fail(`is ${total} bytes long; 255 are allowed`);
  return { ok: true, fqdn: name as Fqdn };
}

/** For names known to be well formed, such as literals. Throws RangeError otherwise. */
export function fqdn(text: string): Fqdn {
  const read = readFqdn(text);
  if (!read.ok) throw new RangeError(read.problem);
  return read.fqdn;
}

/** As Route 53 stores and lists it: trailing dot, every byte but a-z 0-9 - _ . as `\ooo`. */
export function route53Name(name: Fqdn): string {
  if (/^[a-z0-9._-]*$/.test(name)) return `${name}.`;
  const encoded = name.replace(/\\[0-3][0-7]{2}|[^a-z0-9._-]/gu, (part) =>
    part.length === 4 && part.startsWith("\\") ? part : [...encoder.encode(part)].map(octal).join(""),
  );
  return `${encoded}.`;
}

const asciiLabel = (label: string): string => {
  if (/^[\x00-\x7f]*$/.test(label)) return label;
  const ascii = domainToASCII(label);
  // A label of full-width digits would be read as an IPv4 address, another may be no IDN at all: those stay as typed.
  return ascii === "" || ascii.includes(".") ? label : ascii;
};

/** Equal for names that IDNA holds equal (`bücher.example`, `xn--bcher-kva.example`); only for comparing. */
export const comparisonForm = (name: Fqdn): string =>
  /^[\x00-\x7f]*$/.test(name) ? name : name.split(".").map(asciiLabel).join(".");

export const labelsOf = (name: string): readonly string[] => name.split(".");

/** The zone itself or anything below it. */
export const isWithin = (name: string, zone: string): boolean =>
  name === zone || (name.endsWith(zone) && name[name.length - zone.length - 1] === ".");
