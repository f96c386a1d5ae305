import { code, join, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";

/**
 * Servers that stay silent over UDP and TCP. Only servers that could be asked at all are in the evidence: an address
 * family that the vantage does not have is a fault of ours, never this.
 */
export const serverUnreachable: Diagnosis = {
  id: "server-unreachable",
  number: 4,
  sentence: "a name server of the zone cannot be reached",
  needs: ["P3"],
  judge: ({ authoritative, public: publicly }) => {
    if (!authoritative.ok) return unlooked(authoritative) ?? no;
    const silent = authoritative.value.filter(
      ({ reply, soa, transports }) =>
        reply.kind === "silence" && soa.kind === "silence" && transports === "udp and tcp",
    );
    if (silent.length === 0) return no;
    const because = text`no answer over UDP and TCP from ${join(
      silent.map(({ host, server }) => text`${code(host)} (${code(server)})`),
      ", ",
    )}, asked from ${authoritative.from}`;
    const remedy = text`look at the way from ${authoritative.from} to port 53 of these servers`;
    const resolves =
      publicly.ok &&
      publicly.value.some(({ reply }) => reply.kind === "answer" && reply.rcode !== "SERVFAIL");
    if (silent.length === authoritative.value.length && resolves)
      return {
        certainty: "possible",
        because,
        test: text`resolvers outside the site resolve the name, so the servers answer others: ask them from elsewhere`,
        remedy,
      };
    return silent.length === authoritative.value.length
      ? { certainty: "certain", because, remedy }
      : {
          certainty: "possible",
          because,
          test: text`the other ${authoritative.value.length - silent.length} servers answer, so resolvers only take longer`,
          remedy,
        };
  },
};
