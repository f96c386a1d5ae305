import type { Finding } from "../finding.ts";
import { bgpType, frrOnlyFields } from "../metallb/bgp-type.ts";
import { ownObjects } from "../metallb/own-objects.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged } from "./check.ts";

export const bgpLeftovers = defineCheck({
  id: "bgp-leftovers",
  about: "cluster",
  title: "Nothing of BGP is left where addresses are announced by layer 2 alone",
  codes: ["bgp-leftovers", "native-mode-rejects"],
  page: {
    why: `A BGPPeer keeps every speaker trying to reach its router, for ever. BFDProfiles and Communities do nothing by
themselves, but in native mode a BFDProfile, or a field of a BGPPeer that needs FRR, makes speakers reject the whole
configuration, that of layer 2 included. Speakers that run go on with what they have in memory; those that start have
nothing and announce nothing. Switching FRR off with a BFDProfile left behind is how it happens.`,
    looks: `Speaker logs are full of failed sessions. Or, after a Helm change that turned FRR off, all addresses fall silent
as the speakers roll, and ConfigurationState says Invalid.`,
    fix: `When no router speaks BGP with the cluster any more: save the objects
(\`kubectl get bgppeers,bfdprofiles,communities -A -o yaml\`), delete BGPPeers first, then BFDProfiles and Communities, and
only then switch FRR off. Applying the saved file is the way back. A BGPPeer with an inline password: move it to a Secret
before you save it. Do not restart speakers while the configuration is rejected.`,
  },
  needs: [],
  reads: [
    "pods",
    "daemonsets",
    "ipaddresspools",
    "l2advertisements",
    "bgpadvertisements",
    "bgppeers",
    "bfdprofiles",
    "communities",
  ],
  judge: (_, { cluster, objects, raw }) => {
    const { l2, bgp, speakers } = ownObjects(objects);
    const { namespace } = speakers;
    const named = (kind: string, list: readonly Readonly<{ name: string; namespace: string }>[]) =>
      list
        .filter((each) => namespace === undefined || each.namespace === namespace)
        .map(({ name }) => `${kind} ${name}`);
    const subject = { kind: "cluster", name: cluster } as const;
    const findings: Finding[] = [];
    const type = namespace === undefined ? undefined : bgpType(raw.daemonsets, namespace);
    if (type === "native") {
      const peers = raw.bgppeers
        .filter(({ metadata }) => metadata.namespace === namespace)
        .flatMap((peer) => frrOnlyFields(peer).map((field) => `${field} of BGPPeer ${peer.metadata.name}`));
      const rejected = [...named("BFDProfile", objects.bfdProfiles), ...peers];
      if (rejected.length > 0)
        findings.push({
          code: "native-mode-rejects",
          severity: "error",
          subject,
          facts: { mode: type, rejected },
          text: text`speakers in native mode reject the whole configuration because of ${nameList(rejected)}; restarted, they announce nothing`,
          remedy: text`Do not restart speakers; save and delete ${rejected.length === 1 ? "it" : "them"} first: ${code("/nodes explain bgp-leftovers")}`,
        });
    }
    const left = [
      ...named("BGPPeer", objects.bgpPeers),
      ...named("BFDProfile", objects.bfdProfiles),
      ...named("Community", objects.communities),
    ];
    if (bgp.length === 0 && l2.length > 0 && left.length > 0)
      findings.push({
        code: "bgp-leftovers",
        severity: "warning",
        subject,
        facts: { left, mode: type ?? null },
        text: text`layer 2 alone announces, and ${nameList(left)} ${left.length === 1 ? "is" : "are"} left of BGP`,
        remedy: text`Save them, then delete BGPPeers first, before FRR is switched off`,
      });
    return judged(findings);
  },
});
