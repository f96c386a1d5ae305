import { createHmac, randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fingerprint,
  hostKeyAlgorithms,
  judgeHostKey,
  keyTypeOf,
  lookupName,
  parseKnownHosts,
  pinsFor,
} from "#shared/adapters/known-hosts.ts";

const blobOf = (type: string, body: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(body)]);
};
const ed = blobOf("ssh-ed25519", "one");
const ed2 = blobOf("ssh-ed25519", "two");
const rsa = blobOf("ssh-rsa", "three");
const line = (names: string, blob: Buffer) =>
  `${names} ${keyTypeOf(blob)} ${blob.toString("base64")} comment`;
const hashed = (name: string) => {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
};

describe("the name a host is looked up under", () => {
  it.each([
    ["the bare host on port 22", "Karstark", 22, undefined, "karstark"],
    ["host and port otherwise", "10.4.0.19", 2222, undefined, "[10.4.0.19]:2222"],
    ["an alias as it is", "10.4.0.19", 2222, "karstark", "karstark"],
  ])("%s", (_, host, port, alias, name) => {
    expect(lookupName(host, port, alias)).toBe(name);
  });
});

describe("known_hosts", () => {
  it.each<[string, string, string, number]>([
    ["a plain name", line("karstark", ed), "karstark", 1],
    ["one of several names", line("a,karstark,10.4.0.19", ed), "10.4.0.19", 1],
    ["host and port", line("[10.4.0.19]:2222", ed), "[10.4.0.19]:2222", 1],
    ["not the same host on another port", line("[10.4.0.19]:2222", ed), "10.4.0.19", 0],
    ["not a name that only starts alike", line("karstark", ed), "karstark2", 0],
    ["a dot is a dot", line("a.b", ed), "axb", 0],
    ["a hashed name", line(hashed("karstark"), ed), "karstark", 1],
    ["a hashed host and port", line(hashed("[10.4.0.19]:2222"), ed), "[10.4.0.19]:2222", 1],
    ["another hashed name", line(hashed("bettley"), ed), "karstark", 0],
    ["a star", line("*.example.net", ed), "a.example.net", 1],
    ["a question mark", line("node?", ed), "node1", 1],
    ["a negated pattern", line("*,!karstark", ed), "karstark", 0],
    ["names in any case", line("KarStark", ed), "karstark", 1],
    ["several keys", `${line("karstark", ed)}\n${line("karstark", rsa)}`, "karstark", 2],
    ["comments and blank lines", `# x\n\n  \n${line("karstark", ed)}\n`, "karstark", 1],
    ["tabs and DOS line ends", `${line("karstark", ed).replaceAll(" ", "\t")}\r\n`, "karstark", 1],
  ])("finds %s", (_, content, name, count) => {
    expect(pinsFor(parseKnownHosts(content), name).keys).toHaveLength(count);
  });

  it("names each line that cannot be read, and reads the others", () => {
    const content = [
      "karstark ssh-ed25519",
      "@strange * ssh-ed25519 AAAA",
      `karstark ssh-rsa ${ed.toString("base64")}`,
      line("karstark", ed),
    ].join("\n");
    const known = parseKnownHosts(content);
    expect(known.problems).toEqual([
      "line 1: expected names, key type and key",
      "line 2: unknown marker @strange",
      "line 3: the key is not a ssh-rsa key",
    ]);
    expect(pinsFor(known, "karstark").keys).toHaveLength(1);
  });

  it("reads any text without throwing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (content) => {
        pinsFor(parseKnownHosts(content), "karstark");
      }),
    );
  });
});

describe("judging a host key", () => {
  const pins = (content: string) => pinsFor(parseKnownHosts(content), "karstark");
  it.each([
    ["the pinned key", line("karstark", ed), ed, "known"],
    ["one of two pinned keys", `${line("karstark", rsa)}\n${line("karstark", ed)}`, ed, "known"],
    ["another key of the same kind", line("karstark", ed), ed2, "changed"],
    ["a key of another kind", line("karstark", rsa), ed, "changed"],
    ["no line for the host", line("bettley", ed), ed, "unknown"],
    ["an empty file", "", ed, "unknown"],
    ["a revoked key", `@revoked karstark ${line("x", ed).slice(2)}`, ed, "revoked"],
    [
      "a revoked key that is pinned too",
      `${line("karstark", ed)}\n@revoked * ${line("x", ed).slice(2)}`,
      ed,
      "revoked",
    ],
    ["a certificate authority alone", `@cert-authority karstark ${line("x", ed).slice(2)}`, ed, "unknown"],
  ] as const)("%s", (_, content, blob, verdict) => {
    expect(judgeHostKey(pins(content), blob)).toBe(verdict);
  });

  it("counts certificate authorities, which are not supported", () => {
    expect(pins(`@cert-authority * ${line("x", ed).slice(2)}`).certAuthorities).toBe(1);
  });
});

describe("host key algorithms", () => {
  it("asks for the pinned kinds first", () => {
    const algorithms = hostKeyAlgorithms(pinsFor(parseKnownHosts(line("a", rsa)), "a"));
    expect(algorithms.slice(0, 3)).toEqual(["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]);
    expect(new Set(algorithms).size).toBe(algorithms.length);
  });
  it("never asks for SHA-1 signatures", () => {
    expect(hostKeyAlgorithms({ keys: [], revoked: [], certAuthorities: 0 })).not.toContain("ssh-rsa");
  });
});

describe("fingerprint", () => {
  it("is what ssh-keygen -l prints", () => {
    // ssh-keygen -lf, OpenSSH 9.2p1, over this public key.
    const key = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    expect(fingerprint(Buffer.from(key, "base64"))).toBe(
      "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA",
    );
  });
});
