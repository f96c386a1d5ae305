import type { WhyNot } from "./announcer.ts";

/** Why nobody, or a node, may announce, in words that follow "nobody:" or a node's name. */
const words: Readonly<Record<WhyNot, string>> = {
  "invalid-configuration": "MetalLB rejects its whole configuration",
  "invalid-address": "the address is none",
  "not-load-balancer-class": "the Service belongs to another load balancer",
  "no-pool": "no pool contains the address",
  "no-servable-endpoint": "the Service has no endpoint that can serve",
  "pool-not-advertised": "no L2Advertisement selects the pool",
  "no-advertisement-selects-service": "no L2Advertisement selects the Service",
  "shared-ip-with-service-selector": "a shared address cannot be selected by Service",
  "memberlist-off": "memberlist is off, and this release then elects nobody",
  "not-a-speaker": "no speaker runs there",
  "network-unavailable": "its network is unavailable",
  cordoned: "it is cordoned",
  "exclude-label": "it is excluded from load balancers by label",
  "no-advertisement-selects-node": "no L2Advertisement selects it",
  "no-local-endpoint": "it hosts no endpoint, and the traffic policy is Local",
};

export const whyNotWords = (code: string): string => words[code as WhyNot] ?? code;
