import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { configuredTrees } from "#shared/adapters/configured-trees.ts";
import { openWorkingTree } from "#shared/adapters/git-working-tree.ts";
import { FaultError } from "#shared/fault.ts";
import { replacing } from "#shared/git/working-tree.ts";

const folders: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "git-tree-"));
  folders.push(folder);
  return folder;
};

/** A clone with one commit on main, checked out. */
function repository(
  files: Record<string, string> = { "metallb/bgp.yaml": "kind: BGPPeer\n", "run.sh": "#!/bin/sh\n" },
) {
  const path = newFolder();
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", path, ...args], {
      encoding: "utf8",
      env: {
        ...process.env,
        GIT_AUTHOR_NAME: "Person",
        GIT_AUTHOR_EMAIL: "person@example.com",
        GIT_COMMITTER_NAME: "Person",
        GIT_COMMITTER_EMAIL: "person@example.com",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  };
  git("init", "-q", "-b", "main");
  for (const [file, text] of Object.entries(files)) write(file, text);
  if (files["run.sh"] !== undefined) chmodSync(join(path, "run.sh"), 0o755);
  git("add", ".");
  git("commit", "-q", "-m", "first");
  const open = (branch = "arpeggio") => openWorkingTree({ name: "cluster", path, branch, base: "main" });
  return { path, git, write, open };
}

const message = (deed = "R-1/step/deed") => ({
  subject: "Announce by layer 2",
  body: "Asked by operator.",
  trailer: `Arpeggio-Deed: ${deed}`,
});
const l2 = {
  ...replacing("metallb/l2.yaml", null, "kind: L2Advertisement\n"),
  text: "kind: L2Advertisement\n",
};
const withoutBgp = replacing("metallb/bgp.yaml", "kind: BGPPeer\n", null);
const runOther = (text: string) => replacing("run.sh", "#!/bin/sh\n", text);

describe("reading", () => {
  it("gives files of a branch, and of the base while there is no branch", async () => {
    const { open, git } = repository();
    const tree = open();
    expect(tree.name).toBe("cluster");
    expect(await tree.read("main", "metallb/bgp.yaml")).toBe("kind: BGPPeer\n");
    expect(await tree.read("arpeggio", "metallb/bgp.yaml")).toBe("kind: BGPPeer\n");
    expect(await tree.read("main", "metallb/none.yaml")).toBeUndefined();
    expect(await tree.read("main", "metallb")).toBeUndefined();
    expect(await tree.list("arpeggio")).toEqual(["metallb/bgp.yaml", "run.sh"]);
    expect(git("branch", "--list", "arpeggio")).toBe("");
  });

  it("takes names with spaces, colons and other letters literally", async () => {
    const name = "a b/ü:*.yaml";
    const tree = repository({ [name]: "x\n", "a b/other.yaml": "y\n" }).open();
    expect(await tree.list("main")).toEqual(["a b/other.yaml", name]);
    expect(await tree.read("main", name)).toBe("x\n");
    expect(await tree.read("main", "a b/*.yaml")).toBeUndefined();
  });

  it("refuses what is no text and what is no file", async () => {
    const { open, git, path, write } = repository();
    writeFileSync(join(path, "latin1.txt"), Buffer.from([0x66, 0xfc, 0x72]));
    write("target", "x");
    execFileSync("ln", ["-s", "/etc/passwd", join(path, "link")]);
    git("add", ".");
    git("commit", "-q", "-m", "more");
    const tree = open();
    await expect(tree.read("main", "latin1.txt")).rejects.toMatchObject({ fault: { kind: "unreadable" } });
    await expect(tree.read("main", "link")).rejects.toMatchObject({
      fault: { kind: "refused", detail: "link is not a file" },
    });
    await expect(tree.commit("arpeggio", message(), [replacing("link", null, "x")])).rejects.toMatchObject({
      fault: { detail: "link is not a file" },
    });
    expect(await tree.list("main")).not.toContain("link");
  });

  it.each(["../outside", "/etc/passwd", ".git/config"])("refuses the path %s", async (path) => {
    const { open, git } = repository();
    const tree = open();
    await expect(tree.read("main", path)).rejects.toBeInstanceOf(FaultError);
    await expect(tree.commit("arpeggio", message(), [l2, replacing(path, null, "x")])).rejects.toMatchObject({
      fault: { kind: "refused", detail: expect.stringContaining("leaves the tree") },
    });
    expect(git("branch", "--list", "arpeggio")).toBe("");
  });
});

