import { isSecretFlag } from "../dns/snapshot.ts";
import { delegationFindings } from "../domain-move/asking.ts";
import { type DnsView, viewDns, wishesOf } from "../domain-move/dns-view.ts";
import { leftInOldDomain } from "../domain-move/foresee.ts";
import { namedKinds } from "../domain-move/hostnames.ts";
import { isNew, isOld, movedName, moveOf } from "../domain-move/move.ts";
import type { Publisher } from "../domain-move/publishers.ts";
import { looksAt } from "../domain-move/publishers.ts";
import { longestOldTtl, oldNames } from "../domain-move/quiet.ts";
import { publishersFindings, releaseText, unseenManagers } from "../domain-move/say.ts";
import { isFault } from "../fault.ts";
import { type Finding, isFailure } from "../finding.ts";
import type { Json } from "../json.ts";
import { defineStep, finding, verified } from "../migration/define-step.ts";
import { managerOf, managerText, putsBack } from "../migration/managers.ts";
import { titleOf } from "../migration/objects.ts";
import { code, text } from "../text.ts";
import { noDeeds } from "./step.ts";

function ignoredFindings(view: DnsView, readers: readonly Publisher[]): readonly Finding[] {
  const told = new Map<string, Finding>();
  for (const reader of readers)
    for (const { endpoint, ignoredPrefix, why } of wishesOf(reader, view.lists).dropped) {
      if (ignoredPrefix === undefined) continue;
      if (!isOld(endpoint.name, view.move) && !isNew(endpoint.name, view.move)) continue;
      const resource = endpoint.labels.resource ?? endpoint.name;
      told.set(
        `${reader.name} ${resource}`,
        finding(
          "annotation-ignored",
          "warning",
          { kind: "service", name: resource.replace(/^service\//, "") },
          text`${resource} asks for ${endpoint.name} in vain of ${reader.name}: ${why}`,
          {
            facts: { prefix: ignoredPrefix, name: endpoint.name },
            remedy: text`Annotate it under ${code(reader.read?.settings.annotationPrefix ?? "")}`,
          },
        ),
      );
    }
  return [...told.values()];
}

function managedFindings(view: DnsView): readonly Finding[] {
  const objects = [
    ...view.movers.map(({ object }) => ({ kind: "deployments" as const, object })),
    ...namedKinds.flatMap((kind) =>
      view.lists[kind]
        .filter((object) =>
          JSON.stringify([object.metadata.annotations, object.spec]).includes(view.move.from),
        )
        .map((object) => ({ kind, object })),
    ),
  ];
  return objects.flatMap(({ kind, object }) => {
    const manager = managerOf(kind, object, view.gitOps);
    const back = putsBack(manager);
    if (back === false) return [];
    return [
      finding(
        back === "unknown" ? "manager-unknown" : "managed-and-synced",
        "info",
        { kind: "config", name: titleOf(kind, object) },
        back === "unknown"
          ? text`${managerText(manager)} wrote ${titleOf(kind, object)}, and cannot be looked at here`
          : text`${managerText(manager)} puts ${titleOf(kind, object)} back: it is changed at its source, or its sync is paused first`,
        { facts: { manager: managerText(manager) } },
      ),
    ];
  });
}

const syncSeconds = (view: DnsView): number | null => {
  const intervals = [
    ...view.movers.map(({ manager }) => manager),
    ...namedKinds.flatMap((kind) => view.lists[kind].map((object) => managerOf(kind, object, view.gitOps))),
  ].flatMap((manager) =>
    manager.by === "flux" ? (manager.intervalSeconds ?? 600) : manager.by === "argo-cd" ? 180 : [],
  );
  return intervals.length === 0 ? null : Math.max(...intervals);
};

/** Records of ours in the old domain that no ExternalDNS looks at: its filter was replaced in place. */
async function outOfSight(view: DnsView): Promise<readonly Finding[]> {
  if (isFault(view.oldZone)) return [];
  const { records } = await leftInOldDomain(view, view.publishers);
  const unseen = records.filter(({ name }) => !view.publishers.some((each) => looksAt(each, name)));
  return unseen.length === 0
    ? []
    : [
        finding(
          "old-records-out-of-sight",
          "warning",
          { kind: "zone", name: view.oldZone.name },
          text`${unseen.length} records of ${[...new Set(unseen.map(({ publisher }) => publisher))].join(", ")} are left in ${view.move.from}, and no ExternalDNS looks there any more: its domain filter was replaced in place, so nobody will delete them`,
          {
            facts: { names: unseen.map(({ name }) => name) },
            remedy: text`They are a clean-up: ${code("/dns plan")} shows it`,
          },
        ),
      ];
}

export const surveyDns = defineStep({
  id: "survey-dns",
  kind: "check",
  title: "Survey names and zones",
  reversibleWhile: text`nothing is changed`,
  ready: async (context) => {
    moveOf(context);
    return [];
  },
  plan: async (context) => {
    const view = await viewDns(context);
    return {
      ...noDeeds,
      prediction: [
        text`${oldNames(view).length} names move from ${view.move.from} to ${view.move.to}; ${view.movers.length} of ${view.publishers.length} ExternalDNS look at the old domain`,
      ],
      predicted: null,
    };
  },
  verify: async (context) => {
    const view = await viewDns(context);
    const { move } = view;
    const names = oldNames(view);
    const cluster = { kind: "cluster", name: context.run.cluster } as const;
    const findings: Finding[] = [];
    if (view.publishers.length === 0)
      findings.push(
        finding("no-external-dns", "error", cluster, text`no Deployment of ExternalDNS is in the cluster`),
      );
    findings.push(...publishersFindings(view));
    for (const zone of [view.oldZone, view.newZone])
      if (isFault(zone))
        findings.push(
          finding(
            "zone-missing",
            "error",
            { kind: "zone", name: zone.what },
            text`${zone.what}: ${zone.detail}`,
          ),
        );
    findings.push(...unseenManagers(view, context.run.cluster));
    if (!isFault(view.newZone))
      findings.push(...(await delegationFindings(context, view, view.newZone.name)));
    const ignored = ignoredFindings(view, view.publishers);
    findings.push(
      ...(names.length === 0 ? ignored : ignored.map((each) => ({ ...each, severity: "info" as const }))),
    );
    findings.push(...(await outOfSight(view)), ...managedFindings(view));
    if (names.length === 0 && !findings.some(({ severity }) => severity === "unknown"))
      findings.push(
        finding(
          "nothing-to-move",
          "warning",
          cluster,
          text`no ExternalDNS publishes a name below ${move.from}`,
        ),
      );
    const notes: Json = {
      at: context.ports.clock.now(),
      from: move.from,
      to: move.to,
      names: [...names],
      oldTtl: await longestOldTtl(view),
      zones: {
        old: isFault(view.oldZone) ? null : view.oldZone.id,
        new: isFault(view.newZone) ? null : view.newZone.id,
      },
      publishers: view.movers.map((each) => ({
        name: each.name,
        release: each.release?.text ?? null,
        policy: each.read?.controller.policy ?? null,
        owner: each.read?.controller.owner ?? null,
        manager: managerText(each.manager),
      })),
      syncSeconds: syncSeconds(view),
    };
    const outcome = findings.some(isFailure)
      ? "failed"
      : findings.some(({ severity }) => severity === "unknown")
        ? "unknown"
        : "passed";
    const [worst] = findings.filter((each) => isFailure(each) || each.severity === "unknown");
    return verified(
      outcome,
      worst !== undefined
        ? worst.text
        : text`${names.length} names of ${view.movers.length} ExternalDNS move from ${move.from} to ${move.to}`,
      {
        findings,
        notes,
        blocks: [
          {
            kind: "table",
            title: "ExternalDNS",
            columns: [
              "Deployment",
              "release",
              "policy",
              "owner",
              "reads",
              "filters",
              "chart",
              "managed by",
            ].map((title) => ({ title })),
            rows: view.publishers.map((each) => [
              [each.name],
              [releaseText(each)],
              [each.read?.controller.policy ?? "unknown"],
              [each.read?.controller.owner ?? "unknown"],
              [each.read?.settings.annotationPrefix ?? "unknown"],
              [each.read?.controller.domainFilter.include.join(", ") || "everything"],
              [each.chart ?? "none"],
              [managerText(each.manager)],
            ]),
          },
          {
            kind: "table",
            title: "Zones",
            columns: [{ title: "domain" }, { title: "zone" }, { title: "id" }],
            rows: [[move.from, view.oldZone] as const, [move.to, view.newZone] as const].map(
              ([domain, zone]) =>
                isFault(zone) ? [[domain], ["none"], [zone.detail]] : [[domain], [zone.name], [zone.id]],
            ),
          },
          {
            kind: "evidence",
            title: "Names that move",
            lines: names.map((name) => `${name}  ->  ${movedName(name, move)}`),
          },
          {
            kind: "evidence",
            title: "Arguments",
            lines: view.publishers.flatMap((each) => [
              each.name,
              ...[...each.flags].flatMap(([flag, values]) =>
                values.map((value) => `  --${flag}=${hide(flag, value)}`),
              ),
              ...each.hidden.map((name) => `  ${name} from a Secret or ConfigMap`),
            ]),
          },
        ],
      },
    );
  },
});

const hide = (flag: string, value: string): string => (isSecretFlag(flag) ? "[secret]" : value);
