import { FaultError } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { isFailure } from "../finding.ts";
import type { Json } from "../json.ts";
import { bgpType, frrOnlyFields } from "../metallb/bgp-type.ts";
import { newestVersion } from "../metallb/versions.ts";
import { configurationErrors, configurationStates } from "../migration/configuration-state.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { withoutFrr } from "../migration/helm-values.ts";
import { type MetalLbView, ownOf, viewMetalLb } from "../migration/metallb-view.ts";
import { rolling } from "../migration/rollout.ts";
import { lookOnTheWire } from "../migration/wire.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { noDeeds, type StepContext } from "./step.ts";

/** A speaker takes some seconds to restart, and they do so one after another. */
const rolloutLookMs = 15_000;

const modeOf = (view: MetalLbView): string | undefined => bgpType(view.lists.daemonsets, view.namespace);

/** The Helm release of the speakers, by the marks Helm leaves. */
function releaseOf(view: MetalLbView): string {
  const daemonSet = view.lists.daemonsets.find(({ metadata }) => metadata.namespace === view.namespace);
  return daemonSet?.metadata.annotations?.["meta.helm.sh/release-name"] ?? "metallb";
}

async function values(context: StepContext, view: MetalLbView) {
  const release = releaseOf(view);
  const files = context.ports.config.migration?.helmValues ?? {};
  const file = files[release] ?? files.metallb;
  if (file === undefined) return { release, file: undefined, made: undefined };
  return {
    release,
    file,
    made: withoutFrr(await context.ports.readFile(file), view.version ?? newestVersion),
  };
}

const statesJson = (view: MetalLbView): Json =>
  (configurationStates(view) ?? []).map(({ name, result }) => ({ name, result }));

