import { describe, expect, it } from "vitest";
import "#shared/runbooks/drill.ts";
import type { InMemory } from "#infra/lab/in-memory.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import type { Reply } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";
import { patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

const began = Date.UTC(2026, 10, 23, 14);

function lab(spec = healthy()) {
  const clock = createVirtualClock(began, () => new Promise((resolve) => setImmediate(resolve)));
  const memory: InMemory = runInMemory(spec, clock);
  const ask = (name: "operator" | "approver" | "guest", words: string): Promise<Reply> =>
    clock.runUntil(
      (async () => {
        const asking = await memory.app.ask({
          door: "slack",
          person: { name, slack: `U-${name}` },
          account: name,
          channel: "C1",
          words,
        });
        return asking.kind === "answer"
          ? asking.reply
          : asking.job.run(() => {}, new AbortController().signal);
      })(),
    );
  return { ...memory, ask };
}

const said = (reply: Reply): string =>
  `${reply.verdict.word}: ${plain(reply.verdict.text)} ${plain(reply.why ?? [])}`;

describe("/arping drill", () => {
  it("opens a run that waits for a second person, and ends with the gap", async () => {
    const at = lab();
    const asked = await at.ask("operator", "arping drill httpbin --reason 'before the evening'");
    expect(said(asked)).toMatch(/approv/i);
    const digest = JSON.stringify(asked).match(/[0-9a-f]{64}/)?.[0];
    expect(digest).toBeDefined();
    const id = /R-\d+/.exec(JSON.stringify(asked))?.[0] ?? "";
    expect(said(await at.ask("operator", `migrate approve ${id} ${digest}`))).toMatch(/needs approver/i);
    const done = await at.ask("approver", `migrate approve ${id} ${digest}`);
    expect(JSON.stringify(done)).toMatch(/planned hand-over gap/);
    expect(JSON.stringify(done)).not.toMatch(/failover/i);
    expect(said(await at.ask("operator", "migrate status"))).toMatch(/no run is open/);
  });

  it("says that there is no such Service, with the nearest, not that nobody could look", async () => {
    const at = lab();
    const reply = await at.ask("operator", "arping drill htpbin");
    expect(said(reply)).toMatch(
      /^REFUSED: htpbin .*no Service .* is called so; nearest: httpbin\/httpbin 10/,
    );
    expect(reply.verdict.outcome).toBe("failed");
    expect(said(await at.ask("operator", "migrate status"))).toMatch(/no run is open/);
  });

  it("shows what new connections felt as a picture, with the same in words", async () => {
    const at = lab();
    const png = Uint8Array.of(1);
    Object.assign(at.deps, { drawPng: async () => png });
    const asked = await at.ask("operator", "arping drill httpbin");
    const [digest] = /[0-9a-f]{64}/.exec(JSON.stringify(asked)) ?? [];
    const [id] = /R-\d+/.exec(JSON.stringify(asked)) ?? [];
    const done = await at.ask("approver", `migrate approve ${id} ${digest}`);
    const pictures = done.blocks.filter((block) => block.kind === "image");
    expect(pictures).toEqual(
      ["hand-over", "return"].map((what) => ({
        kind: "image",
        title: `goldentooth: connections during ${what}, ${id}`,
        alt: expect.stringMatching(/httpbin 10\.4\.11\.\d+: .*(gap|failed)/),
        png,
      })),
    );
  });

  it("refuses without opening a run, and to whoever may not", async () => {
    const local = lab(
      withFaults(healthy(), patchObject("services", "httpbin", { spec: { externalTrafficPolicy: "Local" } })),
    );
    const refused = await local.ask("operator", "arping drill httpbin");
    expect(refused.verdict).toMatchObject({ word: "REFUSED", outcome: "failed" });
    expect(refused.findings.map(({ code }) => code)).toContain("drill-policy-local");
    expect(said(await local.ask("operator", "migrate status"))).toMatch(/no run is open/);
    expect(said(await local.ask("operator", "arping drill nothing"))).toMatch(/no Service/);
    expect((await lab().ask("guest", "arping drill httpbin")).verdict.outcome).toBe("denied");
  });
});
