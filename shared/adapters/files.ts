import { readFile as read, readdir, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { FaultError, type FaultKind } from "../fault.ts";

export type Files = Readonly<{
  /** Text of a file, `-` for standard input. Throws FaultError: unreadable, denied. */
  readFile: (path: string) => Promise<string>;
  /** Sorted names in a directory; `undefined` when the path is a file. Throws FaultError. */
  readDirectory: (path: string) => Promise<readonly string[] | undefined>;
}>;

const reasons: Readonly<Record<string, readonly [FaultKind, string]>> = {
  ENOENT: ["unreadable", "no such file or directory"],
  ENOTDIR: ["unreadable", "a part of the path is not a directory"],
  EISDIR: ["unreadable", "is a directory, a file was expected"],
  ELOOP: ["unreadable", "too many symbolic links"],
  EACCES: ["denied", "permission denied"],
  EPERM: ["denied", "permission denied"],
};

function faultOf(path: string, error: unknown): FaultError {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  const [kind, detail] = reasons[code] ?? ["unreadable", code];
  return new FaultError({ kind, what: path, detail }, { cause: error });
}

function decode(what: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FaultError({ kind: "unreadable", what, detail: "is not UTF-8 text" }, { cause: error });
  }
}

/** The file system as offline commands see it. */
export function createFiles(stdin: Readable = process.stdin): Files {
  return {
    readFile: async (path) => {
      if (path === "-") {
        const chunks: Buffer[] = [];
        for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
        return decode("standard input", Buffer.concat(chunks));
      }
      let bytes: Buffer;
      try {
        bytes = await read(path);
      } catch (error) {
        throw faultOf(path, error);
      }
      return decode(path, bytes);
    },
    readDirectory: async (path) => {
      try {
        if (!(await stat(path)).isDirectory()) return undefined;
        return (await readdir(path)).sort();
      } catch (error) {
        throw faultOf(path, error);
      }
    },
  };
}
