import { expect, it } from "vitest";
import { startCertManager } from "#infra/lab/cert-manager.ts";
import { letsEncrypt } from "#infra/lab/goldentooth-move.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";

function lab() {
  const clock = createVirtualClock();
  let count = 0;
  const store = createObjectStore({ now: clock.now, newUid: () => `uid-${++count}`, admit: () => undefined });
  store.create("clusterissuers", letsEncrypt.object, { seed: true });
  const stop = startCertManager(store, clock);
  const apply = (name: string, dnsNames: readonly string[], issuer = "letsencrypt-prod"): void => {
    const made = store.create("certificates", {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name, namespace: "default" },
      spec: { secretName: name, dnsNames, issuerRef: { kind: "ClusterIssuer", name: issuer } },
    } as KubeObject);
    if (!made.ok) throw new Error(made.refusal.message);
  };
  const ready = (name: string) => {
    const status = store.get("certificates", "default", name)?.status as
      | { conditions?: readonly { status: string; message: string }[] }
      | undefined;
    return status?.conditions?.[0];
  };
  return { clock, stop, apply, ready };
}

it("issues what a solver of the issuer can prove, after an order", async () => {
  const { clock, stop, apply, ready } = lab();
  apply("wildcard", ["*.services.k8s.goldentooth.net"]);
  await clock.advance(5_000);
  expect(ready("wildcard")).toMatchObject({ status: "False", message: expect.stringMatching(/^Issuing/) });
  await clock.advance(120_000);
  expect(ready("wildcard")).toMatchObject({ status: "True" });
  stop();
});

it.each([
  ["a name outside its zone", ["www.hellholt.net"], undefined, /no configured challenge solvers .*hellholt/],
  ["an issuer that is not there", ["a.goldentooth.net"], "self-made", /"ClusterIssuer" not found: self-made/],
] as const)("says why it does not: %s", async (_, dnsNames, issuer, expected) => {
  const { clock, stop, apply, ready } = lab();
  apply("other", dnsNames, issuer);
  await clock.advance(120_000);
  expect(ready("other")).toMatchObject({ status: "False", message: expect.stringMatching(expected) });
  stop();
});
