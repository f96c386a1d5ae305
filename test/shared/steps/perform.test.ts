import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { type Commit, replacing, type WorkingTree } from "#shared/git/working-tree.ts";
import type { Json } from "#shared/json.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { KubeWrite } from "#shared/kubernetes/write.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import type { ShellCommand } from "#shared/probes/shell.ts";
import { type Deed, uidMadeBy } from "#shared/steps/deed.ts";
import type { DeedPorts } from "#shared/steps/deed-ports.ts";
import { lookOn } from "#shared/steps/look.ts";
import { performOn } from "#shared/steps/perform.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { writeOn } from "#shared/twin/write-on.ts";

const origin = { run: "R-0194", step: "create-l2advertisement" };
const { signal } = new AbortController();
const namespace = "metallb";

type Exit = number | null | FaultError;

/** Exit codes by program; text of files by branch and path. */
function world(exits: Record<string, Exit> = {}) {
  let uid = 0;
  const store = createObjectStore({
    now: () => Date.parse("2026-11-01T14:00:00Z"),
    newUid: () => `00000000-0000-4000-8000-${String(++uid).padStart(12, "0")}`,
    admit: admitMetalLb,
  });
  store.create("ipaddresspools", {
    metadata: { name: "first", namespace },
    spec: { addresses: ["10.4.11.0/24"] },
  });
  const commands: string[] = [];
  const files = new Map<string, string>();
  const commits: (Commit & { trailer: string })[] = [];
  const tree: WorkingTree = {
    name: "cluster",
    read: async (branch, path) => files.get(`${branch}:${path}`),
    list: async () => [],
    find: async (branch, trailer) =>
      commits.find((commit) => commit.branch === branch && commit.trailer === trailer),
    commit: async (branch, message, changes) => {
      for (const { path, text } of changes)
        if (text === null) files.delete(`${branch}:${path}`);
        else files.set(`${branch}:${path}`, text);
      const commit = { id: `c${commits.length + 1}`, branch, ...message };
      commits.push(commit);
      return commit;
    },
  };
  const ports: DeedPorts = {
    read: readOn(store),
    write: writeOn(store),
    trees: new Map([["cluster", tree]]),
    shell: async (_, { argv }: ShellCommand) => {
      commands.push(argv.join(" "));
      const exit = exits[argv[0]] === undefined ? 0 : exits[argv[0]];
      if (exit === undefined || exit instanceof FaultError) throw exit;
      return {
        exitCode: exit,
        stdout: "",
        stderr: exit === 0 ? "" : "no\n",
        lines: [],
        startedAt: 0,
        endedAt: 0,
      };
    },
  };
  return {
    store,
    ports,
    commands,
    files,
    commits,
    perform: performOn(ports, origin),
    look: lookOn(ports, origin),
  };
}

const advertisement = (spec: Json = { ipAddressPools: ["first"] }): KubeObject => ({
  metadata: { name: "primary", namespace },
  spec,
});
const ref = { kind: "l2advertisements", namespace, name: "primary" } as const;
const kube = (write: KubeWrite, id = "the-deed"): Deed => ({ id, title: "a write", kind: "kube", write });
const creating = kube(
  { verb: "create", kind: "l2advertisements", object: advertisement() },
  "create-primary",
);
const made = (result: Readonly<{ ok: boolean }>) => {
  if (!result.ok) throw new Error(JSON.stringify(result));
};

