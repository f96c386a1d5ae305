import type { Finding } from "../finding.ts";
import { advertisementsFor, excludeLabel, honoursExcludeLabel, ownObjects } from "../metallb/own-objects.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, passed, skipped } from "./check.ts";

const controlPlane = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

export const excludeLabelCheck = defineCheck({
  id: "exclude-label",
  about: "cluster",
  title: "No candidate for announcing is excluded by label",
  codes: ["exclude-label", "exclude-label-everywhere"],
  page: {
    why: `Since 0.14.0 MetalLB elects no node that has the label \`${excludeLabel}\`, whatever its value. kubeadm and
Talos put it on control planes. Where those are the only nodes with a speaker, or the only ones that an advertisement
selects, nobody is left: the address is assigned and nobody answers. \`--ignore-exclude-lb\` (0.14.4, Helm:
\`speaker.ignoreExcludeLB\`) makes speakers disregard the label.`,
    looks: `After an update from 0.13 all addresses are silent, without an error in any log. Services keep their addresses,
and no \`nodeAssigned\` event comes any more. Where only some nodes have the label, nothing is wrong but that fewer can take
over.`,
    fix: `Decide which nodes shall announce. Take the label off those (\`kubectl label node NAME ${excludeLabel}-\`), or set
\`speaker.ignoreExcludeLB: true\`, which rolls the speakers. Both can be undone the same way. Taking the label off moves
addresses: the election is run again and nodes with a lower hash take theirs.`,
  },
  needs: [],
  reads: ["nodes", "pods", "daemonsets", "ipaddresspools", "l2advertisements"],
  judge: (_, { cluster, objects }) => {
    const own = ownObjects(objects);
    const { speakers } = own;
    if (speakers.namespace === undefined) return skipped("no MetalLB speaker in the cluster");
    if (!honoursExcludeLabel(own))
      return skipped(
        own.rules.excludeLabel
          ? "the speakers run with --ignore-exclude-lb"
          : `MetalLB ${speakers.version} does not look at the label`,
      );
    const withSpeaker = objects.nodes.filter(({ name }) => speakers.speakerNodes?.includes(name) ?? true);
    const labelled = withSpeaker.filter(({ labels }) => Object.hasOwn(labels, excludeLabel));
    if (labelled.length === 0) return passed;
    const names = labelled.map(({ name }) => name);
    const silent = own.pools.flatMap((pool): Finding[] => {
      const candidates = withSpeaker.filter((node) => advertisementsFor(own, pool, node).length > 0);
      if (candidates.length === 0 || !candidates.every(({ name }) => names.includes(name))) return [];
      return [
        {
          code: "exclude-label-everywhere",
          severity: "error",
          subject: { kind: "pool", name: pool.name },
          facts: { label: excludeLabel, nodes: candidates.map(({ name }) => name) },
          text: text`nobody announces pool ${pool.name}: all ${candidates.length} candidates are excluded by label`,
          remedy: text`Take ${code(excludeLabel)} off the nodes that shall announce: ${code("/nodes explain exclude-label")}`,
        },
      ];
    });
    if (silent.length > 0) return judged(silent);
    const usual = labelled.every(({ labels }) => controlPlane.some((role) => Object.hasOwn(labels, role)));
    return judged([
      {
        code: "exclude-label",
        severity: usual ? "info" : "warning",
        subject: { kind: "cluster", name: cluster },
        facts: { label: excludeLabel, nodes: names, candidates: withSpeaker.length - names.length },
        text: text`${names.length} of ${withSpeaker.length} nodes with a speaker are excluded by label${usual ? ", control planes all" : ""}: ${nameList(names)}`,
        remedy: usual
          ? text`Nothing to do where that is meant`
          : text`Take ${code(excludeLabel)} off where it is not meant; addresses move when you do`,
      },
    ]);
  },
});
