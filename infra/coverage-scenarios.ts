import type { Site } from "#shared/site/site.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { addObject, onMachine, wifiOn } from "#shared/twin/sites/faults.ts";
import { goldentoothBgp } from "#shared/twin/sites/goldentooth-bgp.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import type { StoredObject } from "#shared/twin/sites/stored-object.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { layer2Scenarios } from "./coverage-scenarios-layer2.ts";
import {
  advertisement,
  bgpLeft,
  healthyWith,
  illegal,
  namespace,
  planned,
  vantageOn,
  vantageRoutes,
} from "./coverage-sites.ts";

/** A site with something wrong, what to ask about it, and the codes that must come. */
export type Scenario = Readonly<{
  /** Of `coverageLines`. */
  lines: readonly string[];
  words: string;
  site: () => SiteSpec;
  /** What the config says beside the usual. */
  config?: Partial<Site>;
  /** Values of MetalLB's chart that a person handed over. */
  helmValues?: string;
  /** Objects that the webhook would have refused, as if it had been off. */
  pastTheWebhook?: readonly StoredObject[];
  /** What happens a minute after the start; another minute passes before anybody asks. */
  afterwards?: (twin: Twin) => void;
  /** Words of a command; without them every check runs. */
  ask?: string;
  /** Codes that must be among those that come. */
  expect: readonly string[];
}>;

/** Every scenario, by the first line it covers. A line may have several; a line without one is not caught yet. */
export const scenarios: readonly Scenario[] = [
  ...layer2Scenarios,
  {
    lines: ["B2"],
    words: "a star as hostname, applied while the webhook was off",
    site: healthy,
    pastTheWebhook: [illegal],
    expect: ["illegal-selector"],
  },
  {
    lines: ["B27"],
    words: "Helm values with spec.l2Advertisements, which the chart takes in silence",
    site: goldentoothBgp,
    helmValues: "spec:\n  l2Advertisements:\n    - name: primary\n      interfaces: [eth0]\n",
    ask: "migrate plan bgp-to-l2",
    expect: ["helm-value-unknown"],
  },
  {
    lines: ["B3"],
    words: "an advertisement without limits beside the one for eth0",
    site: healthyWith(addObject("l2advertisements", { name: "open", namespace })),
    expect: ["restriction-cancelled"],
  },
  {
    lines: ["B5"],
    words: "a router with a /24 on the LAN and a route for a fifth of the pool",
    site: healthy,
    config: {
      routerIp: "10.4.0.1",
      routerPrefix: 24,
      staticRoutes: [{ to: "10.4.11.0/24", via: "10.4.0.2" }],
    },
    expect: ["pool-not-covered-by-router"],
  },
  {
    lines: ["B6"],
    words: "a route for what the router has on its own wire",
    site: healthy,
    config: {
      routerIp: "10.4.0.1",
      routerPrefix: 20,
      staticRoutes: [{ to: "10.4.11.0/24", via: "10.4.0.2" }],
    },
    expect: ["static-route-inside-lan"],
  },
  {
    lines: ["B7", "B8"],
    words: "a route to the pool by way of a node",
    site: healthy,
    config: { routerIp: "10.4.0.1", staticRoutes: [{ to: "10.4.11.0/24", via: "10.4.0.13" }] },
    expect: ["static-route-via-node"],
  },
  {
    lines: ["B8", "B18"],
    words: "a node that reaches the pool by a gateway",
    site: healthyWith(
      onMachine("dalt", {
        routes: [
          { dst: "default", gateway: "10.4.0.1", dev: "eth0" },
          { dst: "10.4.11.0/24", gateway: "10.4.0.11", dev: "eth0" },
        ],
      }),
    ),
    expect: ["route-via-gateway"],
  },
  {
    lines: ["B9", "B18"],
    words: "the host that is tested from has a route through a node",
    site: healthyWith(vantageRoutes("ops-host", { dst: "10.4.11.0/24", gateway: "10.4.0.11", dev: "eth0" })),
    expect: ["vantage-route-via-node"],
  },
  {
    lines: ["B16"],
    words: "asked from the node that announces",
    site: healthyWith(vantageOn("cargyll")),
    ask: "arping httpbin --from cargyll",
    expect: ["could-not-look"],
  },
  {
    lines: ["B21"],
    words: "Wi-Fi taken down by hand while its manager would bring it up",
    site: healthyWith(wifiOn("dalt", "10.4.1.22/20")),
    afterwards: (twin) => twin.setLink("dalt", "wlan0", { up: false }),
    expect: ["wifi-off-until-restart"],
  },
  {
    lines: ["B22"],
    words: "Calico on the Wi-Fi address, first-found over two NICs",
    site: goldentoothL2,
    expect: ["calico-address-nic", "calico-autodetection"],
  },
  {
    lines: ["B23"],
    words: "a domain filter replaced in place: the old zone's records are left",
    site: goldentoothL2,
    ask: "migrate plan dns-domain-move --from hellholt.net --to services.k8s.goldentooth.net",
    expect: ["old-records-out-of-sight"],
  },
  {
    lines: ["B25"],
    words: "ExternalDNS 0.22 over annotations of the old prefix",
    site: planned({ externalDns: { version: "0.22.0", domains: ["goldentooth.net"], policy: "sync" } }),
    ask: "migrate plan dns-domain-move --from hellholt.net --to services.k8s.goldentooth.net",
    expect: ["annotation-ignored"],
  },
  {
    lines: ["B26"],
    words: "*.goldentooth.net over deeper names, from an issuer with HTTP-01 alone",
    site: healthyWith(
      addObject(
        "certificates",
        { name: "goldentooth-wildcard", namespace: "default" },
        {
          spec: {
            secretName: "goldentooth-wildcard-tls",
            dnsNames: ["*.goldentooth.net", "goldentooth.net"],
          },
        },
      ),
      addObject(
        "clusterissuers",
        { name: "letsencrypt-prod" },
        {
          spec: {
            acme: {
              server: "https://acme-v02.api.letsencrypt.org/directory",
              solvers: [{ http01: { ingress: {} } }],
            },
          },
        },
      ),
    ),
    ask: "migrate plan wildcard-tls --from hellholt.net --to goldentooth.net",
    expect: ["wildcard-too-short", "issuer-without-dns01"],
  },
  {
    lines: ["B28"],
    words: "native mode with a BFDProfile left",
    site: healthyWith(...bgpLeft(["bfdprofiles"])),
    expect: ["native-mode-rejects"],
  },
  {
    lines: ["B29"],
    words: "a BGPPeer left where layer 2 announces",
    site: healthyWith(...bgpLeft(["bgppeers", "bfdprofiles"])),
    expect: ["bgp-leftovers"],
  },
  {
    lines: ["B30"],
    words: "a pool among the DHCP leases",
    site: healthy,
    config: { dhcpRanges: ["10.4.12.0-10.4.12.200"] },
    expect: ["pool-overlaps-dhcp"],
  },
  {
    lines: ["B31"],
    words: "an advertisement that selects one node: then all traffic does pass it",
    site: healthyWith(
      advertisement({
        interfaces: ["eth0"],
        nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "dalt" } }],
      }),
    ),
    ask: "nodes impact",
    expect: ["announcer-concentration", "address-no-successor"],
  },
];
