import fc from "fast-check";
import { expect, it } from "vitest";
import { checkedPath, pathFault } from "#shared/git/checked-path.ts";

it.each([
  ["l2.yaml", true],
  ["clusters/home/metallb/l2 advertisement.yaml", true],
  [".gitignore", true],
  ["a/.github/b", true],
  ["..yaml", true],
  ["", false],
  ["/etc/passwd", false],
  ["C:/x", false],
  ["../outside", false],
  ["a/../../outside", false],
  ["a/./b", false],
  ["a//b", false],
  ["a/", false],
  ["a\\..\\b", false],
  ["a\nb", false],
  [".git/config", false],
  ["a/.GIT/hooks/post-commit", false],
  [".git ./config", false],
  ["git~1/config", false],
])("%j may be written: %s", (path, may) => {
  expect(pathFault(path) === undefined).toBe(may);
  if (may) expect(checkedPath("cluster", path)).toBe(path);
  else expect(() => checkedPath("cluster", path)).toThrow(/the path leaves the tree/);
});

it("no path that passes climbs out or into git's directory", () => {
  const part = fc.constantFrom("a", "..", ".", "", ".git", ".GIT", "b.yaml", "\\", "...");
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const path = parts.join("/");
      if (pathFault(path) !== undefined) return;
      const { pathname } = new URL(path, "file:///tree/");
      expect(pathname).toBe(`/tree/${path}`);
      expect(path.toLowerCase().split("/")).not.toContain(".git");
    }),
  );
});
