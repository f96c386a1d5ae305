export type ReadTxt<T> =
  | Readonly<{ ok: true; strings: readonly T[] }>
  | Readonly<{ ok: false; problem: string }>;

const limit = 255;
const encoder = new TextEncoder();
const decode = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

function readBytes(value: string): ReadTxt<Uint8Array> {
  const strings: Uint8Array[] = [];
  let at = 0;
  while (at < value.length) {
    if (value[at] === " " || value[at] === "\t") {
      at += 1;
      continue;
    }
    if (value[at] !== '"') return { ok: false, problem: `a quote was expected at character ${at + 1}` };
    const bytes: number[] = [];
    at += 1;
    while (at < value.length && value[at] !== '"') {
      if (value[at] !== "\\") {
        const char = String.fromCodePoint(value.codePointAt(at) as number);
        bytes.push(...encoder.encode(char));
        at += char.length;
        continue;
      }
      const octal = /^[0-3][0-7]{2}/.exec(value.slice(at + 1, at + 4))?.[0];
      if (octal !== undefined) {
        bytes.push(Number.parseInt(octal, 8));
        at += 4;
      } else if (at + 1 < value.length) {
        const char = String.fromCodePoint(value.codePointAt(at + 1) as number);
        bytes.push(...encoder.encode(char));
        at += 1 + char.length;
      } else return { ok: false, problem: "ends in a backslash" };
    }
    if (at >= value.length) return { ok: false, problem: "the last quote is missing" };
    at += 1;
    strings.push(Uint8Array.from(bytes));
  }
  return strings.length > 0 ? { ok: true, strings } : { ok: false, problem: "holds no quoted string" };
}

/**
 * Takes a TXT value of Route 53 apart: strings in quotes, with or without a blank between them (`"a" "b"`, `"a""b"`),
 * `\"`, `\\` and `\ooo` inside (awsdocs/amazon-route53-docs, ResourceRecordTypes.md). Bytes that are no UTF-8 come out
 * as U+FFFD, so compare record sets by their raw values and people's texts by this.
 */
export function readTxtStrings(value: string): ReadTxt<string> {
  const read = readBytes(value);
  return read.ok ? { ok: true, strings: read.strings.map(decode) } : read;
}

/** The whole text of a value, its strings joined; `undefined` when it is not well formed. */
export function txtText(value: string): string | undefined {
  const read = readBytes(value);
  return read.ok ? decode(Buffer.concat(read.strings)) : undefined;
}

const escapeByte = (byte: number): string => {
  if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
};

/** A text as a TXT value: quoted strings of at most 255 bytes with a blank between, other bytes as `\ooo`. */
export function formatTxtText(text: string): string {
  const bytes = encoder.encode(text);
  const chunks: string[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += limit)
    chunks.push(`"${Array.from(bytes.subarray(at, at + limit), escapeByte).join("")}"`);
  return chunks.join(" ");
}
