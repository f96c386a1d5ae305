import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { setBgpMode } from "#infra/lab/set-bgp-mode.ts";
import { type Story, tellStory } from "#infra/lab/story.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { withFilledIn } from "#shared/metallb/filled-in.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { currentStep } from "#shared/runs/next-move.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { plain } from "#shared/text.ts";
import { withFaults } from "#shared/twin/sites/faults.ts";
import { dnsSite, move, quiet } from "../../shared/domain-move/dns-sites.ts";
import { withIssuer } from "../../shared/wildcard-tls/tls-sites.ts";

const inTenMinutes = (ports: ClusterPorts): ClusterPorts => ({
  ...ports,
  config: { ...ports.config, migration: { ...defaultMigration, ...quiet } },
});

const ready = { conditions: [{ type: "Ready", status: "True", message: "issued" }] };

/** What a manual step asks for, done as a person would. */
async function byHand(story: Story): Promise<void> {
  const step = currentStep(await story.run());
  if (step?.id === "frr-off") setBgpMode(story.twin, "native");
  if (step?.id === "wildcard-certificate")
    for (const deed of step.planned?.plan.deeds ?? [])
      if (deed.kind === "document")
        for (const document of parseAllDocuments(deed.text)) {
          const made = story.twin.store.create("certificates", {
            ...(document.toJS() as KubeObject),
            status: ready,
          });
          if (!made.ok) throw new Error(made.refusal.message);
        }
  await story.clock.advance(180_000);
}

async function goOn(story: Story, until: (step: string) => boolean): Promise<readonly string[]> {
  const approved: string[] = [];
  for (let turn = 0; turn < 60; turn++) {
    if (until(currentStep(await story.run())?.id ?? "")) return approved;
    await story.wait();
    const state = await story.run();
    const step = currentStep(state)?.id ?? "";
    if (state.ended !== undefined || until(step)) return approved;
    const labels = story.message().actions.map(({ label }) => label);
    if (labels.includes("Approve and run")) {
      approved.push(step);
      await story.press("approver", "Approve and run");
    } else if (labels.includes("It is done")) {
      await byHand(story);
      await story.press("operator", "It is done");
    } else throw new Error(renderTerminal(story.message(), { columns: 120, colour: false }));
  }
  throw new Error("no end in 60 turns");
}

const begin = async (): Promise<Story> => {
  const story = await tellStory(
    withFaults(dnsSite({ release: "0.21.0" }), withIssuer()),
    Date.UTC(2026, 10, 24, 18),
    inTenMinutes,
  );
  await story.type("operator", `migrate start goldentooth --with from=${move.from},to=${move.to}`);
  return story;
};

describe("goldentooth by two people", () => {
  it("goes from plan to final verification", async () => {
    const story = await begin();
    const approved = await goOn(story, () => false);
    const state = await story.run();
    expect(plain(story.message().verdict.text)).toMatch(/all \d+ steps ended/);
    expect(state.ended).toMatchObject({ how: "finished" });
    expect(approved).toEqual(
      expect.arrayContaining(["create-l2advertisement", "canary", "withdraw-bgp", "add-hostnames"]),
    );
    expect(state.steps.at(-1)).toMatchObject({ id: "final-verification", status: "done" });
    story.twin.stop();
  });

  it("comes back the whole way from where the new names stand beside the old", async () => {
    const story = await begin();
    const all = () =>
      (
        [
          "services",
          "ipaddresspools",
          "l2advertisements",
          "bgpadvertisements",
          "bgppeers",
          "bfdprofiles",
        ] as const
      ).flatMap((kind) =>
        story.twin.store.list(kind).items.map(({ metadata: { name, annotations = {} }, spec }) => {
          const hostnames = Object.entries(annotations).filter(([key]) => key.endsWith("/hostname"));
          return { kind, name, hostnames, spec: withFilledIn(kind, spec as Record<string, unknown>) };
        }),
      );
    const before = all();
    // FRR off has no way back but by hand, so it is left out here.
    await goOn(story, (step) => step === "frr-off");
    await story.type("operator", 'migrate skip frr-off --reason "stays for now"');
    await story.type("operator", 'migrate skip frr-off --reason "stays for now" --force');
    await goOn(story, (step) => step === "drop-old-hostnames");
    expect(all()).not.toEqual(before);
    await story.type("operator", "migrate rollback");
    await story.wait();
    expect(plain(story.message().verdict.text)).toMatch(/everything it changed was taken back/);
    expect(all()).toEqual(before);
    expect(story.twin.reach("guest-client", "10.4.11.1").ok).toBe(true);
    story.twin.stop();
  });
});
