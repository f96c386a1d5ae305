import { describe, expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import { nameDoesNotResolve } from "#shared/incidents/runbooks/name-does-not-resolve.ts";
import { plain } from "#shared/text.ts";
import { goldentooth } from "#shared/twin/sites/goldentooth.ts";
import { goldentoothL2 } from "#shared/twin/sites/goldentooth-l2.ts";
import { ask, concluded, diagnosed, outcomes, type World } from "../on-twin.ts";

const name = "httpbin.services.k8s.goldentooth.net";
const zone = fqdn("goldentooth.net");

type Row = readonly [what: string, expected: string, word: string, world: World];

const rows: readonly Row[] = [
  ["it resolves", "healthy", name, {}],
  [
    "a resolver that filters private addresses",
    "cause: dns-private-address-filter",
    name,
    { site: goldentoothL2 },
  ],
  [
    "a resolver with a domain of its own",
    "cause: dns-split-horizon",
    "httpbin.hellholt.net",
    { site: goldentooth },
  ],
  ["nobody asks for it", "cause: name-not-wanted", "nope.goldentooth.net", {}],
  [
    "its zone is not delegated",
    "cause: dns-not-delegated",
    name,
    { afterwards: (twin) => twin.resolvers.removeDelegation(zone), waitSeconds: 200_000 },
  ],
  [
    "nobody inside to ask from",
    "unknown",
    name,
    { around: (ports) => ({ ...ports, config: { ...ports.config, vantages: [] } }) },
  ],
  [
    "no resolver of the site answers",
    "cause: resolver-silent",
    name,
    {
      around: (ports) => ({
        ...ports,
        config: { ...ports.config, site: { ...ports.config.site, resolvers: ["10.4.9.9"] } },
      }),
    },
  ],
];

describe("name-does-not-resolve on a model site", () => {
  for (const [what, expected, word, world] of rows)
    it(`${what}: ${expected}`, async () => {
      const diagnosis = await diagnosed(nameDoesNotResolve, word, world);
      expect(concluded(diagnosis)).toBe(expected);
      expect(diagnosis.tookMs).toBeLessThan(10_000);
      if (diagnosis.conclusion.kind === "cause")
        expect(nameDoesNotResolve.codes).toContain(diagnosis.conclusion.cause.code);
    });
});

it("takes no Service for a name, and says which runbook does", async () => {
  const { answer } = await ask(nameDoesNotResolve, "httpbin");
  expect("noSuch" in answer && answer.next.map(plain)).toEqual([
    "A Service goes by its own runbook: /runbook run service-unreachable httpbin",
  ]);
});

it("is unknown, never absent, when zones cannot be read", async () => {
  const diagnosis = await diagnosed(nameDoesNotResolve, name, {
    around: (ports) => ({ ...ports, zones: undefined }),
  });
  expect(outcomes(diagnosis)).toMatchObject({ record: "unknown", resolver: "passed" });
  expect(diagnosis.conclusion.kind).toBe("unknown");
});