describe("creating an object", () => {
  it("is not done, then done, and leaves its uid as a fact and our mark on the object", async () => {
    const { store, perform, look } = world();
    expect(await look(creating, signal)).toBe("not-done");
    const result = await perform(creating, signal);
    const there = store.get("l2advertisements", namespace, "primary");
    expect(result).toEqual({
      ok: true,
      facts: { uid: there?.metadata.uid, resourceVersion: there?.metadata.resourceVersion },
    });
    expect(there?.metadata.annotations).toEqual({
      "arpeggio.dev/deed": "R-0194/create-l2advertisement/create-primary",
    });
    expect(await look(creating, signal)).toBe("done");
  });

  it("puts an object back without a mark", async () => {
    const { store, perform, look } = world();
    const restoring = kube({
      ...(creating as { write: Extract<KubeWrite, { verb: "create" }> }).write,
      restored: true,
    });
    made(await perform(restoring, signal));
    expect(store.get("l2advertisements", namespace, "primary")?.metadata.annotations).toBeUndefined();
    expect(await look(restoring, signal)).toBe("done");
  });

  it.each([
    ["the same content", { ipAddressPools: ["first"] }, "done"],
    ["nothing but empty lists more", { ipAddressPools: ["first"], nodeSelectors: [] }, "done"],
    ["other content", { ipAddressPools: ["other"] }, "moved"],
    ["one field more", { ipAddressPools: ["first"], interfaces: ["eth0"] }, "moved"],
  ] as const)("finds somebody else's of the name with %s", async (_, spec, state) => {
    const { store, look, perform } = world();
    store.create("ipaddresspools", {
      metadata: { name: "other", namespace },
      spec: { addresses: ["10.4.12.0/24"] },
    });
    made(store.create("l2advertisements", advertisement(spec)));
    expect(await look(creating, signal)).toBe(state);
    expect(await perform(creating, signal)).toMatchObject({ ok: false, because: "exists" });
  });

  it("is done whatever the CRD filled in", async () => {
    const { store, look } = world();
    const peer = { myASN: 64513, peerASN: 64512, peerAddress: "10.4.0.1" };
    const object = { metadata: { name: "router", namespace }, spec: peer };
    made(store.create("bgppeers", { ...object, spec: { ...peer, peerPort: 179, disableMP: false } }));
    expect(await look(kube({ verb: "create", kind: "bgppeers", object }), signal)).toBe("done");
  });

  it("has moved when ours was changed, or is being deleted", async () => {
    const { store, perform, look } = world();
    made(await perform(creating, signal));
    store.mergePatch("l2advertisements", namespace, "primary", { metadata: { finalizers: ["x.test/kept"] } });
    expect(await look(creating, signal)).toBe("done");
    store.remove("l2advertisements", namespace, "primary");
    expect(await look(creating, signal)).toBe("moved");
  });

  it("gives the webhook's words", async () => {
    const { perform } = world();
    const object = advertisement({ nodeSelectors: [{ matchLabels: { a: "*" } }] });
    expect(await perform(kube({ verb: "create", kind: "l2advertisements", object }), signal)).toMatchObject({
      ok: false,
      because: "webhook",
      message: expect.stringContaining("denied the request"),
    });
  });
});

describe("patching an object", () => {
  const patched = async () => {
    const site = world();
    made(site.store.create("l2advertisements", advertisement()));
    const there = site.store.get("l2advertisements", namespace, "primary") as KubeObject;
    const uid = there.metadata.uid ?? "";
    const patch = { spec: { interfaces: ["eth0"] } };
    const deed = kube({ verb: "patch", ref, patch, is: { uid }, before: { spec: { interfaces: null } } });
    const bump = () =>
      site.store.mergePatch("l2advertisements", namespace, "primary", {
        metadata: { labels: { seen: String(site.store.list("l2advertisements").resourceVersion) } },
      });
    return { ...site, there, uid, patch, deed, bump };
  };

  it("is not done, then done", async () => {
    const { perform, look, deed, store, uid } = await patched();
    expect(await look(deed, signal)).toBe("not-done");
    expect(await perform(deed, signal)).toMatchObject({ ok: true, facts: { uid } });
    expect(store.get("l2advertisements", namespace, "primary")?.spec).toEqual({
      ipAddressPools: ["first"],
      interfaces: ["eth0"],
    });
    expect(await look(deed, signal)).toBe("done");
  });

  it("does not care about what else is written to the object, before or meanwhile", async () => {
    const { perform, look, deed, bump, ports, store } = await patched();
    bump();
    expect(await look(deed, signal)).toBe("not-done");
    let raced = 0;
    const racing = performOn(
      {
        ...ports,
        write: async (...args) => {
          if (raced++ === 0) bump();
          return ports.write(...args);
        },
      },
      origin,
    );
    expect(await racing(deed, signal)).toMatchObject({ ok: true });
    expect(raced).toBe(2);
    expect(store.get("l2advertisements", namespace, "primary")?.metadata.labels).toBeDefined();
    expect(await perform(deed, signal)).toMatchObject({ ok: true });
  });

  it("gives up when it loses every race", async () => {
    const { deed, bump, ports } = await patched();
    const write: DeedPorts["write"] = (...args) => {
      bump();
      return ports.write(...args);
    };
    const racing = performOn({ ...ports, write }, origin);
    expect(await racing(deed, signal)).toMatchObject({ ok: false, because: "conflict" });
  });

  it("has moved when somebody changed those fields, and is refused then", async () => {
    const { perform, look, deed, store } = await patched();
    store.mergePatch("l2advertisements", namespace, "primary", { spec: { interfaces: ["wlan0"] } });
    expect(await look(deed, signal)).toBe("moved");
    expect(await perform(deed, signal)).toEqual({
      ok: false,
      because: "conflict",
      message: "L2Advertisement metallb/primary has been changed since the plan: spec.interfaces",
    });
  });

  it("has moved when the object is another one, or gone", async () => {
    const { perform, look, deed, store } = await patched();
    store.remove("l2advertisements", namespace, "primary");
    expect(await look(deed, signal)).toBe("moved");
    expect(await perform(deed, signal)).toMatchObject({ because: "not-found" });
    store.create("l2advertisements", advertisement());
    expect(await look(deed, signal)).toBe("moved");
    expect(await perform(deed, signal)).toMatchObject({ because: "conflict" });
  });

  it("with a version is about that version alone", async () => {
    const { perform, look, there, uid, patch, bump } = await patched();
    const is = { uid, resourceVersion: there.metadata.resourceVersion ?? "" };
    const deed = kube({ verb: "patch", ref, patch, is });
    expect(await look(deed, signal)).toBe("not-done");
    bump();
    expect(await look(deed, signal)).toBe("moved");
    expect(await perform(deed, signal)).toMatchObject({ because: "conflict" });
  });
});

