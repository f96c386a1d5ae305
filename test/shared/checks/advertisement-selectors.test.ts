import { expect, it } from "vitest";
import { plain } from "#shared/text.ts";
import { judgedBy, registered } from "./gathered.ts";
import { saidOn } from "./on-site.ts";

const id = "advertisement-selectors";
const item = (name: string, spec: unknown, labels = {}) => ({
  metadata: { name, namespace: "metallb", labels },
  spec,
});
const findings = (spec: unknown, kind = "l2advertisements") =>
  judgedBy(registered(id), {
    lists: {
      nodes: [
        { metadata: { name: "dalt", labels: { "kubernetes.io/hostname": "dalt", zone: "a" } } },
        { metadata: { name: "fenn", labels: { "kubernetes.io/hostname": "fenn" } } },
      ],
      pods: [],
      daemonsets: [],
      ipaddresspools: [item("primary", { addresses: ["10.4.11.0/24"] }, { tier: "web" })],
      l2advertisements: [],
      bgpadvertisements: [],
      [kind]: [item("edge", spec)],
    },
  }).flatMap((result) => (result.outcome === "failed" ? result.findings : []));
const codes = (spec: unknown, kind?: string) =>
  findings(spec, kind).map(({ code, severity, facts }) => `${severity} ${code} ${String(facts.field)}`);

const hostname = (value: string) => ({ matchLabels: { "kubernetes.io/hostname": value } });
const expression = (key: string, operator: string, values?: string[]) => ({
  matchExpressions: [{ key, operator, values }],
});

it("passes on a site with nothing wrong", async () => {
  expect(await saidOn(id)).toEqual([]);
});

it.each([
  ["none", undefined, []],
  ["one of two selectors matches", { nodeSelectors: [hostname("nobody"), hostname("dalt")] }, []],
  ["an empty selector matches all", { nodeSelectors: [{}] }, []],
  ["any node by Exists", { nodeSelectors: [expression("kubernetes.io/hostname", "Exists")] }, []],
  ["no node", { nodeSelectors: [hostname("nobody")] }, ["error selector-matches-nothing nodeSelectors"]],
  ["a star", { nodeSelectors: [hostname("*")] }, ["error illegal-selector nodeSelectors"]],
  [
    "a star among values",
    { nodeSelectors: [expression("zone", "In", ["a", "*"])] },
    ["error illegal-selector nodeSelectors"],
  ],
  [
    "an operator that is none",
    { nodeSelectors: [expression("zone", "Equals", ["a"])] },
    ["error illegal-selector nodeSelectors"],
  ],
  [
    "an illegal key for Services",
    { serviceSelectors: [{ matchLabels: { "a b": "c" } }] },
    ["error illegal-selector serviceSelectors"],
  ],
  [
    "no pool by label",
    { ipAddressPoolSelectors: [{ matchLabels: { tier: "db" } }] },
    ["warning selector-matches-nothing ipAddressPoolSelectors"],
  ],
  ["a pool by label", { ipAddressPoolSelectors: [{ matchLabels: { tier: "web" } }] }, []],
  [
    "a pool that is not there",
    { ipAddressPools: ["primary", "secondary"] },
    ["warning pool-name-unknown ipAddressPools"],
  ],
] as const)("%s", (_, spec, said) => {
  expect(codes(spec)).toEqual(said);
  expect(codes(spec, "bgpadvertisements")).toEqual(said);
});

it("says that a star is no wildcard", () => {
  const [finding] = findings({ nodeSelectors: [hostname("*")] });
  expect(finding?.subject).toEqual({ kind: "config", name: "metallb/edge" });
  expect(plain(finding?.text ?? [])).toBe(
    "L2Advertisement edge: * in nodeSelectors is no wildcard and no legal value; speakers reject the whole configuration",
  );
  const [other] = findings({ nodeSelectors: [hostname("-")] });
  expect(plain(other?.text ?? [])).toContain("a selector in nodeSelectors is illegal");
});

it("is unknown where a kind could not be listed, or an object not be read", async () => {
  expect(await saidOn(id, { denied: ["bgpadvertisements"] })).toEqual(["unknown denied"]);
  const lists = {
    nodes: [],
    pods: [],
    daemonsets: [],
    ipaddresspools: [],
    l2advertisements: [item("edge", { nodeSelectors: 7 })],
    bgpadvertisements: [],
  };
  expect(judgedBy(registered(id), { lists })).toMatchObject([
    { outcome: "unknown", fault: { kind: "unreadable" } },
  ]);
});
