import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFiles } from "#shared/adapters/files.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "arpeggio-files-"));
  await writeFile(join(dir, "b.txt"), "größe\n");
  await writeFile(join(dir, "a.bin"), Buffer.from([0xff, 0xfe, 0x00]));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("files", () => {
  const files = createFiles();
  const fault = (promise: Promise<unknown>) =>
    promise.then(
      () => "no fault",
      (error) => error.fault,
    );

  it("reads text", async () => {
    expect(await files.readFile(join(dir, "b.txt"))).toBe("größe\n");
  });

  it("reads standard input for -, over chunks that cut a character", async () => {
    const bytes = Buffer.from("größe");
    const stdin = Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]);
    expect(await createFiles(stdin).readFile("-")).toBe("größe");
  });

  it("names what cannot be read and why", async () => {
    const absent = join(dir, "absent");
    expect(await fault(files.readFile(absent))).toEqual({
      kind: "unreadable",
      what: absent,
      detail: "no such file or directory",
    });
    expect(await fault(files.readFile(dir))).toMatchObject({ detail: "is a directory, a file was expected" });
    expect(await fault(files.readFile(join(dir, "a.bin")))).toMatchObject({ detail: "is not UTF-8 text" });
    expect(await fault(files.readDirectory(absent))).toMatchObject({ kind: "unreadable" });
  });

  it("lists a directory in order, and tells a file from one", async () => {
    expect(await files.readDirectory(dir)).toEqual(["a.bin", "b.txt"]);
    expect(await files.readDirectory(join(dir, "b.txt"))).toBeUndefined();
  });
});