export const frrOff = defineStep({
  id: "frr-off",
  kind: "manual",
  title: "Switch FRR off",
  reversibleWhile: text`always: apply the old values again; each change rolls the speakers`,
  unneeded: async (context) =>
    modeOf(await viewMetalLb(context)) === "native"
      ? text`the speakers run in native mode already`
      : undefined,
  ready: async (context) => {
    const view = await viewMetalLb(context);
    const rejected = [
      ...ownOf(view, "bfdprofiles").map(({ metadata }) => `BFDProfile ${metadata.name}`),
      ...ownOf(view, "bgppeers").flatMap((peer) =>
        frrOnlyFields(peer).map((field) => `${field} of BGPPeer ${peer.metadata.name}`),
      ),
    ];
    const findings: Finding[] = [...configurationErrors(view)];
    if (rejected.length > 0)
      findings.push(
        finding(
          "native-mode-rejects",
          "error",
          { kind: "config", name: "metallb" },
          text`speakers without FRR would reject the whole configuration because of ${nameList(rejected)}, and announce nothing after their restart`,
          {
            facts: { rejected },
            remedy: text`Remove them first: steps remove-bgp-peers and remove-bfd-profiles`,
          },
        ),
      );
    const { made, file } = await values(context, view);
    if (made !== undefined && "problem" in made)
      findings.push(
        finding(
          "helm-values-unreadable",
          "warning",
          { kind: "config", name: file ?? "values" },
          text`${file ?? ""}: ${made.problem}`,
          {
            remedy: text`Correct the file under ${code("migration.helmValues")}`,
          },
        ),
      );
    else
      for (const key of made?.unknownKeys ?? [])
        findings.push(
          finding(
            "helm-value-unknown",
            "info",
            { kind: "config", name: file ?? "values" },
            text`MetalLB's chart has no value ${code(key)}: it is taken in silence and makes nothing. Pools and advertisements are objects of their own`,
            { facts: { key } },
          ),
        );
    return findings;
  },
  plan: async (context) => {
    const view = await viewMetalLb(context);
    const { release, file, made } = await values(context, view);
    const before = { mode: modeOf(view) ?? null, states: statesJson(view) };
    const instruct = [
      text`Apply the values to release ${code(release)} beside those it has (they say only what changes: ${code("helm upgrade --reuse-values")}, or the same keys in its values) in ${code(view.namespace)}, with the chart version that is installed, as this release was always applied (Helm, or its values in Git)`,
      text`The speakers roll one after another, and each address moves to the next node while its announcer restarts: Helm's chart gives a speaker no time to say goodbye, so that takes as long as a crash`,
      text`Way back: the old values`,
    ];
    if (made === undefined || "problem" in made)
      return {
        ...noDeeds,
        instructions: [
          text`Hand over the values in use first: ${code(`helm get values ${release} -n ${view.namespace} > values.yaml`)}, and name the file under ${code("migration.helmValues")}`,
          text`Without the file: set ${code("speaker.frr.enabled: false")} and, where the chart has it, ${code("frrk8s.enabled: false")}`,
          ...instruct,
        ],
        prediction: [text`the speakers come up in native mode; layer 2 goes on`],
        predicted: { before },
      };
    return {
      ...noDeeds,
      deeds: [
        {
          id: "hand-over-values",
          title: `hand over values for release ${release} with FRR off`,
          kind: "document",
          name: `${release}-values.yaml`,
          text: made.text,
        },
      ],
      instructions: instruct,
      prediction: [text`the speakers come up in native mode; layer 2 goes on`],
      predicted: { before, changed: made.changed.map((each) => ({ ...each })) },
      blocks: [
        {
          kind: "table",
          title: `Values of ${file ?? release}`,
          columns: [{ title: "key" }, { title: "now" }, { title: "then" }],
          rows: made.changed.map(({ key, from, to }) => [[code(key)], [from], [to]]),
        },
        {
          kind: "evidence",
          title: "ConfigurationState before",
          lines: (configurationStates(view) ?? []).map(({ name, result, error }) =>
            `${name}  ${result}  ${error}`.trim(),
          ),
        },
      ],
    };
  },
  verify: async (context) => {
    const view = await viewMetalLb(context);
    const mode = modeOf(view);
    const states = configurationStates(view);
    const block = {
      kind: "evidence",
      title: "ConfigurationState after",
      lines: (states ?? []).map(({ name, result, error }) => `${name}  ${result}  ${error}`.trim()),
    } as const;
    const notes: Json = { mode: mode ?? null, states: statesJson(view) };
    if (mode === undefined)
      throw new FaultError({
        kind: "unreadable",
        what: "speaker DaemonSet",
        detail: `none in ${view.namespace}`,
      });
    const second = view.lists.daemonsets.filter(
      ({ metadata }) => metadata.namespace === view.namespace && /frr-k8s/.test(metadata.name),
    );
    if (mode !== "native" || second.length > 0)
      return verified(
        "failed",
        second.length > 0 && mode === "native"
          ? text`DaemonSet ${second.map(({ metadata }) => metadata.name).join(", ")} still runs: frrk8s.enabled is not off`
          : text`the speakers still run in ${mode} mode: the values are not applied yet`,
        { blocks: [block], notes },
      );
    const under = rolling(view);
    if (under.length > 0)
      return verified(
        "waiting",
        text`the speakers still restart: ${under.map(({ name, wanted, renewed, ready }) => `${renewed} of ${wanted} of ${name} renewed, ${ready} ready`).join("; ")}`,
        { until: context.ports.clock.now() + rolloutLookMs, blocks: [block], notes },
      );
    const wire = await lookOnTheWire(context);
    const findings = [...configurationErrors(view), ...wire.findings];
    return verified(
      findings.some(isFailure) ? "failed" : findings.length > 0 ? "unknown" : "passed",
      findings.length === 0
        ? text`the speakers run in native mode, accept the configuration, and ${wire.results.length} addresses answer`
        : text`the speakers run in native mode, and ${findings.length} things are not right`,
      { findings, blocks: [block, ...wire.blocks], notes },
    );
  },
});
