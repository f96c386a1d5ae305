import { describe, expect, it } from "vitest";
import { builtInErrors } from "#infra/lab/kubernetes/built-in-rules.ts";
import { withDefaults } from "#infra/lab/kubernetes/defaults.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { invalid } from "#shared/kubernetes/refusals.ts";
import { sites } from "#shared/twin/sites/all.ts";

const pod = { containers: [{ name: "c", image: "i" }] };
const template = (spec: object) => ({ metadata: { labels: { a: "b" } }, spec });

/** What kube-apiserver 1.34.4 said to the same objects on 2026-11-23. */
const seen: readonly (readonly [string, ResourceKind, object, string])[] = [
  ["no ports", "services", { type: "LoadBalancer" }, 'Service "x" is invalid: spec.ports: Required value'],
  [
    "another type",
    "services",
    { type: "Nope", ports: [{ port: 80 }] },
    'Service "x" is invalid: spec.type: Unsupported value: "Nope": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ],
  [
    "a port that is none",
    "services",
    { ports: [{ port: 99_999 }] },
    'Service "x" is invalid: [spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 99999: must be between 1 and 65535, inclusive]',
  ],
  [
    "two ports without names",
    "services",
    { ports: [{ port: 80 }, { port: 81 }] },
    'Service "x" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: Required value]',
  ],
  [
    "no selector",
    "deployments",
    { template: template(pod) },
    'Deployment.apps "x" is invalid: [spec.selector: Required value, spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`]',
  ],
  [
    "no containers",
    "deployments",
    { selector: { matchLabels: { a: "b" } }, template: template({}) },
    'Deployment.apps "x" is invalid: spec.template.spec.containers: Required value',
  ],
];

describe("built-in kinds", () => {
  it.each(seen)("with %s (%s) are refused as the API server does", (_, kind, spec, words) => {
    const object = withDefaults(kind, { metadata: { name: "x" }, spec }, []) as KubeObject;
    expect(invalid(kind, "x", builtInErrors(kind, object)).message).toBe(words);
  });

  it("without ports are taken where none is needed", () => {
    for (const spec of [{ type: "ExternalName", externalName: "a.example" }, { clusterIP: "None" }]) {
      const object = withDefaults("services", { metadata: { name: "x" }, spec }, []) as KubeObject;
      expect(builtInErrors("services", object)).toEqual([]);
    }
  });

  it("of every site are such as a cluster could have", () => {
    for (const [name, site] of Object.entries(sites))
      for (const { kind, object } of site().objects)
        expect(builtInErrors(kind, object), `${name} ${kind} ${object.metadata.name}`).toEqual([]);
  });
});
