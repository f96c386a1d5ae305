import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { Admit, ObjectStore, StoreEvent, StoreResult } from "#shared/twin/object-store.ts";

const start = Date.parse("2026-11-01T14:00:00Z");

function newStore(extra: Partial<Parameters<typeof createObjectStore>[0]> = {}): ObjectStore {
  let uid = 0;
  return createObjectStore({ now: () => start, newUid: () => `uid-${++uid}`, ...extra });
}

const pool = (name: string, addresses: string[] = ["10.4.11.0/24"], metadata: object = {}): KubeObject => ({
  metadata: { name, namespace: "metallb-system", ...metadata },
  spec: { addresses },
});

const done = (result: StoreResult): KubeObject => {
  if (!result.ok) throw new Error(result.refusal.message);
  return result.object;
};

const refused = (result: StoreResult) => {
  if (result.ok) throw new Error("expected a refusal");
  return result.refusal;
};

describe("create", () => {
  it("fills in what the API server fills in", () => {
    const store = newStore();
    const created = done(store.create("ipaddresspools", pool("first"), { manager: "kubectl" }));
    expect(created).toMatchObject({
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: {
        name: "first",
        namespace: "metallb-system",
        uid: "uid-1",
        resourceVersion: "2",
        creationTimestamp: "2026-11-01T14:00:00Z",
        generation: 1,
        managedFields: [
          {
            manager: "kubectl",
            operation: "Update",
            time: "2026-11-01T14:00:00Z",
            apiVersion: "metallb.io/v1beta1",
          },
        ],
      },
      spec: { addresses: ["10.4.11.0/24"] },
    });
    expect(store.get("ipaddresspools", "metallb-system", "first")).toBe(created);
    expect(store.list("ipaddresspools")).toEqual({ items: [created], resourceVersion: "2" });
  });

  it("generates a name of legal characters that is not taken", () => {
    const store = newStore();
    const names = Array.from(
      { length: 50 },
      () =>
        done(
          store.create("servicel2statuses", {
            metadata: { generateName: "l2-", namespace: "metallb-system" },
          } as unknown as KubeObject),
        ).metadata.name,
    );
    expect(new Set(names).size).toBe(50);
    for (const name of names) expect(name).toMatch(/^l2-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it("does not share memory with its caller and freezes what it gives", () => {
    const store = newStore();
    const given = pool("first");
    const created = done(store.create("ipaddresspools", given)) as KubeObject & {
      spec: { addresses: string[] };
    };
    (given as unknown as { spec: { addresses: string[] } }).spec.addresses.push("10.4.12.0/24");
    expect(created.spec.addresses).toEqual(["10.4.11.0/24"]);
    expect(() => created.spec.addresses.push("x")).toThrow(TypeError);
    expect(() => (store.list("ipaddresspools").items as KubeObject[]).push(created)).toThrow(TypeError);
  });

  it.each([
    [
      "a name with capitals",
      pool("First"),
      422,
      `IPAddressPool.metallb.io "First" is invalid: metadata.name: Invalid value: "First": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
    [
      "no name",
      { metadata: { namespace: "metallb-system" } } as unknown as KubeObject,
      422,
      'IPAddressPool.metallb.io "" is invalid: metadata.name: Required value: name or generateName is required',
    ],
    ["a name of 254 characters", pool("a".repeat(254)), 422, /must be no more than 253 characters$/],
    [
      "a wildcard as a label value",
      pool("first", [], { labels: { site: "*" } }),
      422,
      /metadata\.labels: Invalid value: "\*": a valid label must be an empty string or consist of/,
    ],
    [
      "two faults at once",
      pool("First", [], { labels: { "bad key": "x" } }),
      422,
      /is invalid: \[metadata\.name: .*, metadata\.labels: .*\]$/,
    ],
    ["no namespace", { metadata: { name: "first" } }, 400, "Namespace parameter required."],
    [
      "a resourceVersion",
      pool("first", [], { resourceVersion: "5" }),
      500,
      "resourceVersion should not be set on objects to be created",
    ],
    [
      "another kind",
      { ...pool("first"), apiVersion: "v1", kind: "Service" },
      400,
      'Service in version "v1" cannot be handled as a IPAddressPool',
    ],
    [
      "another version",
      { ...pool("first"), apiVersion: "metallb.io/v1alpha1" },
      400,
      "the API version in the data (metallb.io/v1alpha1) does not match the expected API version (metallb.io/v1beta1)",
    ],
    ["labels that are not strings", pool("first", [], { labels: { a: 1 } }), 400, /^metadata\.labels\.a: /],
  ])("refuses %s", (_, object, code, message) => {
    const store = newStore();
    const refusal = refused(store.create("ipaddresspools", object));
    expect(refusal.code).toBe(code);
    if (typeof message === "string") expect(refusal.message).toBe(message);
    else expect(refusal.message).toMatch(message);
    expect(store.list("ipaddresspools")).toEqual({ items: [], resourceVersion: "1" });
  });

  it("refuses a name that is taken, in the same namespace only", () => {
    const store = newStore();
    done(store.create("ipaddresspools", pool("first")));
    expect(refused(store.create("ipaddresspools", pool("first")))).toEqual({
      code: 409,
      reason: "AlreadyExists",
      message: 'ipaddresspools.metallb.io "first" already exists',
      details: { name: "first", group: "metallb.io", kind: "ipaddresspools" },
    });
    done(store.create("ipaddresspools", pool("first", [], { namespace: "elsewhere" })));
  });

  it("holds Services to DNS labels and cluster-wide kinds to no namespace", () => {
    const store = newStore();
    expect(
      refused(store.create("services", { metadata: { name: "1st", namespace: "default" } })).message,
    ).toMatch(/^Service "1st" is invalid: metadata\.name: Invalid value: "1st": a DNS-1035 label must/);
    expect(
      refused(store.create("nodes", { metadata: { name: "karstark", namespace: "default" } })).message,
    ).toBe('Node "karstark" is invalid: metadata.namespace: Forbidden: not allowed on this type');
  });
});

describe("update and merge patch", () => {
  it("replaces, counts the generation of spec changes only, and keeps what is the server's", () => {
    const store = newStore();
    const created = done(store.create("ipaddresspools", pool("first")));
    const labelled = done(
      store.update("ipaddresspools", {
        ...created,
        metadata: { name: "first", namespace: "metallb-system", labels: { a: "b" } },
      }),
    );
    expect(labelled.metadata).toMatchObject({ uid: "uid-1", generation: 1, resourceVersion: "3" });
    const widened = done(
      store.mergePatch("ipaddresspools", "metallb-system", "first", {
        spec: { addresses: ["10.4.12.0/24"], autoAssign: false },
      }),
    );
    expect(widened).toMatchObject({
      metadata: { generation: 2, resourceVersion: "4", labels: { a: "b" } },
      spec: { addresses: ["10.4.12.0/24"], autoAssign: false },
    });
    const judged = done(
      store.mergePatch("ipaddresspools", "metallb-system", "first", { status: { assignedIPv4: 3 } }),
    );
    expect(judged.metadata.generation).toBe(2);
  });

  it("takes a change that changes nothing as no write", () => {
    const store = newStore();
    const created = done(store.create("ipaddresspools", pool("first")));
    const listener = vi.fn();
    store.subscribe(listener);
    expect(done(store.update("ipaddresspools", created))).toBe(created);
    expect(
      done(store.mergePatch("ipaddresspools", "metallb-system", "first", { spec: { gone: null } })),
    ).toBe(created);
    expect(listener).not.toHaveBeenCalled();
    expect(store.list("ipaddresspools").resourceVersion).toBe("2");
  });

  it("refuses a stale resourceVersion, another uid, and changes of identity", () => {
    const store = newStore();
    const created = done(store.create("ipaddresspools", pool("first")));
    done(store.mergePatch("ipaddresspools", "metallb-system", "first", { spec: { autoAssign: false } }));
    const stale = refused(store.update("ipaddresspools", created));
    expect(stale).toMatchObject({
      code: 409,
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on ipaddresspools.metallb.io "first": the object has been modified; please apply your changes to the latest version and try again',
    });
    expect(
      refused(store.mergePatch("ipaddresspools", "metallb-system", "first", { metadata: { uid: "uid-9" } })),
    ).toMatchObject({
      code: 422,
      message: expect.stringMatching(/metadata\.uid: Invalid value: "uid-9": field is immutable$/),
    });
    expect(
      refused(
        store.update("ipaddresspools", {
          ...pool("first"),
          metadata: { ...pool("first").metadata, uid: "uid-9" },
        }),
      ),
    ).toMatchObject({
      code: 409,
      message: expect.stringMatching(/UID in precondition: uid-9, UID in object meta: uid-1$/),
    });
    expect(
      refused(
        store.mergePatch("ipaddresspools", "metallb-system", "first", { metadata: { name: "second" } }),
      ),
    ).toMatchObject({
      code: 422,
      message: expect.stringMatching(/metadata\.name: Invalid value: "second": field is immutable$/),
    });
    expect(
      refused(
        store.mergePatch("ipaddresspools", "metallb-system", "first", {
          metadata: { creationTimestamp: "2020-01-01T00:00:00Z" },
        }),
      ).message,
    ).toMatch(/metadata\.creationTimestamp: Invalid value: .*: field is immutable$/);
  });

  it("says not found in the server's words", () => {
    const store = newStore();
    expect(refused(store.update("ipaddresspools", pool("none")))).toMatchObject({
      code: 404,
      reason: "NotFound",
      message: 'ipaddresspools.metallb.io "none" not found',
    });
    expect(refused(store.mergePatch("nodes", undefined, "none", {})).message).toBe('nodes "none" not found');
    expect(refused(store.remove("services", "default", "none")).message).toBe('services "none" not found');
    expect(refused(store.mergePatch("services", undefined, "none", {})).code).toBe(400);
  });

  it("refuses a patch that is no object", () => {
    const store = newStore();
    done(store.create("ipaddresspools", pool("first")));
    for (const patch of [null, [], "x", 3])
      expect(refused(store.mergePatch("ipaddresspools", "metallb-system", "first", patch)).code).toBe(400);
  });

  it("records who wrote last, once for each manager and way of writing", () => {
    const store = newStore();
    done(store.create("ipaddresspools", pool("first"), { manager: "helm" }));
    const write = (autoAssign: boolean, options: object) =>
      done(
        store.mergePatch(
          "ipaddresspools",
          "metallb-system",
          "first",
          { spec: { autoAssign } },
          { manager: "kubectl", ...options },
        ),
      );
    write(false, {});
    write(true, {});
    const last = write(false, { appliedFields: { "f:spec": { "f:autoAssign": {} } } });
    expect(
      (last.metadata.managedFields as { manager: string; operation: string }[]).map(
        ({ manager, operation }) => `${manager} ${operation}`,
      ),
    ).toEqual(["helm Update", "kubectl Update", "kubectl Apply"]);
  });
});

describe("remove", () => {
  it("takes uid and resourceVersion as preconditions", () => {
    const store = newStore();
    done(store.create("ipaddresspools", pool("first")));
    const remove = (preconditions: object) =>
      store.remove("ipaddresspools", "metallb-system", "first", preconditions);
    expect(refused(remove({ uid: "uid-9" }))).toMatchObject({
      code: 409,
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on IPAddressPool.metallb.io "first": the UID in the precondition (uid-9) does not match the UID in record (uid-1). The object might have been deleted and then recreated',
    });
    expect(refused(remove({ resourceVersion: "1" })).message).toMatch(
      /the ResourceVersion in the precondition \(1\) does not match the ResourceVersion in record \(2\)/,
    );
    expect(done(remove({ uid: "uid-1", resourceVersion: "2" })).metadata.resourceVersion).toBe("3");
    expect(store.get("ipaddresspools", "metallb-system", "first")).toBeUndefined();
  });

  it("keeps an object with finalizers, marked, until the last one is gone", () => {
    const store = newStore();
    const events: string[] = [];
    store.subscribe(({ type }) => events.push(type));
    done(store.create("ipaddresspools", pool("first", [], { finalizers: ["example.com/hold"] })));
    done(store.remove("ipaddresspools", "metallb-system", "first"));
    const held = store.get("ipaddresspools", "metallb-system", "first");
    expect(held?.metadata.deletionTimestamp).toBe("2026-11-01T14:00:00Z");
    done(store.remove("ipaddresspools", "metallb-system", "first"));
    done(store.mergePatch("ipaddresspools", "metallb-system", "first", { metadata: { finalizers: null } }));
    expect(store.get("ipaddresspools", "metallb-system", "first")).toBeUndefined();
    expect(events).toEqual(["ADDED", "MODIFIED", "DELETED"]);
  });
});

describe("admission and dry run", () => {
  it("asks before each write, with the object as it would be stored and the store as it is", () => {
    const admit = vi.fn<Admit>(() => undefined);
    const store = newStore({ admit });
    done(store.create("ipaddresspools", pool("first")));
    done(store.mergePatch("ipaddresspools", "metallb-system", "first", { spec: { autoAssign: false } }));
    done(store.remove("ipaddresspools", "metallb-system", "first"));
    expect(admit.mock.calls.map(([operation, kind]) => [operation, kind])).toEqual([
      ["CREATE", "ipaddresspools"],
      ["UPDATE", "ipaddresspools"],
      ["DELETE", "ipaddresspools"],
    ]);
    expect(admit.mock.calls[0]?.[2].metadata.uid).toBe("uid-1");
    expect(admit.mock.calls[1]?.[3]).toMatchObject({ spec: { addresses: ["10.4.11.0/24"] } });
    expect(admit.mock.calls[1]?.[2]).toMatchObject({ spec: { autoAssign: false } });
  });

  it("persists nothing of a refused or a dry write", () => {
    let refusing = false;
    const admit: Admit = (_operation, _kind, _object, _old, all) =>
      refusing
        ? { code: 403, reason: "Forbidden", message: `denied with ${all("ipaddresspools").length}` }
        : undefined;
    const store = newStore({ admit });
    const dryRun = { dryRun: true };
    expect(done(store.create("ipaddresspools", pool("dry"), dryRun)).metadata.uid).toBe("uid-1");
    done(store.create("ipaddresspools", pool("first")));
    done(
      store.mergePatch("ipaddresspools", "metallb-system", "first", { spec: { autoAssign: false } }, dryRun),
    );
    done(store.remove("ipaddresspools", "metallb-system", "first", {}, dryRun));
    refusing = true;
    expect(refused(store.create("ipaddresspools", pool("second"))).message).toBe("denied with 1");
    expect(refused(store.create("ipaddresspools", pool("second"), dryRun)).code).toBe(403);
    expect(refused(store.remove("ipaddresspools", "metallb-system", "first")).code).toBe(403);
    expect(refused(store.mergePatch("ipaddresspools", "metallb-system", "first", { spec: {} })).code).toBe(
      403,
    );
    const { items, resourceVersion } = store.list("ipaddresspools");
    expect(items.map((item) => item.metadata.name)).toEqual(["first"]);
    expect(items[0]?.spec).toEqual({ addresses: ["10.4.11.0/24"] });
    expect(resourceVersion).toBe("2");
    expect(store.since("1")).toHaveLength(1);
  });
});

describe("subscribe and since", () => {
  it("delivers every event once and in order, even when a listener writes or leaves", () => {
    const store = newStore();
    const seen: Record<"first" | "second", string[]> = { first: [], second: [] };
    store.subscribe(({ object }) => {
      seen.first.push(object.metadata.name);
      if (object.metadata.name === "a") done(store.create("ipaddresspools", pool("b")));
    });
    const leave = store.subscribe(({ object }) => {
      seen.second.push(object.metadata.name);
    });
    done(store.create("ipaddresspools", pool("a")));
    leave();
    done(store.create("ipaddresspools", pool("c")));
    expect(seen).toEqual({ first: ["a", "b", "c"], second: ["a", "b"] });
  });

  it("tells everybody before it passes on what a listener threw", () => {
    const store = newStore();
    const listener = vi.fn();
    store.subscribe(() => {
      throw new Error("broken listener");
    });
    store.subscribe(listener);
    expect(() => store.create("ipaddresspools", pool("a"))).toThrow("broken listener");
    expect(listener).toHaveBeenCalledOnce();
    expect(store.get("ipaddresspools", "metallb-system", "a")).toBeDefined();
  });

  it("answers gone for what it forgot, never saw, or cannot read", () => {
    const store = newStore({ historyLimit: 3 });
    for (const name of ["a", "b", "c", "d", "e", "f", "g", "h"])
      done(store.create("ipaddresspools", pool(name)));
    const { resourceVersion } = store.list("ipaddresspools");
    expect(resourceVersion).toBe("9");
    expect(store.since("9")).toEqual([]);
    expect(store.since("6")).toHaveLength(3);
    for (const unknown of ["5", "1", "0", "10", "", "latest", "-1"])
      expect(store.since(unknown)).toBe("gone");
    store.compact();
    expect(store.since("9")).toEqual([]);
    expect(store.since("8")).toBe("gone");
    done(store.create("ipaddresspools", pool("i")));
    expect(store.since("9")).toHaveLength(1);
  });

  const step = fc.record({
    act: fc.constantFrom("create", "patch", "remove", "read"),
    kind: fc.constantFrom("ipaddresspools", "l2advertisements"),
    name: fc.constantFrom("a", "b", "c"),
    value: fc.integer({ min: 0, max: 2 }),
  } as const);

  it("brings a watcher that applies events since its list to the state of a new list", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        (steps, historyLimit) => {
          const store = newStore({ historyLimit });
          const kinds = ["ipaddresspools", "l2advertisements"] as const;
          const relist = () => ({
            at: store.list("ipaddresspools").resourceVersion,
            objects: new Map(
              kinds.flatMap((kind) =>
                store
                  .list(kind)
                  .items.map((object) => [`${kind}/${object.metadata.name}` as string, object] as const),
              ),
            ),
          });
          let watcher = relist();
          const apply = ({ type, kind, object }: StoreEvent) => {
            const key = `${kind}/${object.metadata.name}`;
            if (type === "DELETED") expect(watcher.objects.delete(key)).toBe(true);
            else {
              expect(watcher.objects.has(key)).toBe(type === "MODIFIED");
              watcher.objects.set(key, object);
            }
            expect(Number(object.metadata.resourceVersion)).toBeGreaterThan(Number(watcher.at));
            watcher.at = String(object.metadata.resourceVersion);
          };
          const catchUp = () => {
            const events = store.since(watcher.at);
            if (events === "gone") watcher = relist();
            else events.forEach(apply);
            expect(watcher).toEqual(relist());
          };
          for (const { act, kind, name, value } of steps) {
            if (act === "create") store.create(kind, { metadata: { name, namespace: "m" }, spec: { value } });
            if (act === "patch") store.mergePatch(kind, "m", name, { spec: { value } });
            if (act === "remove") store.remove(kind, "m", name);
            if (act === "read") catchUp();
          }
          catchUp();
        },
      ),
    );
  });
});
