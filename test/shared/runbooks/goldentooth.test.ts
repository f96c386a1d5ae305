import { describe, expect, it } from "vitest";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import { goldentooth } from "#shared/runbooks/goldentooth.ts";
import { wildcardTls } from "#shared/runbooks/wildcard-tls.ts";
import { withFaults } from "#shared/twin/sites/faults.ts";
import { dnsSite, driveDns, move, through } from "../domain-move/dns-sites.ts";
import { setBgpMode } from "../steps/world.ts";
import { applyCertificates, withIssuer } from "../wildcard-tls/tls-sites.ts";

const ids = goldentooth.steps.map(({ id }) => id);

describe("goldentooth", () => {
  it("has every step of the three once, and looks over all at the end", () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(
      [...bgpToL2.steps, ...dnsDomainMove.steps, ...wildcardTls.steps].map(({ id }) => id).sort(),
    );
    expect(ids.at(-1)).toBe("final-verification");
    expect(ids.indexOf("withdraw-bgp")).toBeLessThan(ids.indexOf("survey-dns"));
    expect(ids.indexOf("narrow-filter")).toBeLessThan(ids.indexOf("survey-tls"));
  });

  it("takes what each of the three takes", () => {
    const inputs = goldentooth.inputs;
    expect(inputs.safeParse({ ...move, canary: "httpbin/httpbin", namespace: "tls" }).success).toBe(true);
    expect(inputs.safeParse({ from: "hellholt.net" }).error?.issues[0]?.message).toMatch(/go together/);
    expect(inputs.safeParse({ from: "a.net", to: "b.a.net" }).success).toBe(false);
    expect(inputs.safeParse({ ...move, canary: "httpbin" }).success).toBe(false);
  });

  it("goes from BGP and the old domain to layer 2, the new one and its certificates", async () => {
    const at = driveDns(withFaults(dnsSite({ release: "0.21.0" }), withIssuer()));
    const said: string[] = [];
    for (const id of ids) {
      if (id === "frr-off") setBgpMode(at.twin, "native");
      const first = id === "wildcard-certificate" ? await at.forward(id) : await through(at, id);
      if (id === "wildcard-certificate") applyCertificates(at, first.plan);
      const came = id === "wildcard-certificate" ? await through(at, id) : first;
      said.push(`${id} ${came.outcome} ${came.codes.join()}`.trim());
    }
    expect(said.filter((line) => !/ (passed|unneeded)$/.test(line))).toEqual([]);
  });
});
