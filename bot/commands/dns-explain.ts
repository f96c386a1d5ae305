import * as z from "zod";
import { wishKinds } from "#shared/dns/cluster-wishes.ts";
import { readFqdn } from "#shared/dns/fqdn.ts";
import { explain } from "#shared/explain/explain.ts";
import { explainReply } from "#shared/explain/explain-reply.ts";
import { gatherEvidence } from "#shared/explain/gather.ts";
import { lastChange } from "#shared/explain/last-change.ts";
import { wantedAt, wishesOf, zoneFacts } from "#shared/explain/name-facts.ts";
import { explainPortsOf } from "#shared/explain/ports-of.ts";
import { code, text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

/** `/dns explain NAME`: which of sixteen reasons keeps a name from resolving. */
export const dnsExplain = defineVerb({
  path: ["explain"],
  usage: "NAME [--type A|AAAA|CNAME]",
  summary: "Why a name does not resolve: asked at its parent, its servers, outside and inside the site.",
  examples: ["httpbin.services.k8s.goldentooth.net"],
  positionals: ["name"],
  options: [{ name: "type", value: "TYPE", about: "record type, A when left out" }],
  input: z.object({
    name: z.string().transform((value, context) => {
      const read = readFqdn(value);
      if (read.ok) return read.fqdn;
      context.addIssue({ code: "custom", message: read.problem });
      return z.NEVER;
    }),
    type: z.enum(["A", "AAAA", "CNAME"]).default("A"),
  }),
  role: "viewer",
  effect: "probe",
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async ({ input, deps, cluster, show, signal }) => {
    if (!cluster) throw new Error("dns explain needs a cluster");
    const { name, type } = input;
    show({
      verdict: { word: "ASKING", outcome: "running", text: text`who answers for ${code(name)}` },
      findings: [],
      blocks: [],
      actions: [],
    });
    const wishes = wishesOf(cluster.config.name, await cluster.read([...wishKinds], signal));
    const facts = await zoneFacts(cluster.zones, name, type, wishes);
    const evidence = await gatherEvidence(
      explainPortsOf(cluster),
      {
        name,
        type,
        wanted: wantedAt(wishes, name, type),
        change: await lastChange({ ledger: deps.ledger, zones: cluster.zones, now: deps.clock.now() }, name),
        ...facts,
      },
      signal,
    );
    return explainReply(evidence, explain(evidence));
  },
});
