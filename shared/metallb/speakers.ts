import type { DaemonSetObject, MetalLbObjects, PodObject } from "./resources.ts";
import { knownVersion } from "./versions.ts";

/** What the speaker DaemonSet and its Pods say about how MetalLB runs here. */
export type SpeakerSettings = Readonly<{
  /** MetalLB's namespace; `undefined` when neither DaemonSet nor Pods are in the objects. */
  namespace: string | undefined;
  /** A release whose rules are known; `undefined` with `versionDoubt` saying why. */
  version: string | undefined;
  versionDoubt: string | undefined;
  image: string | undefined;
  memberlist: "on" | "off" | undefined;
  ignoreExcludeLb: boolean | undefined;
  loadBalancerClass: string | undefined;
  /** `--log-level`; speakers say `info` and worse without it. */
  logLevel: string | undefined;
  /** Nodes with a running, ready speaker; `undefined` when no speaker Pod is in the objects. */
  speakerNodes: readonly string[] | undefined;
}>;

type Container = DaemonSetObject["containers"][number];

// Labels of the manifests and of the Helm chart (charts/metallb/templates/speaker.yaml, v0.16.1).
const isSpeaker = (labels: Readonly<Record<string, string>>): boolean =>
  (labels.app === "metallb" && labels.component === "speaker") ||
  (labels["app.kubernetes.io/name"] === "metallb" && labels["app.kubernetes.io/component"] === "speaker");

const speakerContainer = (containers: readonly Container[]): Container | undefined =>
  containers.find(({ name }) => name === "speaker") ??
  containers.find(({ image }) => /(^|\/)(metallb-)?speaker([:@]|$)/.test(image ?? "")) ??
  containers[0];

const isRunning = (pod: PodObject): boolean =>
  pod.deletionTimestamp === undefined && pod.phase === "Running" && pod.ready !== false;

const flagValue = (container: Container, flag: string): string | undefined => {
  const words = [...container.command, ...container.args];
  const at = words.findLastIndex((word) => new RegExp(`^--?${flag}(=|$)`).test(word));
  const word = words[at];
  if (word === undefined) return undefined;
  return word.includes("=") ? word.slice(word.indexOf("=") + 1) : "";
};

function imageVersion(image: string | undefined): Readonly<{ version?: string; doubt?: string }> {
  if (image === undefined) return { doubt: "the speaker's image is not in the data" };
  const path = image.split("@")[0] ?? "";
  const tag = /:([^/:]+)$/.exec(path)?.[1];
  if (tag === undefined) return { doubt: `the speaker's image ${image} names no tag` };
  const bare = /^v?(\d+\.\d+\.\d+)/.exec(tag)?.[1];
  const version = bare === undefined ? undefined : knownVersion(bare);
  if (version !== undefined) return { version };
  if (bare !== undefined)
    return { doubt: `the speaker's image tag ${tag} is a release whose rules are not known here` };
  return { doubt: `the speaker's image tag ${tag} names no release` };
}

/** Derives version, flags and running speakers; everything that cannot be derived stays `undefined`. */
export function speakerSettings(objects: MetalLbObjects): SpeakerSettings {
  const daemonSet = objects.daemonSets.find(
    ({ labels, podLabels }) => isSpeaker(podLabels) || isSpeaker(labels),
  );
  const pods = objects.pods.filter(({ labels }) => isSpeaker(labels));
  const container = speakerContainer(daemonSet?.containers ?? pods.find(isRunning)?.containers ?? []);
  const { version, doubt } = imageVersion(container?.image);
  const env = (name: string): boolean =>
    container?.env.some((entry) => entry.name === name && entry.set) ?? false;
  const given = (flag: string): boolean =>
    container !== undefined && (flagValue(container, flag) ?? "") !== "";
  // A speaker cannot start without its node's name, so a container that shows neither is a shortened copy.
  const whole = env("METALLB_NODE_NAME") || given("node-name");
  const ignore = container && flagValue(container, "ignore-exclude-lb");
  const lbClass = container && flagValue(container, "lb-class");
  return {
    namespace: daemonSet?.namespace ?? pods[0]?.namespace,
    version,
    versionDoubt: doubt,
    image: container?.image,
    memberlist:
      (env("METALLB_ML_BIND_ADDR") || given("ml-bindaddr")) &&
      (env("METALLB_ML_LABELS") || given("ml-labels"))
        ? "on"
        : whole
          ? "off"
          : undefined,
    ignoreExcludeLb:
      container === undefined
        ? undefined
        : ignore !== undefined && !["false", "0", "f"].includes(ignore.toLowerCase()),
    loadBalancerClass: lbClass || undefined,
    logLevel: (container && flagValue(container, "log-level")) || (whole ? "info" : undefined),
    speakerNodes:
      pods.length === 0
        ? undefined
        : [...new Set(pods.filter(isRunning).flatMap(({ nodeName }) => (nodeName ? [nodeName] : [])))].sort(),
  };
}

/** Where the log of each node's running speaker is read. */
export const speakerLogSources = (
  objects: MetalLbObjects,
): readonly Readonly<{ node: string; namespace: string; pod: string; container: string }>[] =>
  objects.pods
    .filter((pod) => isSpeaker(pod.labels) && isRunning(pod) && (pod.nodeName ?? "") !== "")
    .map((pod) => ({
      node: pod.nodeName ?? "",
      namespace: pod.namespace,
      pod: pod.name,
      container: speakerContainer(pod.containers)?.name ?? "speaker",
    }));

/** The image of every speaker Pod that runs, with the release it names or why it names none. */
export const speakerImages = (
  objects: MetalLbObjects,
): readonly Readonly<{ pod: string; node: string; image: string; version?: string; doubt?: string }>[] =>
  objects.pods
    .filter((pod) => isSpeaker(pod.labels) && isRunning(pod))
    .map((pod) => {
      const image = speakerContainer(pod.containers)?.image;
      return { pod: pod.name, node: pod.nodeName ?? "", image: image ?? "", ...imageVersion(image) };
    });
