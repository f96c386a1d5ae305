import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import { FaultError } from "../fault.ts";
import type { DrawPng } from "../pictures/picture.ts";

const fontNames = ["dejavu-sans-latin-400-normal.woff2", "dejavu-sans-latin-700-normal.woff2"] as const;

/** What a PNG is made with, and where the packages keep it; `infra/bundle.ts` puts copies beside the bundle. */
export const pictureAssets: readonly Readonly<{ name: string; module: string }>[] = [
  { name: "resvg.wasm", module: "@resvg/resvg-wasm/index_bg.wasm" },
  ...fontNames.map((name) => ({ name, module: `@fontsource/dejavu-sans/files/${name}` })),
];

/** Beside the bundle if there is one, else out of node_modules. */
async function asset({ name, module }: (typeof pictureAssets)[number]): Promise<Buffer> {
  try {
    return await readFile(new URL(`./assets/${name}`, import.meta.url));
  } catch {
    return readFile(createRequire(import.meta.url).resolve(module));
  }
}

let fonts: Promise<readonly Uint8Array[]> | undefined;

/** The WebAssembly is started once a process; it cannot be started twice. */
function loaded(): Promise<readonly Uint8Array[]> {
  fonts ??= (async () => {
    const [wasm, ...read] = await Promise.all(pictureAssets.map(asset));
    await initWasm(wasm as Buffer);
    return read;
  })();
  return fonts;
}

/** Draws with the two fonts that come along; nothing of the machine's own fonts is used. */
export const renderPng: DrawPng = async (svg) => {
  try {
    const fontBuffers = [...(await loaded())];
    const drawing = new Resvg(svg, {
      font: { fontBuffers, loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" },
    });
    try {
      return drawing.render().asPng();
    } finally {
      drawing.free();
    }
  } catch (error) {
    throw new FaultError(
      { kind: "unreadable", what: "picture", detail: error instanceof Error ? error.message : String(error) },
      { cause: error },
    );
  }
};
