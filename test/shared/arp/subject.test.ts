import { expect, it } from "vitest";
import { resolveSubject, shortName } from "#shared/arp/subject.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { parseMetalLbObjects } from "#shared/metallb/resources.ts";

const service = (
  namespace: string,
  name: string,
  ips: readonly string[],
  type = "LoadBalancer",
): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { type },
  status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
});

const { objects } = parseMetalLbObjects([
  service("httpbin", "httpbin", ["10.4.11.1"]),
  service("web", "front", ["10.4.11.2", "fd00:4::2"]),
  service("a", "twin", ["10.4.11.3"]),
  service("b", "twin", ["10.4.11.4"]),
  service("new", "pending", []),
  service("in", "internal", [], "ClusterIP"),
]);

it.each([
  ["httpbin", [["10.4.11.1", "httpbin/httpbin"]]],
  ["httpbin/httpbin", [["10.4.11.1", "httpbin/httpbin"]]],
  ["10.4.11.1", [["10.4.11.1", "httpbin/httpbin"]]],
  ["FD00:4:0::2", [["fd00:4::2", "web/front"]]],
  ["10.4.11.99", [["10.4.11.99", undefined]]],
  [
    "front",
    [
      ["10.4.11.2", "web/front"],
      ["fd00:4::2", "web/front"],
    ],
  ],
])("%s", (word, expected) => {
  const resolved = resolveSubject(objects, word);
  expect(resolved.kind === "subjects" && resolved.subjects.map(({ ip, service: of }) => [ip, of])).toEqual(
    expected,
  );
});

it("all is every address", () => {
  const all = resolveSubject(objects, "all");
  expect(all.kind === "subjects" && all.subjects.length).toBe(5);
});

it("lists what a name could mean instead of choosing", () => {
  expect(resolveSubject(objects, "twin")).toEqual({ kind: "ambiguous", services: ["a/twin", "b/twin"] });
  expect(shortName("a/twin", objects)).toBe("a/twin");
  expect(shortName("httpbin/httpbin", objects)).toBe("httpbin");
});

it("tells no address from no service, and a wrong word from both", () => {
  expect(resolveSubject(objects, "pending")).toEqual({ kind: "no-address", service: "new/pending" });
  expect(resolveSubject(objects, "htpbin")).toMatchObject({ kind: "unknown", nearest: { ip: "10.4.11.1" } });
  expect(resolveSubject(objects, "internal")).toMatchObject({ kind: "unknown" });
  expect(resolveSubject(objects, "zzzzzzzz")).toEqual({ kind: "unknown", nearest: undefined });
});