describe("committing", () => {
  it("makes the branch from its base, with the message, the trailer and the clone's identity", async () => {
    const { open, git } = repository();
    git("config", "user.name", "GitOps Bot");
    git("config", "user.email", "bot@example.com");
    const changes = [l2, withoutBgp];
    const commit = await open().commit("arpeggio", message(), changes);
    expect(commit).toEqual({
      id: git("rev-parse", "arpeggio").trim(),
      branch: "arpeggio",
      subject: message().subject,
    });
    expect(git("log", "-1", "--format=%B", "arpeggio").trim()).toBe(
      "Announce by layer 2\n\nAsked by operator.\n\nArpeggio-Deed: R-1/step/deed",
    );
    expect(git("log", "-1", "--format=%an <%ae> %cn", "arpeggio").trim()).toBe(
      "GitOps Bot <bot@example.com> GitOps Bot",
    );
    expect(git("rev-parse", "arpeggio^")).toBe(git("rev-parse", "main"));
    expect(git("diff", "--name-status", "main", "arpeggio")).toBe(
      "D\tmetallb/bgp.yaml\nA\tmetallb/l2.yaml\n",
    );
    const trailers = "--format=%(trailers:key=Arpeggio-Deed,valueonly)";
    expect(git("log", "-1", trailers, "arpeggio").trim()).toBe("R-1/step/deed");
  });

  it("goes on from what the branch has", async () => {
    const { open, git } = repository();
    const tree = open();
    const first = await tree.commit("arpeggio", message("R-1/a/b"), [l2]);
    await tree.commit("arpeggio", message("R-1/a/c"), [runOther("#!/bin/sh\ntrue\n")]);
    expect(git("rev-parse", "arpeggio^").trim()).toBe(first.id);
    expect(await tree.read("arpeggio", "metallb/l2.yaml")).toBe(l2.text);
    // What could be run still can.
    expect(git("ls-tree", "arpeggio", "run.sh")).toMatch(/^100755 /);
  });

  it("finds a commit by its whole trailer", async () => {
    const { open } = repository();
    const tree = open();
    expect(await tree.find("arpeggio", message().trailer)).toBeUndefined();
    const commit = await tree.commit("arpeggio", message("R-1/step/deed/2"), [l2]);
    expect(await tree.find("arpeggio", "Arpeggio-Deed: R-1/step/deed")).toBeUndefined();
    expect(await tree.find("arpeggio", "Arpeggio-Deed: R-1/step/deed/2")).toEqual(commit);
    expect(await tree.find("main", "Arpeggio-Deed: R-1/step/deed/2")).toBeUndefined();
  });

  it("leaves a checkout of another branch as it is, staged and unstaged changes included", async () => {
    const { open, git, write, path } = repository();
    write("run.sh", "#!/bin/sh\nfalse\n");
    write("metallb/bgp.yaml", "kind: Changed\n");
    git("add", "metallb/bgp.yaml");
    write("untracked.txt", "mine\n");
    const before = {
      status: git("status", "--porcelain"),
      index: git("ls-files", "-s"),
      head: git("rev-parse", "HEAD"),
    };
    await open().commit("arpeggio", message(), [l2, runOther("other\n")]);
    expect({
      status: git("status", "--porcelain"),
      index: git("ls-files", "-s"),
      head: git("rev-parse", "HEAD"),
    }).toEqual(before);
    expect(readFileSync(join(path, "run.sh"), "utf8")).toBe("#!/bin/sh\nfalse\n");
    expect(existsSync(join(path, "metallb/l2.yaml"))).toBe(false);
  });

  it("takes a clean checkout of the branch along", async () => {
    const { open, git, path, write } = repository();
    write("untracked.txt", "mine\n");
    await open("main").commit("main", message(), [l2, withoutBgp]);
    expect(git("status", "--porcelain")).toBe("?? untracked.txt\n");
    expect(readFileSync(join(path, l2.path), "utf8")).toBe(l2.text);
    expect(existsSync(join(path, "metallb/bgp.yaml"))).toBe(false);
  });

  it.each<[string, (write: (file: string, text: string) => void) => void, RegExp]>([
    ["changes of its own", (write) => write("run.sh", "mine\n"), /has main checked out with changes/],
    ["an untracked file in the way", (write) => write(l2.path, "mine\n"), /./],
  ])("refuses a checkout of the branch with %s", async (_, dirty, detail) => {
    const { open, git, write, path } = repository();
    dirty(write);
    const before = { head: git("rev-parse", "main"), status: git("status", "--porcelain") };
    await expect(open("main").commit("main", message(), [l2])).rejects.toMatchObject({
      fault: { kind: "refused", detail: expect.stringMatching(detail) },
    });
    expect({ head: git("rev-parse", "main"), status: git("status", "--porcelain") }).toEqual(before);
    if (existsSync(join(path, l2.path))) expect(readFileSync(join(path, l2.path), "utf8")).toBe("mine\n");
  });

  it("refuses when somebody else has moved the branch meanwhile", async () => {
    const { open, git, path } = repository();
    const tree = open();
    await tree.commit("arpeggio", message("R-1/a/b"), [l2]);
    // A commit of somebody else slips in between reading the branch and moving it.
    const theirs = git("commit-tree", "-p", "arpeggio", "-m", "theirs", "arpeggio^{tree}").trim();
    const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
    const bin = newFolder();
    const script = `#!/bin/sh\nfor a in "$@"; do [ "$a" = commit-tree ] && ${real} -C ${path} update-ref refs/heads/arpeggio ${theirs}; done\nexec ${real} "$@"\n`;
    writeFileSync(join(bin, "git"), script, { mode: 0o755 });
    vi.stubEnv("PATH", `${bin}:${process.env.PATH}`);
    const late = open().commit("arpeggio", message("R-1/a/c"), [replacing("x.yaml", null, "x\n")]);
    await expect(late).rejects.toMatchObject({ fault: { kind: "refused" } });
    expect(git("rev-parse", "arpeggio").trim()).toBe(theirs);
  });

  it("makes concurrent commits one after the other", async () => {
    const { open, git } = repository();
    const tree = open();
    const files = [1, 2, 3, 4].map((i) => replacing(`f${i}.yaml`, null, `${i}\n`));
    await Promise.all(files.map((file, i) => tree.commit("arpeggio", message(`R-1/a/${i}`), [file])));
    expect(git("rev-list", "--count", "main..arpeggio").trim()).toBe("4");
    expect(await tree.list("arpeggio")).toEqual(expect.arrayContaining(files.map(({ path }) => path)));
  });

  it.each([
    ["was changed by somebody else", "kind: BGPPeer\n# ours\n"],
    ["is there, though none was", null],
  ])("overwrites no file that %s, and commits none of the others", async (_, from) => {
    const { open, git } = repository();
    const changes = [l2, replacing("metallb/bgp.yaml", from, "kind: Other\n")];
    await expect(open().commit("arpeggio", message(), changes)).rejects.toMatchObject({
      fault: { kind: "refused", detail: expect.stringContaining("metallb/bgp.yaml was changed by somebody") },
    });
    expect(git("branch", "--list", "arpeggio")).toBe("");
  });

  it("does not bring back a file that somebody else removed", async () => {
    const { open, git } = repository();
    const change = replacing("gone.yaml", "a\n", "b\n");
    await expect(open().commit("arpeggio", message(), [l2, change])).rejects.toMatchObject({
      fault: { kind: "refused" },
    });
    expect(git("branch", "--list", "arpeggio")).toBe("");
  });

  it("makes no commit that changes nothing", async () => {
    const { open, git } = repository();
    const same = replacing("metallb/bgp.yaml", "kind: BGPPeer\n", "kind: BGPPeer\n");
    await expect(open().commit("arpeggio", message(), [same])).rejects.toMatchObject({
      fault: { detail: "nothing to commit: arpeggio says the same already" },
    });
    expect(git("branch", "--list", "arpeggio")).toBe("");
  });

  it("runs no hook of the clone", async () => {
    const { open, path } = repository();
    const trace = join(path, "ran");
    for (const hook of ["reference-transaction", "post-commit", "pre-commit"])
      writeFileSync(join(path, ".git/hooks", hook), `#!/bin/sh\ntouch ${trace}\n`, { mode: 0o755 });
    await open().commit("arpeggio", message(), [l2]);
    expect(existsSync(trace)).toBe(false);
  });

  it("works in a bare clone", async () => {
    const { path } = repository();
    const bare = join(newFolder(), "bare.git");
    execFileSync("git", ["clone", "-q", "--bare", path, bare]);
    const tree = openWorkingTree({ name: "cluster", path: bare, branch: "arpeggio", base: "main" });
    await tree.commit("arpeggio", message(), [l2]);
    expect(await tree.read("arpeggio", l2.path)).toBe(l2.text);
  });

  it("begins at the base of the remote where there is none of its own", async () => {
    const { path } = repository();
    const clone = join(newFolder(), "clone");
    execFileSync("git", ["clone", "-q", path, clone]);
    execFileSync("git", ["-C", clone, "checkout", "-q", "--detach"]);
    execFileSync("git", ["-C", clone, "branch", "-q", "-D", "main"]);
    const tree = openWorkingTree({ name: "cluster", path: clone, branch: "arpeggio", base: "main" });
    await tree.commit("arpeggio", message(), [l2]);
    expect(await tree.list("arpeggio")).toContain("run.sh");
  });
});

