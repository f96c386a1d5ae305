import { expect, it } from "vitest";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import { prepareStep } from "#shared/runs/prepare-step.ts";
import { forecastSteps } from "#shared/runs/survey-plan.ts";
import { addHostnames } from "#shared/steps/add-hostnames.ts";
import { plain } from "#shared/text.ts";
import { annotated, smallSite } from "../domain-move/dns-faults.ts";
import { driveDns } from "../domain-move/dns-sites.ts";

const accepted = () =>
  driveDns(
    smallSite({ release: "0.21.0" }, annotated({ "external-dns.kubernetes.io/hostname": "b.hellholt.net" })),
    {
      inputs: { accept: "annotation-ignored" },
    },
  );

it("what was accepted is read with the plan, and in the plan of the whole", async () => {
  const at = accepted();
  await at.forward("cover-both-domains");
  const prepared = await at.on((context) => prepareStep(addHostnames, context));
  if (!("plan" in prepared)) throw new Error("not planned");
  const [block] = prepared.plan.blocks;
  expect(block?.kind === "prose" ? plain(block.text) : "").toMatch(
    /^Note: accepted: .*external-dns\.kubernetes\.io/,
  );

  const steps = await at.on((context) =>
    forecastSteps(
      dnsDomainMove,
      context.ports,
      { cluster: "goldentooth", inputs: context.run.inputs },
      context.signal,
      () => {},
    ),
  );
  const remarks = steps.flatMap((each) => each.remarks ?? []);
  expect(remarks.map(({ code, severity }) => `${code} ${severity}`)).toContain("annotation-ignored info");
});
