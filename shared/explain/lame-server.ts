import { isReferral } from "../dns/answer.ts";
import { code, join, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { answersOf } from "./evidence.ts";
import { parentNameServers } from "./parent-name-servers.ts";

/** A server that the parent names does not answer for the zone. */
export const lameServer: Diagnosis = {
  id: "lame-server",
  number: 3,
  sentence: "a name server that the parent names does not serve the zone",
  needs: ["P1", "P3"],
  judge: (evidence) => {
    const { parent, authoritative } = evidence;
    const blind = unlooked(parent, authoritative);
    if (blind || !authoritative.ok) return blind ?? no;
    const atParent = parentNameServers(evidence);
    const asked = authoritative.value.filter(({ host }) => atParent.includes(host));
    const lame = asked.filter(({ soa, reply }) => {
      const [answer] = answersOf([{ server: "", reply: soa }]);
      if (answer === undefined) return false;
      if (reply.kind === "answer" && isReferral(reply) && answer.flags.includes("aa")) return false;
      return /^(REFUSED|SERVFAIL|NOTAUTH)$/.test(answer.rcode) || !answer.flags.includes("aa");
    });
    if (lame.length === 0) return no;
    const because = text`${join(
      lame.map(
        ({ host, soa }) =>
          text`${code(host)} answers ${soa.kind === "answer" ? soa.rcode : "nothing"} without authority`,
      ),
      ", ",
    )} (${lame.length} of ${asked.length})`;
    const remedy = text`remove it from the delegation, or make it serve the zone`;
    return lame.length === asked.length
      ? { certainty: "certain", because, remedy }
      : {
          certainty: "possible",
          because,
          test: text`resolvers that ask this server fail or take longer; the others answer`,
          remedy,
        };
  },
};
