import { describe, expect, it } from "vitest";
import { fieldSelector, labelSelector } from "#infra/lab/kubernetes/selectors.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";

const object: KubeObject = {
  metadata: { name: "httpbin", namespace: "apps", labels: { app: "httpbin", tier: "", "k8s.io/x": "1" } },
  type: "Normal",
  involvedObject: { kind: "Service", name: "httpbin" },
  source: { component: "metallb-speaker" },
};

describe("labelSelector", () => {
  it.each([
    ["", true],
    ["app=httpbin", true],
    ["app==httpbin", true],
    ["app=other", false],
    ["app!=other", true],
    ["missing!=other", true],
    ["tier=", true],
    ["app", true],
    ["!app", false],
    ["!missing", true],
    ["app in (echo, httpbin)", true],
    ["app notin (echo,httpbin)", false],
    ["missing notin (x)", true],
    ["missing in (x)", false],
    ["k8s.io/x=1,app in (httpbin),!missing", true],
    ["k8s.io/x=1,app in (echo)", false],
  ])("%s is %s", (selector, matches) => {
    expect(labelSelector(selector)(object)).toBe(matches);
  });

  it.each(["app in httpbin", "=x", "a b c", "-bad=1"])("refuses %s", (selector) => {
    expect(() => labelSelector(selector)).toThrow(/^unable to parse requirement/);
  });
});

describe("fieldSelector", () => {
  it.each([
    ["metadata.name=httpbin", true],
    ["metadata.name=httpbin,metadata.namespace!=apps", false],
    ["involvedObject.kind=Service,involvedObject.name=httpbin,type!=Warning", true],
    ["source=metallb-speaker", true],
    ["reason=", true],
  ])("%s is %s", (selector, matches) => {
    expect(fieldSelector("events", selector)(object)).toBe(matches);
  });

  it("knows name and namespace only of custom resources", () => {
    expect(() => fieldSelector("l2advertisements", "spec.interfaces=eth0")).toThrow(
      "field label not supported: spec.interfaces",
    );
    expect(() => fieldSelector("events", "type")).toThrow(/invalid selector/);
    expect(fieldSelector("nodes", "spec.unschedulable=false")({ metadata: { name: "a" } })).toBe(true);
  });
});
