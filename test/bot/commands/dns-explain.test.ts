import { describe, expect, it } from "vitest";
import "#bot/commands/dns-explain.ts";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { runInMemory } from "#infra/lab/in-memory.ts";
import type { Reply } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

async function ask(words: string, around?: (ports: ClusterPorts) => ClusterPorts): Promise<Reply> {
  const clock = createVirtualClock(Date.UTC(2026, 2, 1, 14), () => new Promise((go) => setImmediate(go)));
  const { app, twin, people } = runInMemory(goldentooth(), clock, around);
  await clock.advance(180_000);
  const asking = await app.ask({ door: "console", person: people[0], account: "operator", words });
  const reply =
    asking.kind === "answer"
      ? asking.reply
      : await clock.runUntil(asking.job.run(() => {}, new AbortController().signal));
  twin.stop();
  return reply;
}

const published = "httpbin.hellholt.net";

describe("/dns explain", () => {
  it("finds on the model what its consumer router does to the old domain", async () => {
    const reply = await ask(`dns explain ${published}`);
    expect(plain(reply.verdict.text)).toContain("the site's resolver answers for the domain itself");
    expect(reply.findings[0]).toMatchObject({ code: "dns-split-horizon", severity: "error" });
    expect(plain(reply.why ?? [])).toMatch(/8 of 8 probes were possible|7 of 8 probes were possible/);
  });

  it("says that a name nobody published has no record", async () => {
    const reply = await ask("dns explain nobody.goldentooth.net");
    expect(reply.verdict.word).toBe("ABSENT");
  });

  it("without zones says what could not be looked at, and calls nothing absent", async () => {
    const reply = await ask(`dns explain ${published}`, ({ zones: _zones, ...ports }) => ports);
    expect(reply.verdict.word).not.toBe("ABSENT");
    expect(reply.findings.map(({ facts }) => facts.probe)).toContain("P8");
  });

  it("refuses what is no name", async () => {
    const reply = await ask("dns explain not..a.name");
    expect(reply.verdict.outcome).toBe("usage");
    expect(JSON.stringify(reply)).toContain("empty label");
  });
});
