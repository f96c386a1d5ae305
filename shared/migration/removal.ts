import type { Finding } from "../finding.ts";
import { isFailure } from "../finding.ts";
import type { Json } from "../json.ts";
import type { KubeObject } from "../kubernetes/read.ts";
import { bgpType, frrOnlyFields } from "../metallb/bgp-type.ts";
import { withFilledIn } from "../metallb/filled-in.ts";
import { fromSnapshot } from "../steps/snapshot.ts";
import type { Step, StepContext, StepPlan } from "../steps/step.ts";
import { code, plain, type Text, text } from "../text.ts";
import { configurationErrors } from "./configuration-state.ts";
import { defineStep, finding, recheckAfterSync, verified } from "./define-step.ts";
import { dryRunFindings } from "./dry-run.ts";
import type { bgpKinds, MetalLbView } from "./metallb-view.ts";
import { ownOf, viewMetalLb } from "./metallb-view.ts";
import {
  asJson,
  deletion,
  hasInlinePassword,
  hiddenPassword,
  type ObjectChange,
  shown,
  titleOf,
} from "./objects.ts";
import { notYet } from "./reached.ts";
import { syncInstructions, type Way, wayOf } from "./way.ts";

type Kind = (typeof bgpKinds)[number];

/** The spec without what this run's canary may have put into it, and with what the server fills in when it is written. */
const comparable = (kind: Kind, object: Json): string => {
  const { spec } = object as Readonly<{ spec?: Readonly<Record<string, Json>> }>;
  const { serviceSelectors: _, ...rest } = withFilledIn(kind, spec ?? {});
  return JSON.stringify(rest, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
};

/** The copy of the snapshot could not bring the object back for its password alone; now the object has none of its own. */
const isRidOfPassword = (kind: Kind, kept: Json, object: KubeObject): boolean =>
  (kept as Readonly<{ spec?: Readonly<{ password?: Json }> }>).spec?.password === hiddenPassword &&
  !hasInlinePassword(kind, object) &&
  comparable(kind, withoutPassword(kept)) === comparable(kind, withoutPassword(asJson(shown(kind, object))));

function withoutPassword(object: Json): Json {
  const { spec, ...rest } = object as Readonly<{ spec?: Readonly<Record<string, Json>> }>;
  const { password: _, passwordSecret: __, ...others } = spec ?? {};
  return { ...rest, spec: others };
}

/** Objects that come back as they are now, since the snapshot could not keep them whole; told before they are deleted. */
const keptAnew = (context: StepContext, view: MetalLbView, kind: Kind): readonly Text[] =>
  ownOf(view, kind).flatMap((object) => {
    const title = titleOf(kind, object);
    const kept = fromSnapshot(context.run.notes, title);
    return kept !== undefined && kept !== null && isRidOfPassword(kind, kept, object)
      ? [
          text`${title} had its password in it when the snapshot was taken: it is kept anew as it is now, and comes back with ${code("passwordSecret")}`,
        ]
      : [];
  });

/**
 * Deletes objects so that they come back as the snapshot of this run has them, the canary's selectors taken out again.
 * A BGPPeer with an inline password is left out: its copy cannot bring it back. One whose password has moved to a Secret
 * since comes back as it is now.
 */
export function deletions(context: StepContext, view: MetalLbView, kind: Kind): readonly ObjectChange[] {
  return ownOf(view, kind)
    .filter((object) => !hasInlinePassword(kind, object))
    .map((object) => {
      const change = deletion(kind, object);
      const kept = fromSnapshot(context.run.notes, titleOf(kind, object));
      if (kept === undefined || kept === null) return change;
      // As it may be seen: what kubectl noted of the object may still have the password.
      const back = isRidOfPassword(kind, kept, object)
        ? shown(kind, object)
        : (kept as unknown as KubeObject);
      return {
        ...change,
        undo: {
          ...change.undo,
          write: { verb: "create", kind, object: back, restored: true },
        },
      };
    });
}

/** What must be true before objects of a kind may go, whatever the step. */
export async function removalFindings(
  context: StepContext,
  view: MetalLbView,
  kind: Kind,
  way: Way,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [...way.findings];
  for (const object of ownOf(view, kind)) {
    const title = titleOf(kind, object);
    const subject = { kind: "config", name: title } as const;
    if (hasInlinePassword(kind, object)) {
      findings.push(
        finding(
          "bgppeer-inline-password",
          "warning",
          subject,
          text`${title} carries its password as plain text and is not deleted: nothing could bring it back`,
          {
            remedy: text`Move the password to a Secret, set ${code("passwordSecret")}, then ${code("/migrate retry")}: the peer is kept anew`,
          },
        ),
      );
      continue;
    }
    const kept = fromSnapshot(context.run.notes, title);
    if (kept === undefined)
      findings.push(
        finding(
          "not-in-snapshot",
          "warning",
          subject,
          text`${title} is not in this run's snapshot: there would be no way back`,
          {
            remedy: text`Take the run back to its snapshot, which keeps it then: ${code("/migrate rollback snapshot")}, then ${code("/migrate next")}`,
          },
        ),
      );
    else if (isRidOfPassword(kind, kept, object)) continue;
    else if (comparable(kind, kept) !== comparable(kind, asJson(shown(kind, object))))
      findings.push(
        finding("changed-since-snapshot", "warning", subject, text`${title} has changed since the snapshot`, {
          remedy: text`See what changed: ${code("/arpeggio changes")}. Put it back as it was, then ${code("/migrate retry")}; or take the run back to its snapshot, which keeps it then: ${code("/migrate rollback snapshot")}`,
        }),
      );
  }
  findings.push(...(await dryRunFindings(context, way.deeds)));
  return findings;
}

export type Removal = Readonly<{
  id: string;
  title: string;
  kind: Kind;
  /** `BGPPeer`. */
  word: string;
  reversibleWhile: Text;
  /** What has to be gone first. */
  first: (view: MetalLbView) => readonly Finding[];
  prediction: Text;
}>;

/** A step that deletes every object of one kind, with the snapshot as the way back. */
export function removalStep(removal: Removal): Step {
  const { kind, word } = removal;
  const changed = async (context: StepContext) => {
    const view = await viewMetalLb(context);
    const changes = deletions(context, view, kind);
    return { view, way: await wayOf(context, view, changes) };
  };
  return defineStep({
    id: removal.id,
    kind: "act",
    title: removal.title,
    reversibleWhile: removal.reversibleWhile,
    unneeded: async (context) =>
      ownOf(await viewMetalLb(context), kind).length === 0 ? text`there is no ${word}` : undefined,
    ready: async (context) => {
      const { view, way } = await changed(context);
      return [...removal.first(view), ...(await removalFindings(context, view, kind, way))];
    },
    plan: async (context): Promise<StepPlan> => {
      const { view, way } = await changed(context);
      const anew = keptAnew(context, view, kind);
      return {
        deeds: way.deeds,
        undo: way.undo,
        diffs: way.diffs,
        prediction: [removal.prediction, ...anew],
        predicted: [...way.diffs.map(({ object }) => object), ...anew.map(plain)],
        instructions: syncInstructions(way),
        blocks: [],
      };
    },
    verify: async (context, plan) => {
      const view = await viewMetalLb(context);
      const pending = notYet(view, plan, context.ports.clock.now());
      if (pending !== undefined) return pending;
      const findings = configurationErrors(view);
      const left = ownOf(view, kind);
      if (findings.some(isFailure))
        return verified("failed", text`the configuration is rejected now`, { findings });
      if (left.length > 0)
        return verified(
          "failed",
          text`${left.length} ${word} left: ${left.map((each) => titleOf(kind, each)).join(", ")}`,
        );
      return verified("passed", text`no ${word} is left, and MetalLB accepts its configuration`, {
        notes: { deleted: plan.diffs.map(({ object }) => object) },
        ...recheckAfterSync(context.run.notes),
      });
    },
    canUndo: async (context, plan) => {
      const { lists, namespace } = await viewMetalLb(context);
      if (bgpType(lists.daemonsets, namespace) !== "native") return [];
      const rejected = plan.diffs.filter(
        ({ before }) =>
          kind === "bfdprofiles" ||
          (before !== null && frrOnlyFields(before as unknown as KubeObject).length > 0),
      );
      return rejected.map(({ object }) =>
        finding(
          "frr-is-off",
          "error",
          { kind: "config", name: object },
          text`the speakers run without FRR and would reject the whole configuration because of ${object}, layer 2 included`,
          { remedy: text`Apply the old Helm values first, and wait until the speakers have rolled` },
        ),
      );
    },
  });
}

const still = (what: string, names: readonly string[], because: Text): readonly Finding[] =>
  names.length === 0
    ? []
    : [
        finding(
          "removed-too-early",
          "error",
          { kind: "config", name: names.join(", ") },
          text`${what} ${names.join(", ")} ${names.length === 1 ? "is" : "are"} still there: ${because}`,
        ),
      ];

export const noAdvertisementsLeft = (view: MetalLbView): readonly Finding[] =>
  still(
    "BGPAdvertisement",
    view.own.bgp.map(({ name }) => name),
    text`without its peers it would announce to nobody, and look as if it did`,
  );

export const noPeersLeft = (view: MetalLbView): readonly Finding[] =>
  still(
    "BGPPeer",
    ownOf(view, "bgppeers").map(({ metadata }) => metadata.name),
    text`a peer that names a missing profile makes MetalLB reject the configuration`,
  );
