import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { renderPng } from "#shared/adapters/render-png.ts";
import { label, svgOf } from "#shared/pictures/draw.ts";

/** Bytes of the picture that are darker than half, scan-line filters left in: none at all in an empty one. */
function darkBytes(png: Uint8Array): number {
  const bytes = Buffer.from(png);
  const data: Buffer[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (bytes.subarray(at + 4, at + 8).toString() === "IDAT")
      data.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return inflateSync(Buffer.concat(data)).filter((byte) => byte > 8 && byte < 128).length;
}

describe("drawing a PNG", () => {
  it("has the size of the drawing", async () => {
    const png = Buffer.from(await renderPng(svgOf(50, [])));
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([720, 50]);
  });

  it.each([false, true])("writes letters with a font of its own, bold: %s", async (bold) => {
    const empty = darkBytes(await renderPng(svgOf(50, [])));
    const written = darkBytes(await renderPng(svgOf(50, [label("karstark", 10, 40, { size: 32, bold })])));
    expect(written).toBeGreaterThan(empty + 200);
  });

  it("says that it cannot draw what is no drawing", async () => {
    await expect(renderPng("<svg")).rejects.toMatchObject({ fault: { kind: "unreadable", what: "picture" } });
  });
});
