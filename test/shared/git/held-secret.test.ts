import { describe, expect, it } from "vitest";
import { heldSecret } from "#shared/git/held-secret.ts";

describe("a file that holds a secret", () => {
  it.each([
    [
      "a Secret",
      "a: 1\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: bgp}\nstringData:\n  x: hunter\n",
    ],
    ["a Secret", "{apiVersion: v1, kind: Secret, data: {x: aHVudGVy}}\n"],
    ["a Secret", "kind: List\nitems:\n- kind: ConfigMap\n- {kind: Secret, data: {x: aHVudGVy}}\n"],
    ["a Secret", '{"kind": "List", "items": [{"kind": "Secret", "data": {}}]}'],
    ["a Secret", "# kind: Secret\n# data: {x: aHVudGVy}\na: 1\n"],
    ["a Secret", "kind: ConfigMap\ndata:\n  x: |\n    kind: Secret\n    data: {x: aHVudGVy}\n"],
    ["a secretGenerator", "resources: []\nsecretGenerator:\n- name: bgp\n  literals: [x=hunter]\n"],
    ["a secretGenerator", "{secretGenerator: [{name: bgp}]}"],
    ["a password", "kind: BGPPeer\nspec:\n  password: hunter\n"],
    ["a password", "kind: List\nitems:\n- kind: BGPPeer\n  spec: {password: hunter}\n"],
    ["a password", "kind: BGPPeer\nspec:\n  # password: hunter\n  passwordSecret: {name: bgp}\n"],
    ["a password", 'metadata:\n  annotations:\n    last: \'{"spec":{"password":"hunter"}}\'\n'],
    ["a password", 'metadata:\n  annotations:\n    last: "{\\"spec\\":{\\"password\\":\\"hunter\\"}}"\n'],
    ["a password", "args: [--db-password=hunter]\n"],
    ["a password", "spec:\n  password: {{ .Values.password }}\n  adminPassword: hunter\n"],
    ["a value of password", "spec:\n  password:\n    hunter\n"],
    ["a password", "values:\n  adminPassword: &a\n    hunter\n"],
    ["a value of DB_PASSWORD", "env:\n- name: DB_PASSWORD\n  value: hunter\n"],
    ["a value of CF_API_TOKEN", "env:\n- {name: CF_API_TOKEN, value: hunter}\n"],
    ["a value of AWS_SECRET_ACCESS_KEY", "env:\n- {name: AWS_SECRET_ACCESS_KEY, value: hunter}\n"],
    ["a value of controller.apiKey", "parameters:\n- {name: controller.apiKey, value: hunter}\n"],
    ["a value of token", "token: |\n  hunter\n"],
    ["a value of clientSecret", "clientSecret: hunter\n"],
    ["a private key", "data:\n  tls.key: |\n    -----BEGIN RSA PRIVATE KEY-----\n    aHVudGVy\n"],
    ["YAML that cannot be read", "a: 1\n---\nb: [\n"],
  ])("says that it is %s: %j", (what, text) => {
    expect(heldSecret(text)).toBe(what);
    expect(heldSecret(text)).not.toMatch(/hunter|aHVudGVy/);
  });
});

describe("a file that only names where a secret is", () => {
  it.each([
    "kind: BGPPeer\nspec:\n  passwordSecret:\n    name: bgp\n",
    'kind: BGPPeer\nspec:\n  password: ""\n',
    "kind: BGPPeer\nspec:\n  password: # none\n",
    "env:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: {name: db, key: password}\n",
    "automountServiceAccountToken: false\nvolumes:\n- secret: {secretName: bgp}\n",
    "kind: SealedSecret\nspec: {encryptedData: {x: AgB}}\n",
    "auth: {existingSecret: db, tokenKey: x}\n",
    "kind: ExternalSecret\nspec: {secretStoreRef: {kind: SecretStore, name: x}}\n",
    "kind: Gateway\nspec: {listeners: [{tls: {certificateRefs: [{kind: Secret, name: tls}]}}]}\n",
    "kind: HelmRelease\nspec:\n  valuesFrom:\n  - kind: Secret\n    name: x\n",
    "resources: [l2.yaml]\n",
    "",
  ])("passes: %j", (text) => {
    expect(heldSecret(text)).toBeUndefined();
  });
});
