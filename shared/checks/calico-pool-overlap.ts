import { calicoObjects } from "../calico/resources.ts";
import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { common, rangesOf, rangesText } from "../metallb/address-ranges.ts";
import { text } from "../text.ts";
import { defineCheck, judged, unknown } from "./check.ts";

export const calicoPoolOverlap = defineCheck({
  id: "calico-pool-overlap",
  about: "cluster",
  title: "Calico gives no Pod an address of a MetalLB pool",
  codes: ["calico-pool-overlap"],
  page: {
    why: `Calico's IPPools and MetalLB's pools know nothing of each other. Where they overlap, a Pod and a Service can have
one address: nodes route it to the Pod, the segment asks the speakers for it. Calico also masquerades nothing that goes to
an address of its IPPools, so replies leave with a source that nobody outside expects.`,
    looks: `One Service answers from outside and not from Pods, or the other way round, and another Pod than the Service's
gets the packets. It depends on which addresses happen to be in use.`,
    fix: `Move MetalLB's pool, which is the smaller step: add the new range, give Services new addresses one by one, then
take the old range out. An IPPool is moved by adding another, disabling the old one and restarting Pods. Until the last step
the old range is the way back.`,
  },
  needs: [],
  reads: ["ipaddresspools", "ippools"],
  judge: (_, { objects, raw }) => {
    const ipPools = calicoObjects("ippools", raw.ippools);
    if (isFault(ipPools)) return unknown(ipPools);
    return judged(
      objects.ipAddressPools.flatMap((pool) =>
        ipPools.flatMap(({ name, spec }): Finding[] => {
          const both = common(rangesOf(pool.addresses), rangesOf([spec.cidr]));
          if (both.length === 0) return [];
          return [
            {
              code: "calico-pool-overlap",
              severity: "error",
              subject: { kind: "pool", name: pool.name },
              facts: { ipPool: name, cidr: spec.cidr, both: rangesText(both) },
              text: text`pool ${pool.name} and Calico's IPPool ${name} (${spec.cidr}) share ${rangesText(both)}`,
              remedy: text`Move MetalLB's pool: new range first, Services one by one, old range last`,
            },
          ];
        }),
      ),
    );
  },
});
