import { speakerImages } from "../metallb/speakers.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, passed, skipped, unknown } from "./check.ts";

export const speakerVersions = defineCheck({
  id: "speaker-versions",
  about: "cluster",
  title: "All speakers run one release, and its rules are known",
  codes: ["speaker-versions"],
  page: {
    why: `Each speaker runs the election by itself, by the rules of its own release. Rules changed with 0.11, 0.13, 0.14,
0.15 and 0.16: what counts as an endpoint, whether the exclude label does, what is hashed. Speakers of different releases
can come to different winners, and two nodes answer for one address. A tag that names no release, or a digest alone, leaves
it open which rules they go by; predictions then assume the newest.`,
    looks: `During or after an update that stopped half way, some addresses have two announcers or none. The DaemonSet shows
fewer updated Pods than desired, often because one node is NotReady or its image could not be pulled.`,
    fix: `Finish the roll-out: \`kubectl rollout status daemonset\` in MetalLB's namespace names what holds it up. If the new
release is at fault, \`kubectl rollout undo\` goes back. For a digest without a tag write \`image:tag@digest\`: the tag says
which release it is and changes nothing else.`,
  },
  needs: [],
  reads: ["pods"],
  judge: (_, { cluster, objects }) => {
    const images = speakerImages(objects);
    if (images.length === 0) return skipped("no speaker runs in the cluster");
    const byRelease = Map.groupBy(images, ({ image, version }) => version ?? image);
    if (byRelease.size > 1) {
      const named = images.every(({ version }) => version !== undefined);
      const groups = [...byRelease].toSorted(([, a], [, b]) => b.length - a.length);
      return judged([
        {
          code: "speaker-versions",
          severity: "warning",
          subject: { kind: "cluster", name: cluster },
          facts: {
            releases: groups.map(([release, pods]) => ({ release, nodes: pods.map(({ node }) => node) })),
          },
          text: text`speakers run different ${named ? "releases" : "images, not all of which name a release"}: ${nameList(groups.map(([release, pods]) => `${release} on ${pods.length === 1 ? pods[0]?.node : `${pods.length} nodes`}`))}`,
          remedy: text`Finish the roll-out: ${code("kubectl rollout status daemonset")} names what holds it up`,
        },
      ]);
    }
    const doubt = images.find(({ version }) => version === undefined)?.doubt;
    if (doubt !== undefined)
      return unknown({ kind: "not-modelled", what: "release of the speakers", detail: doubt });
    return passed;
  },
});
