import { defineStep, verified } from "../migration/define-step.ts";
import { announcersJson, lookOnTheWire } from "../migration/wire.ts";
import { text } from "../text.ts";
import { noDeeds } from "./step.ts";

export const proveOnWire = defineStep({
  id: "prove-on-wire",
  kind: "check",
  title: "Prove every address on the wire",
  proof: text`that one node, on the right interface, answers for every address: without it an address may be silent the moment BGP goes`,
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async () => ({
    ...noDeeds,
    prediction: [
      text`each address is answered by the node that is predicted, on its LAN interface, and by nobody else`,
    ],
    predicted: null,
  }),
  verify: async (context) => {
    const { results, findings, blocks } = await lookOnTheWire(context);
    const notes = { announcers: announcersJson(results) };
    const failed = findings.filter(({ severity }) => severity !== "unknown").length;
    const more = { findings, blocks, notes };
    if (failed > 0)
      return verified(
        "failed",
        text`${failed} of ${results.length} addresses do not answer as predicted`,
        more,
      );
    if (findings.length > 0 || results.length === 0)
      return verified(
        "unknown",
        results.length === 0
          ? text`no Service has an address: nothing can be proven`
          : text`${findings.length} of ${results.length} addresses could not be looked at`,
        more,
      );
    return verified(
      "passed",
      text`${results.length} of ${results.length} addresses answer on the wire, each by the predicted node`,
      more,
    );
  },
});
