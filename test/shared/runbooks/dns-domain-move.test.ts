import { describe, expect, it } from "vitest";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import {
  argsOf,
  dnsSite,
  driveDns,
  goldentoothId,
  hellholtId,
  namesIn,
  pass,
  through,
} from "../domain-move/dns-sites.ts";

const ids = dnsDomainMove.steps.map(({ id }) => id);

describe("dns-domain-move", () => {
  it.each([
    ["0.16.1", false],
    ["0.17.0", false],
    ["0.22.0", true],
  ] as const)("moves every name under %s with policy sync", async (release, newPrefix) => {
    const at = driveDns(dnsSite({ release, newPrefix }));
    const before = namesIn(at, hellholtId);
    expect(before).toContain("httpbin.hellholt.net");
    const said: string[] = [];
    for (const id of ids) {
      const { outcome, text, codes } = await through(at, id);
      const isWell = outcome === "passed" || outcome === "unneeded";
      said.push(`${id} ${outcome} ${isWell ? "" : text} ${codes.join()}`.trim());
    }
    expect(said).toEqual(ids.map((id) => `${id} ${/^(pause|resume)-/.test(id) ? "unneeded" : "passed"}`));
    expect(argsOf(at).filter((word) => word.startsWith("--domain-filter"))).toEqual([
      "--domain-filter=goldentooth.net",
    ]);
    expect(namesIn(at, goldentoothId)).toContain("httpbin.services.k8s.goldentooth.net");
    await pass(at, 300_000);
    expect(namesIn(at, hellholtId)).toEqual(["backup.hellholt.net", "mail.hellholt.net", "nas.hellholt.net"]);
  });
});
