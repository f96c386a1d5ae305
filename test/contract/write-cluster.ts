import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFault } from "#shared/fault.ts";
import type { Json } from "#shared/json.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject, ReadCluster } from "#shared/kubernetes/read.ts";
import type { KubeWritten, ObjectRef, Precondition, WriteCluster } from "#shared/kubernetes/write.ts";

/** A cluster to write into, and a namespace there that is nobody else's. */
export type Writable = Readonly<{
  write: WriteCluster;
  read: ReadCluster;
  namespace: string;
  /** MetalLB's namespace, where its webhooks are to be heard; undefined where there is no MetalLB. */
  metallb?: string;
  close: () => Promise<void>;
}>;

const objectOf = (written: KubeWritten): KubeObject => {
  if (!written.ok) throw new Error(`${written.because}: ${written.message}`);
  if (written.object === undefined) throw new Error("no object came back");
  return written.object;
};

const preconditionOf = ({ metadata }: KubeObject): Required<Precondition> => ({
  uid: metadata.uid ?? "",
  resourceVersion: metadata.resourceVersion ?? "",
});

/** What every `WriteCluster` must do, wherever it writes to. */
export function writeClusterContract(title: string, open: () => Promise<Writable>): void {
  describe(`WriteCluster: ${title}`, () => {
    let cluster: Writable;
    beforeAll(async () => {
      cluster = await open();
    });
    afterAll(async () => cluster.close());

    const configMap = (name: string, data: Record<string, string> = { colour: "red" }): KubeObject => ({
      metadata: { name, namespace: cluster.namespace, labels: { made: "by-a-test" } },
      data,
    });
    const ref = (name: string): ObjectRef => ({
      kind: "configmaps",
      namespace: cluster.namespace,
      name,
    });
    const create = async (name: string): Promise<KubeObject> =>
      objectOf(await cluster.write({ verb: "create", kind: "configmaps", object: configMap(name) }));
    const patch = (name: string, change: Json, is: Precondition) =>
      cluster.write({ verb: "patch", ref: ref(name), patch: change, is });
    async function find(kind: ResourceKind, namespace: string, name: string) {
      const listed = (await cluster.read([kind]))[kind];
      if (isFault(listed)) throw new Error(`${listed.what}: ${listed.detail}`);
      return listed.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    }
    const findConfigMap = (name: string) => find("configmaps", cluster.namespace, name);

    it("creates an object and gives it back as it is stored, under our name", async () => {
      const made = await create("created");
      expect(made).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { colour: "red" } });
      expect(made.metadata.uid).toBeTruthy();
      expect(made.metadata.managedFields).toEqual([expect.objectContaining({ manager: "arpeggio" })]);
      expect(await findConfigMap("created")).toEqual(made);
    });

    it("does not create what is there", async () => {
      const first = await create("taken");
      const again = await cluster.write({
        verb: "create",
        kind: "configmaps",
        object: configMap("taken", { colour: "blue" }),
      });
      expect(again).toEqual({
        ok: false,
        because: "exists",
        message: 'configmaps "taken" already exists',
      });
      expect(await findConfigMap("taken")).toEqual(first);
    });

    it("names what is invalid in the API's words", async () => {
      const refused = await cluster.write({
        verb: "create",
        kind: "configmaps",
        object: configMap("Not_A_Name"),
      });
      expect(refused).toMatchObject({ ok: false, because: "invalid" });
      expect(refused.ok ? "" : refused.message).toMatch(/^ConfigMap "Not_A_Name" is invalid: metadata\.name/);
    });

    it("merges a patch: objects into objects, null removes, the rest stays", async () => {
      const made = await create("patched");
      const after = objectOf(
        await patch(
          "patched",
          { data: { shape: "round" }, metadata: { labels: { made: null } } },
          preconditionOf(made),
        ),
      );
      expect(after.data).toEqual({ colour: "red", shape: "round" });
      expect(after.metadata.labels ?? {}).toEqual({});
      expect(after.metadata.uid).toBe(made.metadata.uid);
      expect(after.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
      expect(await findConfigMap("patched")).toEqual(after);
    });

    it("refuses a patch of an object that has changed since", async () => {
      const made = await create("changed");
      const changed = objectOf(await patch("changed", { data: { colour: "blue" } }, preconditionOf(made)));
      const late = await patch("changed", { data: { colour: "green" } }, preconditionOf(made));
      expect(late).toMatchObject({
        ok: false,
        because: "conflict",
        message: expect.stringContaining("the object has been modified"),
      });
      expect(await findConfigMap("changed")).toEqual(changed);
    });

    it("patches whatever the version when only the uid has to be the same", async () => {
      const made = await create("by-uid");
      await patch("by-uid", { data: { colour: "blue" } }, preconditionOf(made));
      const after = objectOf(
        await patch("by-uid", { data: { shape: "round" } }, { uid: preconditionOf(made).uid }),
      );
      expect(after.data).toEqual({ colour: "blue", shape: "round" });
    });

    it("refuses a patch of another object of the same name", async () => {
      await create("reborn");
      const refused = await patch(
        "reborn",
        { data: { colour: "blue" } },
        { uid: "11111111-2222-4333-8444-555555555555" },
      );
      expect(refused).toMatchObject({
        ok: false,
        because: "conflict",
        message: expect.stringMatching(/\bUID\b/i),
      });
      expect((await findConfigMap("reborn"))?.data).toEqual({ colour: "red" });
    });

    it("says that what it should patch or delete is not there", async () => {
      const is = { uid: "11111111-2222-4333-8444-555555555555" };
      const expected = { ok: false, because: "not-found", message: 'configmaps "absent" not found' };
      expect(await patch("absent", { data: {} }, is)).toEqual(expected);
      expect(await cluster.write({ verb: "delete", ref: ref("absent"), is })).toEqual(expected);
    });

    it("deletes the object that was looked at and nothing else", async () => {
      const made = await create("deleted");
      const is = preconditionOf(made);
      const otherUid = { ...is, uid: "11111111-2222-4333-8444-555555555555" };
      for (const wrong of [otherUid, { ...is, resourceVersion: "1" }]) {
        const refused = await cluster.write({ verb: "delete", ref: ref("deleted"), is: wrong });
        expect(refused).toMatchObject({
          ok: false,
          because: "conflict",
          message: expect.stringContaining("in the precondition"),
        });
        expect(await findConfigMap("deleted")).toEqual(made);
      }
      expect(await cluster.write({ verb: "delete", ref: ref("deleted"), is })).toEqual({
        ok: true,
        object: undefined,
      });
      expect(await findConfigMap("deleted")).toBeUndefined();
    });

    it("gives back what a finalizer keeps from going", async () => {
      const made = objectOf(
        await cluster.write({
          verb: "create",
          kind: "configmaps",
          object: {
            metadata: { name: "kept", namespace: cluster.namespace, finalizers: ["arpeggio.test/kept"] },
          },
        }),
      );
      const is = { uid: preconditionOf(made).uid };
      const kept = objectOf(await cluster.write({ verb: "delete", ref: ref("kept"), is }));
      expect(kept.metadata.deletionTimestamp).toBeTruthy();
      expect(await findConfigMap("kept")).toEqual(kept);
      await patch("kept", { metadata: { finalizers: null } }, is);
      expect(await findConfigMap("kept")).toBeUndefined();
    });

    it("stores nothing in a dry run, and refuses in it what it would refuse", async () => {
      const dryRun = { dryRun: true };
      const planned = objectOf(
        await cluster.write({ verb: "create", kind: "configmaps", object: configMap("planned") }, dryRun),
      );
      expect(planned.data).toEqual({ colour: "red" });
      expect(await findConfigMap("planned")).toBeUndefined();

      const made = await create("dry");
      const is = preconditionOf(made);
      const change = { verb: "patch", ref: ref("dry"), patch: { data: { colour: "blue" } }, is } as const;
      expect(objectOf(await cluster.write(change, dryRun)).data).toEqual({ colour: "blue" });
      expect(await cluster.write({ verb: "delete", ref: ref("dry"), is }, dryRun)).toEqual({
        ok: true,
        object: undefined,
      });
      expect(await findConfigMap("dry")).toEqual(made);

      expect(
        await cluster.write({ verb: "create", kind: "configmaps", object: configMap("dry") }, dryRun),
      ).toMatchObject({ because: "exists" });
      const stale = { ...is, resourceVersion: "1" };
      expect(await cluster.write({ ...change, is: stale }, dryRun)).toMatchObject({ because: "conflict" });
      expect(await cluster.write({ verb: "delete", ref: ref("dry"), is: stale }, dryRun)).toMatchObject({
        because: "conflict",
      });
    });

    it("leaves the status of an object to its controller", async () => {
      const service = objectOf(
        await cluster.write({
          verb: "create",
          kind: "services",
          object: {
            metadata: { name: "echo", namespace: cluster.namespace },
            spec: { type: "ClusterIP", ports: [{ port: 80, protocol: "TCP" }] },
            status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
          },
        }),
      );
      const patched = objectOf(
        await cluster.write({
          verb: "patch",
          ref: { kind: "services", namespace: cluster.namespace, name: "echo" },
          patch: {
            metadata: { annotations: { "arpeggio.test/touched": "yes" } },
            status: { loadBalancer: { ingress: [{ ip: "192.0.2.2" }] } },
          },
          is: preconditionOf(service),
        }),
      );
      expect(patched.metadata.annotations).toEqual({ "arpeggio.test/touched": "yes" });
      for (const object of [service, patched])
        expect(JSON.stringify(object.status ?? {})).not.toContain("192.0.2");
    });

    it("gives the words of an admission webhook, dry or not", async ({ skip }) => {
      const { metallb } = cluster;
      if (metallb === undefined) return skip("no MetalLB here");
      const object = {
        metadata: { name: "star", namespace: metallb },
        spec: { nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": "*" } }] },
      };
      for (const dryRun of [true, false]) {
        const refused = await cluster.write({ verb: "create", kind: "l2advertisements", object }, { dryRun });
        expect(refused).toMatchObject({
          ok: false,
          because: "webhook",
          message: expect.stringMatching(/^admission webhook "l2advertisement\S+" denied the request: /),
        });
      }
      expect(await find("l2advertisements", metallb, "star")).toBeUndefined();
    });

    it("does not begin what is cancelled", async () => {
      await expect(
        cluster.write(
          { verb: "create", kind: "configmaps", object: configMap("cancelled") },
          { signal: AbortSignal.abort() },
        ),
      ).rejects.toMatchObject({ fault: { kind: "cancelled" } });
      expect(await findConfigMap("cancelled")).toBeUndefined();
    });
  });
}
