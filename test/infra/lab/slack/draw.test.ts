import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawBlocks, drawMessage } from "#infra/lab/slack/draw.ts";
import type { Message } from "#infra/lab/slack/message.ts";
import type { Reply } from "#shared/reply.ts";
import { renderSlack } from "#shared/report/slack.ts";

const nobody = () => undefined;
const drawn = (reply: Reply): string =>
  drawBlocks(JSON.parse(JSON.stringify(renderSlack(reply).blocks)), nobody);

const reply: Reply = {
  verdict: { word: "CONFLICT", outcome: "failed", text: ["two MACs answer for ", { code: "10.4.11.3" }] },
  cluster: "goldentooth",
  findings: [],
  blocks: [
    {
      kind: "steps",
      steps: [
        { title: "Look", state: "done" },
        { title: "Prove", state: "failed", note: ["silent"] },
      ],
    },
    { kind: "table", columns: [{ title: "node" }], rows: [[["karstark"]]] },
    { kind: "evidence", title: "frames", lines: ["dc:a6:32:0a:1b:0b  eth0"] },
  ],
  actions: [{ id: "again", label: "Probe again", value: "x", style: "primary" }],
};

describe("messages as a browser shows them", () => {
  it("draws each kind of block as what it is", () => {
    const html = drawn(reply);
    expect(html).toMatch(/<b>[^<]*CONFLICT/);
    expect(html).toContain("<code>10.4.11.3</code>");
    expect(html).toMatch(/<li class="error"><span class="sign">&#10007;<\/span>2 Prove/);
    expect(html).toMatch(/<td>.*karstark.*<\/td>/);
    expect(html).toMatch(/<details><summary>.*frames.*<\/summary>.*<pre>dc:a6:32:0a:1b:0b {2}eth0<\/pre>/s);
    expect(html).toContain('<button class="primary">Probe again</button>');
  });

  it("never turns words into markup, whoever wrote them", () => {
    const evil = fc.stringMatching(/^[<>&"'`*~|a-z!/= ]{1,40}$/);
    fc.assert(
      fc.property(evil, (words) => {
        const plain = drawn({
          ...reply,
          verdict: { ...reply.verdict, text: [words, { code: words }] },
          blocks: [
            { kind: "prose", text: [words] },
            { kind: "evidence", title: words, lines: [words] },
            { kind: "table", columns: [{ title: words }], rows: [[[words]]] },
            { kind: "steps", steps: [{ title: words, state: "done", note: [words] }] },
          ],
          actions: [{ id: "a", label: words.trim() || "x", value: "x" }],
        });
        const ours =
          /<\/?(?:div|b|i|s|code|pre|ol|li|ul|span|table|tr|td|details|summary|button|br|hr|h3|blockquote)(?: class="[a-z_ ]*")?(?: open)?>/g;
        expect(plain.replaceAll(ours, "")).not.toMatch(/[<>]/);
      }),
    );
  });

  it("shows pictures in the thread, and other files by name", () => {
    const message = {
      text: "see below",
      blocks: [],
      attachments: [],
      files: [
        { id: "F1", name: "path.png", title: "Path of httpbin" },
        { id: "F2", name: "timeline.md", title: "Timeline" },
      ],
    } as unknown as Message;
    const html = drawMessage(message, nobody, (id) => (id === "F1" ? Uint8Array.of(1, 2, 3) : undefined));
    expect(html).toContain('<img src="data:image/png;base64,AQID" alt="Path of httpbin">');
    expect(html).toContain('<div class="file">Timeline</div>');
  });
});