describe("deleting an object", () => {
  const deleting = (uid: string, resourceVersion?: string) =>
    kube({ verb: "delete", ref, is: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) } });

  it("is not done while that object is there, and done when it is gone or another has its name", async () => {
    const { store, perform, look } = world();
    made(store.create("l2advertisements", advertisement()));
    const { uid = "" } = store.get("l2advertisements", namespace, "primary")?.metadata ?? {};
    const deed = deleting(uid);
    expect(await look(deed, signal)).toBe("not-done");
    expect(await perform(deed, signal)).toEqual({ ok: true, facts: { uid, resourceVersion: null } });
    expect(await look(deed, signal)).toBe("done");
    made(store.create("l2advertisements", advertisement()));
    expect(await look(deed, signal)).toBe("done");
    expect(await perform(deed, signal)).toMatchObject({ ok: false, because: "conflict" });
    expect(store.get("l2advertisements", namespace, "primary")).toBeDefined();
  });

  it("has moved when the version is no longer the one that was looked at", async () => {
    const { store, look, perform } = world();
    made(store.create("l2advertisements", advertisement()));
    const { uid = "", resourceVersion } = store.get("l2advertisements", namespace, "primary")?.metadata ?? {};
    store.mergePatch("l2advertisements", namespace, "primary", { spec: { interfaces: ["eth0"] } });
    expect(await look(deleting(uid, resourceVersion), signal)).toBe("moved");
    expect(await perform(deleting(uid, resourceVersion), signal)).toMatchObject({ because: "conflict" });
  });

  it("finds what a deed of its step created by the mark, and leaves another's object alone", async () => {
    const { store, perform, look, ports } = world();
    const undo = deleting(uidMadeBy("create-primary"));
    expect(await look(undo, signal)).toBe("done");
    expect(await perform(undo, signal)).toMatchObject({ because: "not-found" });

    made(store.create("l2advertisements", advertisement()));
    expect(await look(undo, signal)).toBe("moved");
    expect(await perform(undo, signal)).toEqual({
      ok: false,
      because: "conflict",
      message: "L2Advertisement metallb/primary was not made by this run",
    });
    store.remove("l2advertisements", namespace, "primary");

    made(await perform(creating, signal));
    const other = lookOn(ports, { ...origin, run: "R-0195" });
    expect(await other(undo, signal)).toBe("moved");
    expect(await look(undo, signal)).toBe("not-done");
    // A step that was begun again takes back what its first round made.
    expect(await performOn(ports, { ...origin, round: 2 })(undo, signal)).toMatchObject({ ok: true });
    expect(await look(undo, signal)).toBe("done");
  });
});

