import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FaultError } from "../fault.ts";

/**
 * Writes pictures into a directory that only its owner may read; the same name again replaces the older picture. Gives the
 * path. Throws FaultError.
 */
export const savePictures =
  (directory: string) =>
  async (name: string, png: Uint8Array): Promise<string> => {
    const path = join(directory, name);
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeFile(path, png, { mode: 0o600 });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new FaultError(
        { kind: "denied", what: path, detail: `it could not be written (${code ?? String(error)})` },
        { cause: error },
      );
    }
    return path;
  };
