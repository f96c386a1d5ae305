import { describe, expect, it } from "vitest";
import type { DnsAnswer, Question } from "#shared/dns/answer.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import type { HostedZone, ReadZones } from "#shared/dns/zones.ts";
import { gatherEvidence } from "#shared/explain/gather.ts";
import { answer, rr } from "./evidence-of.ts";

describe("the zone above", () => {
  it("is sought upwards where the name between has no servers", async () => {
    const zone = fqdn("k8s.lab.example.com");
    const hosted: HostedZone = {
      id: "Z1",
      name: zone,
      private: false,
      nameServers: ["ns.k8s.example.net"],
    } as never;
    const zones: ReadZones = {
      zones: async () => [hosted],
      zone: async () => hosted,
      recordSets: async () => [],
    } as never;
    const asked: (Question & { server: string })[] = [];
    const ask = async (server: string, question: Question): Promise<DnsAnswer> => {
      asked.push({ server, ...question });
      const { name, type } = question;
      if (type === "A") return answer({ answer: [rr("A", "192.0.2.1", 300, name)] });
      if (type === "NS" && name === "example.com")
        return answer({ answer: [rr("NS", "ns.example.com", 300, name)] });
      return answer();
    };
    const evidence = await gatherEvidence(
      {
        zones,
        here: { place: "here", ask },
        inside: undefined,
        publicResolvers: ["198.18.8.8"],
        siteResolvers: [],
      },
      {
        name: fqdn("web.k8s.lab.example.com"),
        type: "A",
        wanted: undefined,
        ownership: { ok: false, fault: { kind: "not-configured", what: "x", detail: "x" } },
        change: { ok: false, fault: { kind: "not-configured", what: "x", detail: "x" } },
        txt: undefined,
      },
      new AbortController().signal,
    );
    expect(asked.filter(({ type, recurse }) => type === "NS" && recurse).map(({ name }) => name)).toEqual([
      "lab.example.com",
      "example.com",
    ]);
    expect(evidence.parent.ok).toBe(true);
    expect(asked).toContainEqual({ server: "192.0.2.1", name: zone, type: "NS", recurse: false });
  });
});
