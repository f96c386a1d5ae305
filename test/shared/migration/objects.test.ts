import { describe, expect, it } from "vitest";
import { diffOf, shown } from "#shared/migration/objects.ts";
import { diffLines } from "#shared/runs/diff-lines.ts";

const service = (hostname: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: "httpbin",
    namespace: "httpbin",
    annotations: {
      "external-dns.alpha.kubernetes.io/hostname": hostname,
      "external-dns.alpha.kubernetes.io/internal-hostname": "httpbin.internal",
      "example.com/token": "hunter2",
    },
  },
  spec: { type: "LoadBalancer" },
});

describe("what people see of a Service", () => {
  it("is the names it asks for, and no other annotation", () => {
    expect(shown("services", service("httpbin.hellholt.net")).metadata.annotations).toEqual({
      "external-dns.alpha.kubernetes.io/hostname": "httpbin.hellholt.net",
      "external-dns.alpha.kubernetes.io/internal-hostname": "httpbin.internal",
    });
  });

  it("so that a change of names is a change they can read", () => {
    const { before, after } = diffOf("services", service("old.net"), service("old.net,new.net"));
    expect(diffLines(before, after).filter((line) => /^[-+]/.test(line))).toEqual([
      "-     external-dns.alpha.kubernetes.io/hostname: old.net",
      "+     external-dns.alpha.kubernetes.io/hostname: old.net,new.net",
    ]);
  });
});
