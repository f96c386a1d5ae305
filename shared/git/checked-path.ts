import { FaultError } from "../fault.ts";

/** Why a path may not be written in a repository; undefined when it may. */
export function pathFault(path: string): string | undefined {
  if (path === "") return "it is empty";
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return "it is absolute";
  if (/[\\\u0000-\u001f\u007f]/.test(path)) return "it has a backslash or a control character";
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".."))
    return "it has an empty, `.` or `..` part";
  // Git refuses these names itself, on some file systems only.
  if (parts.some((part) => /^(\.git|git~\d+)[ .]*$/i.test(part))) return "it leads into git's own directory";
  return undefined;
}

/** A path of a repository, relative and with forward slashes. Throws FaultError for any other. */
export function checkedPath(tree: string, path: string): string {
  const why = pathFault(path);
  if (why === undefined) return path;
  throw new FaultError({
    kind: "refused",
    what: `file ${JSON.stringify(path)} of working tree ${tree}`,
    detail: `the path leaves the tree: ${why}`,
  });
}
