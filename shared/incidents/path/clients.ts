import type { ClientView, PathEvidence } from "./evidence.ts";

/** The first port of the Service, by which most clients judge it. */
const firstPort = ({ tcp }: ClientView) => tcp[0];

const isOpen = (client: ClientView): boolean => {
  const first = firstPort(client);
  return first?.answer.ok === true && first.answer.evidence === "open";
};

/** Vantages outside the cluster that a new connection opened for. */
export const reachedFrom = ({ clients }: Pick<PathEvidence, "clients">): readonly string[] =>
  clients.filter(isOpen).map(({ vantage }) => vantage.name);

/** Those of the segment that somebody answered, be it with a refusal: the way to the announcing node works there. */
export const answeredInSegment = ({ clients }: Pick<PathEvidence, "clients">): readonly string[] =>
  clients
    .filter(({ vantage, tcp }) => {
      const said = tcp[0]?.answer;
      return (
        vantage.place !== "behind-router" &&
        said?.ok === true &&
        (said.evidence === "open" || said.evidence === "refused")
      );
    })
    .map(({ vantage }) => vantage.name);

/** Those that could try and got no connection. */
export const unreachedFrom = ({ clients }: Pick<PathEvidence, "clients">): readonly ClientView[] =>
  clients.filter((client) => firstPort(client)?.answer.ok === true && !isOpen(client));
