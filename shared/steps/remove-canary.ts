import type { KubeObject } from "../kubernetes/read.ts";
import { echoName } from "../migration/canary.ts";
import { defineStep, verified } from "../migration/define-step.ts";
import { type MetalLbView, viewMetalLb } from "../migration/metallb-view.ts";
import { deletion, diffsOf, type ObjectChange } from "../migration/objects.ts";
import { notYet } from "../migration/reached.ts";
import { text } from "../text.ts";
import { noDeeds } from "./step.ts";

const named =
  (name: string) =>
  ({ metadata }: KubeObject): boolean =>
    metadata.name === name;

/** The echo's objects, the Service first: its pool must not lose an address in use. */
const echoes = (view: MetalLbView): readonly ObjectChange[] => [
  ...view.lists.services.filter(named(echoName)).map((object) => deletion("services", object)),
  ...view.lists.l2advertisements
    .filter(named(echoName))
    .map((object) => deletion("l2advertisements", object)),
  ...view.lists.ipaddresspools.filter(named(echoName)).map((object) => deletion("ipaddresspools", object)),
];

export const removeCanary = defineStep({
  id: "remove-canary",
  kind: "act",
  cleanUp: true,
  title: "Remove the echo of the canary",
  proof: text`that the canary's echo is gone: its Service, its pool and its advertisement would stay`,
  reversibleWhile: text`nothing of it is needed again`,
  unneeded: async (context) =>
    echoes(await viewMetalLb(context)).length === 0 ? text`the canary left nothing behind` : undefined,
  ready: async () => [],
  plan: async (context) => {
    const changes = echoes(await viewMetalLb(context));
    return {
      ...noDeeds,
      deeds: changes.map(({ deed }) => deed),
      // Going back, the canary finds its echo gone already. One made again would not be its own, and would stay.
      undo: [],
      diffs: diffsOf(changes),
      prediction: [text`the echo's address is free again`],
      predicted: diffsOf(changes).map(({ object }) => object),
    };
  },
  verify: async (context, plan) => {
    const view = await viewMetalLb(context);
    return (
      notYet(view, plan, context.ports.clock.now()) ??
      verified("passed", text`the echo, its pool and its advertisement are gone`)
    );
  },
});
