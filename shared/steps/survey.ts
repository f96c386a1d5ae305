import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import { servedAddresses } from "../migration/addresses.ts";
import { bgpStateOf } from "../migration/bgp-state.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { managerOf, managerText, putsBack } from "../migration/managers.ts";
import { type MetalLbView, ownOf, touchedKinds, viewMetalLb } from "../migration/metallb-view.ts";
import { hasInlinePassword, titleOf } from "../migration/objects.ts";
import { text } from "../text.ts";
import { noDeeds } from "./step.ts";

/** Everything the run may touch, with who manages it. */
export const surveyed = (view: MetalLbView) =>
  touchedKinds.flatMap((kind) =>
    ownOf(view, kind).map((object) => {
      const manager = managerOf(kind, object, view.gitOps);
      return { kind, object, title: titleOf(kind, object), manager, back: putsBack(manager) };
    }),
  );

/** The speakers themselves: only their Helm values are changed, by a person. */
const speakersOf = (view: MetalLbView) =>
  view.lists.daemonsets
    .filter(({ metadata }) => metadata.namespace === view.namespace)
    .map((object) => {
      const manager = managerOf("daemonsets", object, view.gitOps);
      return { title: titleOf("daemonsets", object), manager, back: putsBack(manager) };
    });

function passwordFindings(view: MetalLbView): readonly Finding[] {
  return view.lists.bgppeers
    .filter((peer) => hasInlinePassword("bgppeers", peer))
    .map((peer) =>
      finding(
        "bgppeer-inline-password",
        "warning",
        { kind: "config", name: titleOf("bgppeers", peer) },
        text`${titleOf("bgppeers", peer)} carries its password as plain text; it is not deleted, and cannot be recreated from the snapshot, until it refers to a Secret`,
        { remedy: text`Move the password to a Secret and set passwordSecret; then go on` },
      ),
    );
}

export const survey = defineStep({
  id: "survey",
  kind: "check",
  title: "Survey",
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async (context) => {
    const view = await viewMetalLb(context);
    return {
      ...noDeeds,
      prediction: [
        text`${surveyed(view).length} objects of MetalLB may be touched, ${servedAddresses(view).length} addresses depend on them`,
      ],
      predicted: null,
    };
  },
  verify: async (context) => {
    const view = await viewMetalLb(context);
    const objects = surveyed(view);
    const findings: Finding[] = [];
    for (const [kind, listed] of Object.entries(view.gitOps))
      if (isFault(listed) && listed.kind !== "not-configured")
        findings.push(
          finding(
            "gitops-unseen",
            "unknown",
            { kind: "cluster", name: context.run.cluster },
            text`${kind} could not be listed (${listed.detail}): whether somebody puts objects back is not known`,
            { remedy: text`Grant list on ${kind}` },
          ),
        );
    for (const { title, manager, back } of objects)
      if (back !== false)
        findings.push(
          finding(
            back === "unknown" ? "manager-unknown" : "managed-and-synced",
            "info",
            { kind: "config", name: title },
            back === "unknown"
              ? text`${managerText(manager)} wrote ${title}, and cannot be looked at here`
              : text`${managerText(manager)} puts ${title} back: it is changed at its source, or its sync is paused first`,
            { facts: { manager: managerText(manager) } },
          ),
        );
    findings.push(...passwordFindings(view).map((each) => ({ ...each, severity: "info" as const })));
    const bgp = await bgpStateOf(context, view);
    if (bgp.state === "down")
      findings.push(
        finding(
          "repair-not-migration",
          "info",
          { kind: "cluster", name: context.run.cluster },
          text`BGP is down already: this is a repair, not a migration, and no gap of it will be measured`,
          { facts: { evidence: [...bgp.evidence] } },
        ),
      );
    if (bgp.state === "unknown")
      findings.push(
        finding(
          "bgp-state-unknown",
          "info",
          { kind: "cluster", name: context.run.cluster },
          text`whether BGP carries traffic now cannot be seen; it is taken to, which costs nothing`,
          { facts: { evidence: [...bgp.evidence] } },
        ),
      );
    const managed = objects.filter(({ manager }) => manager.by !== "nobody");
    const unseen = findings.some(({ severity }) => severity === "unknown");
    const intervals = objects.flatMap(({ manager }) =>
      manager.by === "flux" ? (manager.intervalSeconds ?? 600) : manager.by === "argo-cd" ? 180 : [],
    );
    const notes: Json = {
      bgp: bgp.state,
      metallb: view.version ?? null,
      namespace: view.namespace,
      objects: objects.length,
      managed: Object.fromEntries(managed.map(({ title, manager }) => [title, managerText(manager)])),
      syncSeconds: intervals.length === 0 ? null : Math.max(...intervals),
    };
    return verified(
      unseen ? "unknown" : "passed",
      bgp.state === "down"
        ? text`${objects.length} objects, ${managed.length} managed by others; BGP is down already: repair, not migration`
        : text`${objects.length} objects, ${managed.length} managed by others; BGP ${bgp.state === "up" ? "carries traffic" : bgp.state === "unknown" ? "may carry traffic" : "is not configured"}`,
      {
        findings,
        notes,
        blocks: [
          {
            kind: "table",
            title: "Who manages what the run may touch",
            columns: [{ title: "object" }, { title: "managed by" }, { title: "a direct write" }],
            rows: [...objects, ...speakersOf(view)].map(({ title, manager, back }) => [
              [title],
              [managerText(manager)],
              [back === true ? "would be undone" : back === "unknown" ? "may be undone" : "stays"],
            ]),
          },
          { kind: "evidence", title: "BGP", lines: bgp.evidence },
        ],
      },
    );
  },
});

/** What the survey wrote down about BGP. */
export function bgpNoted(notes: Readonly<Record<string, Json>>): string | undefined {
  const noted = notes.survey;
  return typeof noted === "object" && noted !== null && "bgp" in noted && typeof noted.bgp === "string"
    ? noted.bgp
    : undefined;
}
