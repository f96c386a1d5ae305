import { expect, it } from "vitest";
import { plain } from "#shared/text.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { judgedBy, labSite, registered, told } from "./gathered.ts";
import { findingsOn, saidOn } from "./on-site.ts";

const id = "address-ends-in-0-or-255";
const on = (ips: readonly string[], lanPrefix = "10.4.0.0/20", type = "LoadBalancer") =>
  told(
    judgedBy(registered(id), {
      site: { ...labSite, lanPrefix },
      lists: {
        services: [
          {
            metadata: { name: "web", namespace: "default" },
            spec: { type },
            status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
          },
        ],
        ipaddresspools: [
          {
            metadata: { name: "primary", namespace: "metallb" },
            spec: { addresses: ["10.4.0.0/16", "fd00::/112"] },
          },
        ],
      },
    }),
  );

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it("finds the address of the story, legal as it is", async () => {
  const [finding, ...others] = await findingsOn(id, { spec: goldentooth() });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: id,
    severity: "warning",
    subject: { kind: "address", name: "10.4.11.0" },
    facts: { service: "argocd/argocd", lanPrefix: "10.4.0.0/20" },
  });
  expect(plain(finding?.remedy ?? [])).toContain("avoidBuggyIPs alone re-addresses it at once");
});

it.each([
  [["10.4.11.0"], [`${id} 10.4.11.0`]],
  [["10.4.12.255"], [`${id} 10.4.12.255`]],
  [["10.4.11.10", "10.4.11.25"], []],
  [["fd00::", "fd00::255"], []],
  [["192.168.1.0"], []],
  [["10.4.15.255"], []],
] as const)("%s", (ips, said) => {
  expect(on(ips)).toEqual(said);
});

it("leaves the segment's edges to pool-overlaps, and other Services alone", () => {
  expect(on(["10.4.11.0", "10.4.11.255"], "10.4.11.0/24")).toEqual([]);
  expect(on(["10.4.11.0"], "10.4.0.0/20", "ClusterIP")).toEqual([]);
});

it("is unknown where Services could not be listed", async () => {
  expect(await saidOn(id, { denied: ["services"] })).toEqual(["unknown denied"]);
});