describe("what cannot be looked at", () => {
  it.each(["-evil", "a..b", "a b", ""])("refuses the branch %j", async (branch) => {
    await expect(repository().open().read(branch, "run.sh")).rejects.toMatchObject({
      fault: { kind: "refused", detail: expect.stringContaining("no name for a branch") },
    });
  });

  it("says that neither the branch nor its base is there", async () => {
    const { path } = repository();
    const tree = openWorkingTree({ name: "cluster", path, branch: "arpeggio", base: "trunk" });
    await expect(tree.read("arpeggio", "run.sh")).rejects.toMatchObject({
      fault: { kind: "not-configured" },
    });
  });

  it("takes no repository around the directory for the clone", async () => {
    const { path } = repository();
    mkdirSync(join(path, "inside"));
    const tree = openWorkingTree({ name: "cluster", path: join(path, "inside"), branch: "a", base: "main" });
    await expect(tree.read("main", "run.sh")).rejects.toMatchObject({
      fault: { kind: "refused", detail: expect.stringContaining("not a git repository") },
    });
  });

  it("says that git is not there", async () => {
    const { open } = repository();
    vi.stubEnv("PATH", newFolder());
    await expect(open().read("main", "run.sh")).rejects.toMatchObject({
      fault: { kind: "missing-tool", detail: "git is not installed here" },
    });
  });
});

it("trees of the config are there by name, and nothing is run for that", () => {
  const trees = configuredTrees([{ name: "flux", path: "/nowhere", branch: "arpeggio", base: "main" }]);
  expect([...trees].map(([name, tree]) => [name, tree.name])).toEqual([["flux", "flux"]]);
});