describe("committing files", () => {
  const deed: Deed = {
    id: "commit-values",
    title: "commit",
    kind: "git",
    tree: "cluster",
    branch: "arpeggio",
    subject: "Announce by layer 2",
    body: "",
    changes: [
      replacing("l2.yaml", null, "kind: L2Advertisement\n"),
      replacing("bgp.yaml", "kind: BGPPeer\n", null),
    ],
  };

  it("is found by its trailer, and not made twice", async () => {
    const { perform, look, commits, files } = world();
    files.set("arpeggio:bgp.yaml", "kind: BGPPeer\n");
    expect(await look(deed, signal)).toBe("not-done");
    expect(await perform(deed, signal)).toEqual({ ok: true, facts: { commit: "c1", branch: "arpeggio" } });
    expect(commits[0]?.trailer).toBe("Arpeggio-Deed: R-0194/create-l2advertisement/commit-values");
    expect(await look(deed, signal)).toBe("done");
    expect(await perform(deed, signal)).toEqual({ ok: true, facts: { commit: "c1", branch: "arpeggio" } });
    expect(commits).toHaveLength(1);
  });

  const undo: Deed = {
    ...deed,
    id: "undo-commit-values",
    changes: [
      replacing("l2.yaml", "kind: L2Advertisement\n", null),
      replacing("bgp.yaml", null, "kind: BGPPeer\n"),
    ],
  };

  it("is taken back, done again, and taken back again", async () => {
    const { perform, look, files, commits } = world();
    files.set("arpeggio:bgp.yaml", "kind: BGPPeer\n");
    for (const one of [deed, undo, deed, undo]) {
      expect(await look(one, signal)).toBe("not-done");
      made(await perform(one, signal));
      expect(await look(one, signal)).toBe("done");
    }
    expect(Object.fromEntries(files)).toEqual({ "arpeggio:bgp.yaml": "kind: BGPPeer\n" });
    expect(commits).toHaveLength(4);
  });

  it.each([
    ["a line more", "arpeggio:l2.yaml", "kind: L2Advertisement\n# added by a colleague\n"],
    ["a file of the name that was removed", "arpeggio:bgp.yaml", "kind: Other\n"],
  ])("leaves what somebody else wrote since: %s", async (_, file, text) => {
    const { perform, look, files, commits } = world();
    files.set("arpeggio:bgp.yaml", "kind: BGPPeer\n");
    made(await perform(deed, signal));
    files.set(file, text);
    const before = Object.fromEntries(files);
    for (const one of [deed, undo]) {
      expect(await look(one, signal)).toBe("moved");
      expect(await perform(one, signal)).toEqual({
        ok: false,
        because: "conflict",
        message: `${file.slice("arpeggio:".length)} of cluster arpeggio says something else than when this was planned, and is left as it is`,
      });
    }
    expect(Object.fromEntries(files)).toEqual(before);
    expect(commits).toHaveLength(1);
  });

  it("cannot be looked at without its tree", async () => {
    const { ports } = world();
    const look = lookOn({ ...ports, trees: new Map() }, origin);
    await expect(look(deed, signal)).rejects.toMatchObject({ fault: { kind: "not-configured" } });
  });

  it("does not begin when it is cancelled", async () => {
    const { perform, commits } = world();
    await expect(perform(deed, AbortSignal.abort())).rejects.toBeInstanceOf(FaultError);
    expect(commits).toEqual([]);
  });
});

describe("running a command", () => {
  const deed: Deed = {
    id: "wifi-off",
    title: "switch Wi-Fi off",
    kind: "shell",
    target: { kind: "node", name: "karstark" },
    argv: ["rfkill", "block", "wifi"],
    privileged: true,
    timeoutMs: 5_000,
    done: { argv: ["test", "-e", "/etc/off"], privileged: false },
  };
  const timedOut = new FaultError({ kind: "timed-out", what: "rfkill", detail: "no end within 5 s" });

  it.each([
    [0, "done"],
    [1, "not-done"],
  ] as const)("whose test ends with %i is %s", async (exit, state) => {
    const { look, commands } = world({ test: exit });
    expect(await look(deed, signal)).toBe(state);
    expect(commands).toEqual(["test -e /etc/off"]);
  });

  it.each([2, 127, null])("whose test ends with %s cannot be judged", async (exit) => {
    await expect(world({ test: exit }).look(deed, signal)).rejects.toBeInstanceOf(FaultError);
  });

  it.each([
    [{ rfkill: 0 }, { ok: true, facts: { exitCode: 0 } }],
    [
      { rfkill: 3, test: 0 },
      { ok: true, facts: { exitCode: 3, stderr: "no" } },
    ],
    [
      { rfkill: 3, test: 1 },
      { ok: false, because: "failed", message: "rfkill on karstark ended with exit code 3: no" },
    ],
  ])("with exit codes %j gives %j", async (exits, result) => {
    expect(await world(exits).perform(deed, signal)).toEqual(result);
  });

  it.each([
    [{ rfkill: 3, test: 2 }],
    [{ rfkill: null }],
    [{ rfkill: timedOut }],
  ])("with %j nobody knows whether it was done", async (exits) => {
    await expect(world(exits as Record<string, Exit>).perform(deed, signal)).rejects.toBeInstanceOf(
      FaultError,
    );
  });
});

it("a document is done by being in the ledger", async () => {
  const { perform, look } = world();
  const deed: Deed = { id: "values", title: "values", kind: "document", name: "values.yaml", text: "a: 1\n" };
  expect(await perform(deed, signal)).toEqual({ ok: true, facts: { name: "values.yaml" } });
  expect(await look(deed, signal)).toBe("done");
});

it("what cannot be read is unknown, never absent", async () => {
  const { store, ports } = world();
  const look = lookOn({ ...ports, read: readOn(store, ["l2advertisements"]) }, origin);
  await expect(look(creating, signal)).rejects.toMatchObject({ fault: { kind: "denied" } });
});
