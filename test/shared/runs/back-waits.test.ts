import { expect, it } from "vitest";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import { comeBack } from "#shared/runs/people.ts";
import { plain } from "#shared/text.ts";
import { smallSite } from "../domain-move/dns-faults.ts";
import { goldentoothId, move } from "../domain-move/dns-sites.ts";
import { runOnTwin } from "../steps/run-on-twin.ts";

it("a way back waits for ExternalDNS between two steps, so that no new record is left out of its sight", async () => {
  const at = runOnTwin(smallSite(), dnsDomainMove, move, {
    around: (ports, twin) => ({ ...ports, zones: twin.zones.read }),
  });
  const records = () => at.twin.zones.recordSets(goldentoothId).filter(({ type }) => type === "A");
  const goOn = async () => {
    let came = await at.go();
    for (let i = 0; i < 20 && came.stopped === "time"; i++) {
      await at.clock.advance(30_000);
      came = await at.go();
    }
    return came;
  };
  await at.start();
  await at.approve();
  expect((await goOn()).stopped).toBe("person");
  await at.approve();
  await at.go();
  await at.clock.advance(120_000);
  await at.go();
  expect(records()).toHaveLength(1);

  expect((await comeBack(at.runner, "R-7", "olive", undefined)).ok).toBe(true);
  const waiting = await at.go();
  expect(waiting.stopped).toBe("time");
  const stepOf = async (id: string) => (await at.state()).steps.find((step) => step.id === id);
  expect(plain((await stepOf("add-hostnames"))?.waiting?.text ?? [])).toContain("to delete because of it");
  expect((await stepOf("cover-both-domains"))?.undoneAt).toBeUndefined();

  const ended = await goOn();
  expect(ended.state.ended?.how).toBe("went-back");
  expect(records()).toEqual([]);
});
