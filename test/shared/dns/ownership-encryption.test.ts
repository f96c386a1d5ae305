import { createCipheriv } from "node:crypto";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AesKey,
  acceptsKey,
  decryptText,
  encryptOwnershipText,
  mayBeEncrypted,
  readAesKey,
  readOwnershipText,
} from "#shared/dns/ownership-encryption.ts";
import { formatOwnershipText } from "#shared/dns/ownership-text.ts";

const rules = { equalsInValue: true };
const key = (text: string): AesKey => readAesKey(text) as AesKey;
const nonce = new Uint8Array(12).fill(7);

/** A text that ExternalDNS itself encrypted, and its key: endpoint/labels_test.go at v0.22.0. */
const captured = {
  key: ")K_Fy|?Z.64#UuHm`}[d!GC%WJM_fs{_",
  value:
    '"+lvP8q9KHJ6BS6O81i2Q6DLNdf2JSKy8j/gbZKviTZlGYj7q+yDoYMgkQ1hPn6urtGllM5bfFMcaaHto52otQtiOYrX8990J3kQqg4s47m3bH3Ejl8RSxSSuWJM3HJtPghQzYg0/LSOsdQ0="',
};

/** Encrypted by the cipher alone, to hold anything. */
function sealed(bytes: Uint8Array, with_: AesKey): string {
  const cipher = createCipheriv("aes-256-gcm", with_, nonce, { authTagLength: 16 });
  return `"${Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]).toString("base64")}"`;
}

describe("the key", () => {
  const raw = "01234567890123456789012345678901";
  const base64 = Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i)).toString("base64");
  it.each<[string, string, boolean]>([
    ["32 bytes", raw, true],
    ["31 bytes", raw.slice(1), false],
    ["33 bytes", `${raw}x`, false],
    ["32 bytes that are fewer characters", "ü".repeat(16), true],
    ["32 characters that are more bytes", `${raw.slice(1)}ü`, false],
    ["standard base64 of 32 bytes", base64, true],
    ["with a line end", `${base64}\n`, true],
    ["URL-safe base64", base64.replaceAll("+", "-").replaceAll("/", "_"), false],
    ["base64 without padding", base64.replace("=", ""), false],
    ["base64 of 31 bytes", Buffer.alloc(31).toString("base64"), false],
    ["nothing", "", false],
  ])("%s", (_, text, valid) => {
    expect(readAesKey(text) !== undefined).toBe(valid);
    expect(acceptsKey(text, true)).toBe(valid);
    expect(acceptsKey(text, false)).toBe(valid || text === "");
  });

  it("in base64 means the bytes it decodes to, since 0.16", () => {
    expect(Buffer.from(key(base64)).toString("base64")).toBe(base64);
    expect(readAesKey(base64, { base64Key: false })).toBeUndefined();
    expect(readAesKey(raw, { base64Key: false })).toBeDefined();
  });
});

describe("reading", () => {
  it("opens what ExternalDNS wrote and keeps the nonce as a label", () => {
    expect(readOwnershipText(captured.value, key(captured.key), rules)).toEqual({
      owner: "foo-owner",
      resource: "foo-resource",
      "txt-encryption-nonce": "+lvP8q9KHJ6BS6O8",
    });
    expect(captured.value.slice(1, 17)).toBe("+lvP8q9KHJ6BS6O8");
  });

  it("takes plain text with a key at hand, and no encrypted one without", () => {
    expect(readOwnershipText(formatOwnershipText({ owner: "x" }), key(captured.key), rules)).toEqual({
      owner: "x",
    });
    expect(readOwnershipText(captured.value, undefined, rules)).toBeUndefined();
  });

  it("does not open with another key, nor a changed, cut or lengthened text", () => {
    const other = key("passphrasewhichneedstobe32bytes!");
    expect(readOwnershipText(captured.value, other, rules)).toBeUndefined();
    const bytes = Buffer.from(captured.value.slice(1, -1), "base64");
    const open = (changed: Uint8Array): unknown =>
      decryptText(Buffer.from(changed).toString("base64"), key(captured.key));
    expect(open(bytes)).toBeDefined();
    for (const at of [0, 12, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      expect(open(changed)).toBeUndefined();
    }
    expect(open(bytes.subarray(0, -1))).toBeUndefined();
    expect(open(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined();
    expect(open(bytes.subarray(0, 27))).toBeUndefined();
  });

  it("what opens is judged alone: no heritage inside means none", () => {
    const text = sealed(gzipSync("external-dns/owner=x"), key(captured.key));
    expect(decryptText(text, key(captured.key))?.text).toBe("external-dns/owner=x");
    expect(readOwnershipText(text, key(captured.key), rules)).toBeUndefined();
  });

  it("does not take what is no gzip, nor what inflates beyond measure", () => {
    expect(
      decryptText(sealed(Buffer.from("heritage=external-dns"), key(captured.key)), key(captured.key)),
    ).toBeUndefined();
    const bomb = sealed(gzipSync(Buffer.alloc(4 << 20)), key(captured.key));
    expect(decryptText(bomb, key(captured.key))).toBeUndefined();
  });
});

describe("writing", () => {
  it("reads back, starts with the nonce and repeats itself", () => {
    const word = fc.string({ maxLength: 20 }).filter((each) => !/[",=]/.test(each));
    fc.assert(
      fc.property(word, word, fc.uint8Array({ minLength: 12, maxLength: 12 }), (owner, resource, own) => {
        const value = encryptOwnershipText({ owner, resource }, key(captured.key), own);
        const written = Buffer.from(own).toString("base64");
        expect(value.startsWith(`"${written}`)).toBe(true);
        const labels = readOwnershipText(value, key(captured.key), rules);
        expect(labels).toEqual({ owner, resource, "txt-encryption-nonce": written });
        expect(encryptOwnershipText(labels ?? {}, key(captured.key), own)).toBe(value);
        expect(mayBeEncrypted([value])).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("needs a nonce of 12 bytes", () => {
    expect(() => encryptOwnershipText({}, key(captured.key), new Uint8Array(11))).toThrow(RangeError);
  });
});

describe("what may be encrypted", () => {
  it.each<[string, readonly string[], boolean]>([
    ["ExternalDNS's own", [captured.value], true],
    ["28 bytes", [`"${Buffer.alloc(28).toString("base64")}"`], true],
    ["27 bytes", [`"${Buffer.alloc(27).toString("base64")}"`], false],
    ["plain ownership text", ['"heritage=external-dns,external-dns/owner=x"'], false],
    ["two values", [captured.value, captured.value], false],
    ["two strings", [captured.value.replace("8q9", '" "')], false],
    ["no quotes", [captured.value.slice(1, -1)], false],
    ["padding inside", [captured.value.replace("8q9", "=q9")], false],
    ["URL-safe alphabet", [captured.value.replaceAll("+", "-")], false],
    ["SPF", ['"v=spf1 include:_spf.example.com -all"'], false],
    ["nothing", [], false],
  ])("%s", (_, values, may) => {
    expect(mayBeEncrypted(values)).toBe(may);
  });

  it("nothing crashes the reader", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.base64String()), (value) => {
        expect(decryptText(value, key(captured.key))).toBeUndefined();
        expect(typeof mayBeEncrypted([value])).toBe("boolean");
      }),
      { numRuns: 200 },
    );
  });
});
