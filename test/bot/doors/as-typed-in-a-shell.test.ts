import { expect, it } from "vitest";
import { commands } from "#bot/commands/all.ts";
import { asTypedInAShell } from "#bot/doors/as-typed-in-a-shell.ts";
import type { Reply } from "#shared/reply.ts";
import { code, text } from "#shared/text.ts";

const reply: Reply = {
  verdict: { word: "OK", outcome: "ok", text: text`see ${code("/arping all")}` },
  why: text`or ${code("/arpeggio doctor")}`,
  findings: [
    {
      code: "x",
      severity: "warning",
      subject: { kind: "node", name: "dalt" },
      facts: {},
      text: text`${code("/etc/hosts")} is wrong`,
      remedy: text`${code("/nodes fix dalt x")}`,
    },
  ],
  blocks: [{ kind: "table", columns: [{ title: "a" }], rows: [[text`${code("/nodes check")}`]] }],
  next: [text`${code("/arping all")} and ${code("/nowhere")}`],
  actions: [],
};

it("names our commands as a shell types them, and leaves paths and other words alone", () => {
  const local = asTypedInAShell(reply, commands);
  expect(local.verdict.text).toEqual(text`see ${code("arpeggio arping all")}`);
  expect(local.why).toEqual(text`or ${code("arpeggio doctor")}`);
  expect(local.findings[0]).toMatchObject({
    text: [{ code: "/etc/hosts" }, " is wrong"],
    remedy: [{ code: "arpeggio nodes fix dalt x" }],
  });
  expect(local.blocks[0]).toMatchObject({ rows: [[[{ code: "arpeggio nodes check" }]]] });
  expect(local.next).toEqual([text`${code("arpeggio arping all")} and ${code("/nowhere")}`]);
});
