import { expect, it } from "vitest";
import "#shared/runbooks/drill.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import type { Reply } from "#shared/reply.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

type Exported = Readonly<{
  outage:
    | string
    | readonly Readonly<{ run: string; step: string; address: string; ms: number; tried: number }>[];
  people: readonly string[];
  commands: readonly Readonly<{ command: string; on: string; end: string }>[];
  entries: readonly Readonly<{ what: string; by: string | null }>[];
}>;

it("an act that measured what clients felt is told with that, and with who let it through", async () => {
  const clock = createVirtualClock(
    Date.UTC(2026, 10, 23, 14),
    () => new Promise((resolve) => setImmediate(resolve)),
  );
  const { app, twin } = runInMemory(healthy(), clock);
  const ask = (name: "operator" | "approver", words: string): Promise<Reply> =>
    clock.runUntil(
      (async () => {
        const asking = await app.ask({
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
  const asked = await ask("operator", "arping drill httpbin --reason 'before the evening'");
  const [digest] = /[0-9a-f]{64}/.exec(JSON.stringify(asked)) ?? [];
  const [run] = /R-\d+/.exec(JSON.stringify(asked)) ?? [];
  const before = (await ask("operator", `runbook export ${run}`)).data as unknown as Exported;
  expect(before.outage).toBe("not measured");
  await ask("approver", `migrate approve ${run} ${digest}`);
  const reply = await ask("operator", `runbook export ${run}`);
  const exported = reply.data as unknown as Exported;
  expect(exported.people).toEqual(["approver", "operator"]);
  expect(exported.outage).toEqual(
    ["drill-exclude", "drill-include"].map((step) =>
      expect.objectContaining({ run, step, address: expect.stringMatching(/^10\.4\.11\.\d+$/) }),
    ),
  );
  for (const { tried } of exported.outage as Exclude<Exported["outage"], string>)
    expect(tried).toBeGreaterThan(10);
  expect(exported.commands.map(({ on, command }) => `${on}: ${command}`)).toEqual([
    expect.stringMatching(/^Kubernetes API: /),
    expect.stringMatching(/^Kubernetes API: /),
  ]);
  expect(exported.entries.some(({ what, by }) => /^approved/.test(what) && by === "approver")).toBe(true);
  expect(reply.document).toMatch(/planned hand\\?-over gap|no planned hand\\?-over gap/);
  twin.stop();
});
