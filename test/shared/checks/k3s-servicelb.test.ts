import { expect, it } from "vitest";
import { addObject, patchObject } from "#shared/twin/sites/faults.ts";
import { withImage } from "./metallb-faults.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "k3s-servicelb";

/** As k3s makes it: the labels are on the DaemonSet and on its Pods. */
const svclb = (service: string, namespace?: string) => {
  const labels = {
    "objectset.rio.cattle.io/owner-name": service,
    "svccontroller.k3s.cattle.io/nodeselector": "false",
    "svccontroller.k3s.cattle.io/svcname": service,
    ...(namespace === undefined ? {} : { "svccontroller.k3s.cattle.io/svcnamespace": namespace }),
  };
  return addObject(
    "daemonsets",
    { name: `svclb-${service}-1a2b3c4d`, namespace: "kube-system", labels },
    { spec: { template: { metadata: { labels }, spec: { containers: [] } } } },
  );
};
const ofClass = (service: string, loadBalancerClass: string) =>
  patchObject("services", service, { spec: { loadBalancerClass } });

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("finds Services that two load balancers serve", async () => {
  const faults = [svclb("httpbin", "httpbin"), svclb("grafana")];
  const [finding] = await findingsOn(id, { faults });
  expect(finding).toMatchObject({
    code: id,
    severity: "error",
    facts: { services: ["grafana/grafana", "httpbin/httpbin"] },
  });
});

it("lets both live side by side by class", async () => {
  const other = ofClass("httpbin", "io.example/other");
  expect(await saidOn(id, { faults: [svclb("httpbin", "httpbin"), other] })).toEqual([]);
  const metallb = withImage("v0.16.1", ["--lb-class=metallb"]);
  expect(await saidOn(id, { faults: [svclb("httpbin", "httpbin"), metallb] })).toEqual([]);
  const mine = ofClass("httpbin", "metallb");
  expect(await saidOn(id, { faults: [svclb("httpbin", "httpbin"), metallb, mine] })).toEqual([
    `${id} goldentooth`,
  ]);
});

it("does not take a namesake in another namespace for the Service, nor a DaemonSet of a Service that is gone", async () => {
  expect(await saidOn(id, { faults: [svclb("httpbin", "default"), svclb("traefik")] })).toEqual([]);
});

it("is unknown where DaemonSets could not be listed", async () => {
  expect(await saidOn(id, { denied: ["daemonsets"] })).toEqual(["unknown denied"]);
});
