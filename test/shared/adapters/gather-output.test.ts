import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gatherOutput, outputLimit } from "#shared/adapters/gather-output.ts";

function ticking() {
  let time = 0;
  return () => {
    time += 1;
    return time;
  };
}

describe("gathering output", () => {
  it("stamps a line when its end arrives, over chunks and streams", () => {
    const output = gatherOutput(ticking(), undefined);
    output.push("stdout", Buffer.from("on"));
    output.push("stderr", Buffer.from("warning\n"));
    output.push("stdout", Buffer.from("e\ntwo"));
    expect(output.finish(0)).toEqual({
      exitCode: 0,
      stdout: "one\ntwo",
      stderr: "warning\n",
      lines: [
        { at: 2, stream: "stderr", text: "warning" },
        { at: 3, stream: "stdout", text: "one" },
        { at: 4, stream: "stdout", text: "two" },
      ],
      startedAt: 1,
      endedAt: 4,
    });
  });

  it("gives the same text and lines however it is cut into chunks", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 9 }), (text, size) => {
        const bytes = Buffer.from(text);
        const output = gatherOutput(ticking(), undefined);
        for (let i = 0; i < bytes.length; i += size) output.push("stdout", bytes.subarray(i, i + size));
        const { stdout, lines } = output.finish(0);
        expect(stdout).toBe(bytes.toString());
        const expected = stdout.split("\n");
        if (expected.at(-1) === "") expected.pop();
        expect(lines.map((line) => line.text)).toEqual(expected);
      }),
    );
  });

  it("takes the limit exactly and not a byte more, both streams together", () => {
    const output = gatherOutput(ticking(), undefined);
    expect(output.push("stdout", Buffer.alloc(outputLimit - 1, "a"))).toBe(true);
    expect(output.push("stderr", Buffer.from("b"))).toBe(true);
    expect(output.push("stderr", Buffer.from("c"))).toBe(false);
  });
});
