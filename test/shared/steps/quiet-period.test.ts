import { describe, expect, it } from "vitest";
import type { StepContext } from "#shared/steps/step.ts";
import { plain } from "#shared/text.ts";
import { annotated, smallSite } from "../domain-move/dns-faults.ts";
import { driveDns, pass } from "../domain-move/dns-sites.ts";

const minute = 60_000;

describe("quiet-period", () => {
  it("waits for the TTL and the quiet period from when the new names were proven", async () => {
    const at = driveDns(smallSite());
    const start = at.ports.clock.now();
    at.notes["survey-dns"] = { at: start, oldTtl: 1_800 };
    at.notes["add-hostnames"] = { at: start + minute };
    at.notes["verify-new-names"] = { at: start + 5 * minute };
    const came = await at.forward("quiet-period");
    expect(came.outcome).toBe("waiting");
    expect(came.verified?.until).toBe(start + 5 * minute + 1_800_000 + 600_000);
    expect(came.plan?.prediction.map(plain).join()).toContain("30 min");
    await pass(at, 45 * minute - 1);
    expect((await at.forward("quiet-period")).outcome).toBe("waiting");
    await pass(at, 1);
    const over = await at.forward("quiet-period");
    expect(over.outcome).toBe("passed");
    // Who still uses the old names is not claimed to be known.
    expect(over.findings.map(({ code, severity }) => [code, severity])).toEqual([["old-use-unseen", "info"]]);
  });

  it("counts from when the names were added where nobody proved them, or else from the survey", async () => {
    const at = driveDns(smallSite());
    const start = at.ports.clock.now();
    at.notes["survey-dns"] = { at: start, oldTtl: 300 };
    expect((await at.forward("quiet-period")).verified?.until).toBe(start + 900_000);
    at.notes["add-hostnames"] = { at: start + minute };
    expect((await at.forward("quiet-period")).verified?.until).toBe(start + minute + 900_000);
  });

  it("takes the TTL from the zone where no survey wrote it down, instead of assuming a short one", async () => {
    const at = driveDns(smallSite({}, annotated({ "external-dns.alpha.kubernetes.io/ttl": "86400" })));
    const start = at.ports.clock.now();
    at.notes["add-hostnames"] = { at: start };
    expect((await at.forward("quiet-period")).verified?.until).toBe(start + 86_400_000 + 600_000);
  });

  it("is unknown where they were added and that was left unproven: the survey was before it", async () => {
    const at = driveDns(smallSite());
    at.notes["survey-dns"] = { at: at.ports.clock.now(), oldTtl: 300 };
    const standing = { "add-hostnames": [{ object: "Service a/b", uid: "u", before: null, after: null }] };
    const { quietPeriod } = await import("#shared/steps/quiet-period.ts");
    const look = (context: StepContext) =>
      at.on(() =>
        quietPeriod.verify({ ...context, run: { ...context.run, standing } }, undefined as never, undefined),
      );
    const came = await look(at.context());
    expect(came.outcome).toBe("unknown");
    expect(plain(came.text)).toContain("/migrate rollback add-hostnames, then /migrate next");
    at.notes["verify-new-names"] = { at: at.ports.clock.now() };
    expect((await look(at.context())).outcome).toBe("waiting");
  });

  it("is unknown where no step added or saw the names", async () => {
    const came = await driveDns(smallSite()).forward("quiet-period");
    expect(came).toMatchObject({ outcome: "unknown" });
  });

  it("is unknown where neither survey nor zone tells the TTL", async () => {
    const at = driveDns(smallSite());
    at.notes["add-hostnames"] = { at: at.ports.clock.now() };
    const { quietPeriod } = await import("#shared/steps/quiet-period.ts");
    const blind = { ...at.context(), ports: { ...at.ports, zones: undefined } };
    expect(await at.on(() => quietPeriod.verify(blind, undefined as never, undefined))).toMatchObject({
      outcome: "unknown",
    });
  });
});
