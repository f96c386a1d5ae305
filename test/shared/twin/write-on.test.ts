import { expect, it } from "vitest";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import type { Admit } from "#shared/twin/object-store.ts";
import { readOn } from "#shared/twin/read-on.ts";
import { writeOn } from "#shared/twin/write-on.ts";
import { writeClusterContract } from "#test/contract/write-cluster.ts";

const storeWith = (admit: Admit) => {
  let uid = 0;
  return createObjectStore({
    now: () => Date.parse("2026-11-01T14:00:00Z"),
    newUid: () => `00000000-0000-4000-8000-${String(++uid).padStart(12, "0")}`,
    admit,
  });
};

writeClusterContract("on the twin's store", async () => {
  const store = storeWith(admitMetalLb);
  for (const name of ["apps", "metallb-system"]) store.create("namespaces", { metadata: { name } });
  return {
    write: writeOn(store),
    read: readOn(store),
    namespace: "apps",
    metallb: "metallb-system",
    close: async () => {},
  };
});

it.each([
  [500, "InternalError", "Internal error occurred: etcdserver: leader changed", undefined],
  [503, "ServiceUnavailable", "the server is currently unable to handle the request", undefined],
  [
    500,
    "InternalError",
    'Internal error occurred: failed calling webhook "x.metallb.io": failed to call webhook: connection refused',
    "webhook",
  ],
  [403, "Forbidden", 'configmaps is forbidden: User "u" cannot create resource "configmaps"', "denied"],
  [
    422,
    "Invalid",
    "configmaps \"x\" is forbidden: ValidatingAdmissionPolicy 'vap.example.com' with binding 'vap.example.com' denied request: not here",
    "webhook",
  ],
] as const)("a refusal with %i %s is %s", async (code, reason, message, because) => {
  const write = writeOn(storeWith(() => ({ code, reason, message })));
  const asked = write({
    verb: "create",
    kind: "configmaps",
    object: { metadata: { name: "a", namespace: "apps" } },
  });
  if (because === undefined)
    await expect(asked).rejects.toMatchObject({
      fault: { kind: "refused", detail: expect.stringContaining(message) },
    });
  else expect(await asked).toEqual({ ok: false, because, message });
});
