import { stringify } from "yaml";
import type { Json } from "../json.ts";
import { defineStep, verified } from "../migration/define-step.ts";
import { type MetalLbView, viewMetalLb } from "../migration/metallb-view.ts";
import { asJson, hasInlinePassword, shown } from "../migration/objects.ts";
import { text } from "../text.ts";
import { noDeeds } from "./step.ts";
import { surveyed } from "./survey.ts";

const taken = (view: MetalLbView): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    surveyed(view)
      .map(({ kind, object, title }) => [title, asJson(shown(kind, object))] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const passwords = (view: MetalLbView): readonly string[] =>
  surveyed(view).flatMap(({ kind, object, title }) => (hasInlinePassword(kind, object) ? [title] : []));

const yamlOf = (objects: readonly Json[]): string => objects.map((object) => stringify(object)).join("---\n");

/** The file for people. An object whose password is not in it stands there as a comment: applied, it would set another. */
function fileOf(view: MetalLbView): string {
  const left = passwords(view);
  const objects = Object.entries(taken(view));
  const commented = objects.flatMap(([title, object]) =>
    left.includes(title)
      ? [
          `# ${title} is not brought back by this file: its password is not in it.`,
          ...stringify(object)
            .trimEnd()
            .split("\n")
            .map((line) => `#   ${line}`),
        ]
      : [],
  );
  return (
    yamlOf(objects.flatMap(([title, object]) => (left.includes(title) ? [] : [object]))) +
    commented.map((line) => `${line}\n`).join("")
  );
}

export const snapshot = defineStep({
  id: "snapshot",
  kind: "act",
  title: "Snapshot",
  reversibleWhile: text`nothing is changed: it only keeps a copy`,
  ready: async () => [],
  plan: async (context) => {
    const view = await viewMetalLb(context);
    const objects = taken(view);
    const inline = passwords(view);
    return {
      ...noDeeds,
      deeds: [
        {
          id: "keep-snapshot",
          title: `keep ${Object.keys(objects).length} objects as they are`,
          kind: "document",
          name: `${context.run.id}-snapshot.yaml`,
          text: fileOf(view),
        },
      ],
      prediction: [
        inline.length === 0
          ? text`${Object.keys(objects).length} objects are kept; kubectl apply of the file brings them back`
          : text`${Object.keys(objects).length} objects are kept; kubectl apply of the file brings them back but for ${inline.join(", ")}, whose password is not in the file`,
      ],
      predicted: Object.keys(objects),
    };
  },
  verify: async (context, plan) => {
    const view = await viewMetalLb(context);
    const objects = taken(view);
    const document = plan.deeds.find((deed) => deed.kind === "document");
    const same = document?.text === fileOf(view);
    const inline = passwords(view);
    if (!same)
      return verified("failed", text`the objects changed while they were kept; take the snapshot again`);
    return verified(
      "passed",
      inline.length === 0
        ? text`${Object.keys(objects).length} objects kept`
        : text`${Object.keys(objects).length} objects kept; the password of ${inline.join(", ")} is not in the file`,
      { notes: { objects, passwords: [...inline] } },
    );
  },
});

/** An object as the snapshot of this run has it. */
export function fromSnapshot(notes: Readonly<Record<string, Json>>, title: string): Json | undefined {
  const noted = notes.snapshot as { objects?: Readonly<Record<string, Json>> } | null | undefined;
  return noted?.objects?.[title];
}
