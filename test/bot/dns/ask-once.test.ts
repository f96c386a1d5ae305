import { describe, expect, it } from "vitest";
import { askOnce } from "#bot/dns/ask-once.ts";

describe("asking the writer", () => {
  it("joins who asks for the same plan at the same time, and asks anew afterwards", async () => {
    const asked: string[] = [];
    const answers: ((value: string) => void)[] = [];
    const ask = askOnce((plan) => {
      asked.push(plan);
      return new Promise<string>((resolve) => answers.push(resolve));
    });
    const both = Promise.all([ask("P-1"), ask("P-1")]);
    const other = ask("P-2");
    expect(asked).toEqual(["P-1", "P-2"]);
    for (const answer of answers.splice(0)) answer("done");
    expect(await both).toEqual(["done", "done"]);
    await other;
    void ask("P-1");
    expect(asked).toHaveLength(3);
  });

  it("passes a failure on to everybody, and asks anew after it", async () => {
    let asked = 0;
    const ask = askOnce(async () => {
      asked += 1;
      throw new Error("no answer");
    });
    await expect(Promise.all([ask("P-1"), ask("P-1")])).rejects.toThrow("no answer");
    await expect(ask("P-1")).rejects.toThrow("no answer");
    expect(asked).toBe(2);
  });
});
