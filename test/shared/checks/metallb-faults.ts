import { mergePatch } from "#shared/kubernetes/merge-patch.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";

type Container = Readonly<{ name: string; env?: readonly Readonly<{ name: string }>[] }>;

const isSpeaker = (object: KubeObject): boolean =>
  object.metadata.labels?.["app.kubernetes.io/component"] === "speaker";

/** Changes the container of the speakers, in the DaemonSet and in the Pods `where` holds for. */
function withSpeakers(
  change: (container: Container) => Container,
  where: (object: KubeObject) => boolean = () => true,
): SiteFault {
  const changed = (containers: readonly Container[]): readonly Container[] =>
    containers.map((each) => (each.name === "speaker" ? change(each) : each));
  return (spec) => ({
    ...spec,
    objects: spec.objects.map((each) => {
      if (!isSpeaker(each.object) || !where(each.object)) return each;
      // biome-ignore lint/suspicious/noExplicitAny: the sites' own objects, whose shape is known
      const { template, containers } = each.object.spec as any;
      const patch = template
        ? { spec: { template: { spec: { containers: changed(template.spec.containers) } } } }
        : { spec: { containers: changed(containers) } };
      return { ...each, object: mergePatch(each.object, patch) as KubeObject };
    }),
  });
}

/** Speakers of another image tag (or whole image), with these arguments. */
export const withImage = (
  tag: string,
  args: readonly string[] = [],
  where?: (object: KubeObject) => boolean,
): SiteFault =>
  withSpeakers(
    (container) => ({
      ...container,
      image: tag.includes("/") ? tag : `quay.io/metallb/speaker:${tag}`,
      args,
    }),
    where,
  );

/** Speakers with these environment variables left out. */
export const withoutEnv = (...names: readonly string[]): SiteFault =>
  withSpeakers((container) => ({
    ...container,
    env: (container.env ?? []).filter(({ name }) => !names.includes(name)),
  }));

export const withEnv = (name: string, value: string): SiteFault =>
  withSpeakers((container) => ({
    ...container,
    env: [...(container.env ?? []).filter((each) => each.name !== name), { name, value }],
  }));

export const withoutSpeakers: SiteFault = (spec) => ({
  ...spec,
  objects: spec.objects.filter(({ object }) => !isSpeaker(object)),
});
