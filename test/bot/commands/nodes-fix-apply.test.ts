import { describe, expect, it } from "vitest";
import "#shared/checks/all.ts";
import "#shared/runbooks/fix-node.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import type { Reply } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";
import { calicoUses, onMachine, wifiOn, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

const wifi = wifiOn("dalt", "10.4.1.30/20");

function lab(spec = withFaults(healthy(), wifi)) {
  const clock = createVirtualClock(Date.UTC(2026, 10, 23, 14), () => new Promise((go) => setImmediate(go)));
  const { app } = runInMemory(spec, clock);
  return (name: "operator" | "approver" | "guest", words: string): Promise<Reply> =>
    clock.runUntil(
      (async () => {
        const person = { name, slack: `U-${name}` };
        const asking = await app.ask({ door: "slack", person, account: name, channel: "C1", words });
        return asking.kind === "answer"
          ? asking.reply
          : asking.job.run(() => {}, new AbortController().signal);
      })(),
    );
}

const said = ({ verdict, why }: Reply): string =>
  `${verdict.word}: ${plain(verdict.text)} ${plain(why ?? [])}`;

describe("/nodes fix --apply", () => {
  it("prints for everybody, and acts for operators with a second person", async () => {
    const ask = lab();
    expect((await ask("guest", "nodes fix dalt wired-and-wifi")).verdict.word).toBe("FIX");
    expect((await ask("guest", "nodes fix dalt wired-and-wifi --apply")).verdict.outcome).toBe("denied");
    const asked = JSON.stringify(await ask("operator", "nodes fix dalt wired-and-wifi --apply"));
    const [id, digest] = [/R-\d+/.exec(asked)?.[0], /[0-9a-f]{64}/.exec(asked)?.[0]];
    expect(asked).toMatch(/takes it back by itself/);
    const done = await ask("approver", `migrate approve ${id} ${digest}`);
    expect(done.verdict.word).toBe("DONE");
    expect(JSON.stringify(done)).toMatch(/"wired-and-wifi"," passes on ","dalt"/);
    expect((await ask("guest", "nodes fix dalt wired-and-wifi")).verdict.word).toBe("OK");
  });

  it("opens no run where it would cut something off or nothing is wrong", async () => {
    const cut = lab(withFaults(healthy(), wifi, calicoUses("dalt", "10.4.1.30/20")));
    const refused = await cut("operator", "nodes fix dalt wired-and-wifi --apply");
    expect(refused.verdict).toMatchObject({ word: "REFUSED", outcome: "failed" });
    expect(refused.findings.map(({ code }) => code)).toContain("fix-refused");
    expect(said(await cut("operator", "migrate status"))).toMatch(/no run is open/);
    const detour = {
      routes: [
        { dst: "default", gateway: "10.4.0.1", dev: "eth0" },
        { dst: "10.4.11.0/24", gateway: "10.4.0.12", dev: "eth0", protocol: "static" },
      ],
    };
    const byHand = await lab(withFaults(healthy(), onMachine("dalt", detour)))(
      "operator",
      "nodes fix dalt route-via-gateway --apply",
    );
    expect(byHand.findings.map(({ code }) => code)).toEqual(["fix-by-hand"]);
    expect(byHand.findings.map(({ remedy }) => plain(remedy ?? [])).join()).toContain(
      "lines to paste on dalt",
    );
    const fine = lab(healthy());
    expect(said(await fine("operator", "nodes fix dalt wired-and-wifi --apply"))).toMatch(/nothing to fix/);
    expect(said(await fine("operator", "nodes fix nobody wired-and-wifi --apply"))).toMatch(
      /none of that name/,
    );
  });
});
