import { describe, expect, it } from "vitest";
import { renderMarkdown } from "#shared/report/markdown.ts";
import { replies } from "./replies.ts";

const names = Object.keys(replies) as (keyof typeof replies)[];

describe("a reply in Markdown", () => {
  it.each(names)("%s is written so", (name) => {
    expect(renderMarkdown(replies[name])).toMatchSnapshot();
  });

  it("lets nothing of a host become HTML, a mention or the end of a fence", () => {
    const written = renderMarkdown(replies.hostile);
    const outside = written
      .replace(/(`{4,})text\n[\s\S]*?\n\1/g, "")
      .replace(/(`+)[^`][\s\S]*?[^`]\1(?!`)/g, "");
    expect(outside.replace(/<\/?(details|summary)>/g, "")).not.toMatch(/(?<!\\)<|@/);
    expect(written).toContain("\n````text\n");
  });
});
