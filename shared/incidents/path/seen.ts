import type { HttpAnswer } from "../../probes/http-get.ts";
import { type Text, text } from "../../text.ts";
import type { Seen } from "../diagnosis.ts";
import type { ClientView, PathEvidence } from "./evidence.ts";

const states = {
  open: "opens",
  refused: "is refused",
  filtered: "gets no answer",
  unreachable: "is unreachable",
} as const;

function httpWords(answer: HttpAnswer): string {
  switch (answer.kind) {
    case "answered":
      return `HTTP ${answer.status}`;
    case "no-connection":
      return answer.because === "timed-out" ? "HTTP: no connection in time" : "HTTP: no connection";
    case "no-tls":
      return `no TLS (${answer.said})`;
    case "no-http":
      return `no HTTP (${answer.because})`;
  }
}

function clientText({ route, tcp, http }: ClientView): Text {
  const way = !route.ok
    ? `route unknown (${route.fault.detail})`
    : route.evidence.kind === "via"
      ? `via ${route.evidence.gateway}`
      : route.evidence.kind;
  const ports = tcp.map(({ port, answer }) =>
    answer.ok
      ? `port ${port} ${states[answer.evidence]}`
      : `port ${port} could not be tried (${answer.fault.detail})`,
  );
  const web =
    http === undefined
      ? []
      : [
          http.answer.ok
            ? httpWords(http.answer.evidence)
            : `HTTP could not be tried (${http.answer.fault.detail})`,
        ];
  return text`${[way, ...ports, ...web].join(", ")}`;
}

/** Which vantage saw what. */
export function seenFrom({ clients, wire, passedOver, config }: PathEvidence): readonly Seen[] {
  const asClients = clients.map(
    (client): Seen => ({
      vantage: client.vantage.name,
      place: client.vantage.place,
      clusterNode: false,
      text: clientText(client),
    }),
  );
  const looked = wire?.ok ? wire.evidence : undefined;
  const point = looked?.vantage;
  const arp: readonly Seen[] =
    looked === undefined || point === undefined
      ? []
      : [
          {
            vantage: point.name,
            place: point.place,
            clusterNode: point.clusterNode !== undefined,
            text: text`ARP: ${looked.verdict.headline}`,
          },
        ];
  const blind = passedOver.flatMap(({ vantage, detail }): readonly Seen[] => {
    const known = config.vantages.find(({ name }) => name === vantage);
    return known === undefined
      ? []
      : [
          {
            vantage,
            place: known.place,
            clusterNode: known.clusterNode !== undefined,
            text: text`could not look at the wire: ${detail}`,
          },
        ];
  });
  return [...arp, ...blind, ...asClients];
}
