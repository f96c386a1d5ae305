import { describe, expect, it } from "vitest";
import { secretFlags, withoutSecrets } from "#shared/kubernetes/secret-words.ts";

describe("secrets in a command line", () => {
  it.each([
    [["--pdns-api-key=abc"], ["--pdns-api-key"], ["--pdns-api-key=[secret]"]],
    [
      ["--rfc2136-tsig-secret", "abc", "--once"],
      ["--rfc2136-tsig-secret"],
      ["--rfc2136-tsig-secret", "[secret]", "--once"],
    ],
    [["--txt-encrypt-aes-key=abc"], ["--txt-encrypt-aes-key"], ["--txt-encrypt-aes-key=[secret]"]],
    [
      ["--pdns-api-key=$(KEY)", "--domain-filter=a.example"],
      [],
      ["--pdns-api-key=$(KEY)", "--domain-filter=a.example"],
    ],
    [["--token", "--once"], [], ["--token", "--once"]],
    [
      ["--txt-owner-id=home", "--label-filter=token=1"],
      [],
      ["--txt-owner-id=home", "--label-filter=token=1"],
    ],
  ])("%j", (words, flags, shown) => {
    expect(secretFlags(words)).toEqual(flags);
    expect(withoutSecrets(words, "[secret]")).toEqual(shown);
  });
});
