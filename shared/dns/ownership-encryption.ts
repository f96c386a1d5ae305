import { createCipheriv, createDecipheriv } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  type Labels,
  nonceLabel,
  ownershipText,
  parseOwnershipText,
  withoutQuotes,
} from "./ownership-text.ts";
import type { OwnershipRules } from "./release.ts";

/** 32 bytes. */
export type AesKey = Uint8Array & { readonly aesKey: unique symbol };

const nonceLength = 12;
const tagLength = 16;
/** Far more than a TXT record set can hold; guards against a text that inflates without end. */
const inflatedLimit = 1 << 20;

/** Standard alphabet with padding; line ends are ignored and everything else is refused, as Go's decoder does. */
function decodeBase64(text: string): Uint8Array | undefined {
  const bare = text.replace(/[\r\n]/g, "");
  if (bare.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(bare)) return undefined;
  return Buffer.from(bare, "base64");
}

/**
 * `--txt-encrypt-aes-key`: exactly 32 bytes as given, or (since 0.16) standard base64 of 32 bytes. ExternalDNS's page
 * asks for the URL-safe alphabet, its code refuses it. `undefined` when ExternalDNS would refuse the key.
 */
export function readAesKey(
  text: string,
  { base64Key }: Pick<OwnershipRules, "base64Key"> = { base64Key: true },
): AesKey | undefined {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length === 32) return bytes as unknown as AesKey;
  const decoded = base64Key ? decodeBase64(text) : undefined;
  return decoded?.length === 32 ? (decoded as AesKey) : undefined;
}

/** Whether ExternalDNS starts with this key: none is fine as long as encryption is off. */
export const acceptsKey = (
  key: string,
  encryptEnabled: boolean,
  rules?: Pick<OwnershipRules, "base64Key">,
): boolean => (key === "" ? !encryptEnabled : readAesKey(key, rules) !== undefined);

/**
 * The encrypted TXT value, quotes included: base64 of nonce, ciphertext and tag over the gzipped text. ExternalDNS reads
 * it, but it compresses with Go, whose bytes differ: the value it rebuilds from the same labels and nonce is another
 * one, so its DELETE would not match a TXT written with this (seen on 1,424 of 1,470 typical texts against v0.22.0).
 * Throws RangeError for a nonce that is not 12 bytes.
 */
export function encryptOwnershipText(labels: Labels, key: AesKey, nonce: Uint8Array): string {
  if (nonce.length !== nonceLength)
    throw new RangeError(`a nonce has ${nonceLength} bytes, not ${nonce.length}`);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagLength });
  const sealed = [
    cipher.update(gzipSync(Buffer.from(ownershipText(labels), "utf8"), { level: 9 })),
    cipher.final(),
    cipher.getAuthTag(),
  ];
  return `"${Buffer.concat([nonce, ...sealed]).toString("base64")}"`;
}

/** Text and base64 nonce of an encrypted value; `undefined` when this key does not open it. */
export function decryptText(
  value: string,
  key: AesKey,
): Readonly<{ text: string; nonce: string }> | undefined {
  const bytes = decodeBase64(withoutQuotes(value));
  if (bytes === undefined || bytes.length < nonceLength + tagLength) return undefined;
  const nonce = bytes.subarray(0, nonceLength);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagLength });
    decipher.setAuthTag(bytes.subarray(-tagLength));
    const packed = Buffer.concat([
      decipher.update(bytes.subarray(nonceLength, -tagLength)),
      decipher.final(),
    ]);
    const text = gunzipSync(packed, { maxOutputLength: inflatedLimit }).toString("utf8");
    return { text, nonce: Buffer.from(nonce).toString("base64") };
  } catch {
    // A wrong key, a changed text and a text that is not gzip all mean the same: not opened.
    return undefined;
  }
}

/**
 * Reads a value with a key at hand, whether encryption is on or not: what decrypts is judged alone, anything else is
 * read as plain text (endpoint/labels.go NewLabelsFromString). The nonce comes back as a label, so that rewriting gives
 * the same text.
 */
export function readOwnershipText(
  value: string,
  key: AesKey | undefined,
  rules: Pick<OwnershipRules, "equalsInValue">,
): Labels | undefined {
  const opened = key && decryptText(value, key);
  if (!opened) return parseOwnershipText(value, rules);
  const labels = parseOwnershipText(opened.text, rules);
  return labels && { ...labels, [nonceLabel]: opened.nonce };
}

/**
 * Whether a TXT record set may hold an encrypted ownership text we have no key for: one value of one quoted string that
 * is base64 of at least nonce and tag. ExternalDNS without the key takes the record for unowned. Many other texts look
 * so too (keys, tokens): ask it only of names where an ownership TXT can stand.
 */
export function mayBeEncrypted(values: readonly string[]): boolean {
  const [value] = values;
  if (values.length !== 1 || value === undefined) return false;
  const inner = /^"([A-Za-z0-9+/]+={0,2})"$/.exec(value)?.[1];
  const bytes = inner === undefined ? undefined : decodeBase64(inner);
  return bytes !== undefined && bytes.length >= nonceLength + tagLength;
}
