import { parseIp } from "../../metallb/ip.ts";
import type { MetalLbObjects } from "../../metallb/resources.ts";
import { pathTo } from "../../migration/hops.ts";
import type { Answer } from "../../probes/answer.ts";
import { httpGet } from "../../probes/http-get.ts";
import { ipRoute } from "../../probes/ip-route.ts";
import { nodeNeighbours } from "../../probes/node-neighbours.ts";
import type { Probe } from "../../probes/probe.ts";
import { tcpConnect } from "../../probes/tcp-connect.ts";
import type { Vantage } from "../../site/site.ts";
import type { DiagnosePorts } from "../runbook.ts";
import type { ClientView } from "./evidence.ts";
import { type ServiceFacts, schemeOf } from "./service-facts.ts";
import type { PathSubject } from "./subject.ts";
import { within } from "./within.ts";

/** Clients that are asked: one of each place says most, a second one tells a broken client from a broken path. */
const mostClients = 4;

/** Ports of a Service that are tried; the first ones are those that people use. */
const mostPorts = 3;

/** One vantage of each place first. A cluster node proves no reachability, so none is asked. */
export function clientVantages(vantages: readonly Vantage[]): readonly Vantage[] {
  const outside = vantages.filter(({ clusterNode }) => clusterNode === undefined);
  const firsts = outside.filter((each, i) => outside.findIndex(({ place }) => place === each.place) === i);
  return [...firsts, ...outside.filter((each) => !firsts.includes(each))].slice(0, mostClients);
}

type Options = Readonly<{
  subject: PathSubject;
  service: ServiceFacts | undefined;
  objects: MetalLbObjects;
  until: number;
  signal: AbortSignal;
}>;

const macIn = (entries: ReturnType<typeof nodeNeighbours.read>, ip: string): string | undefined =>
  entries.find(({ address }) => parseIp(address)?.text === ip)?.mac;

/** Every client vantage at once, and on each everything at once. */
export async function clientViews(
  { clock, config, shell }: Pick<DiagnosePorts, "clock" | "config" | "shell">,
  { subject, service, objects, until, signal }: Options,
): Promise<readonly ClientView[]> {
  const { ip } = subject;
  if (ip === undefined) return [];
  const ports = (service?.ports ?? []).filter(({ protocol }) => protocol === "TCP").slice(0, mostPorts);
  const web = ports.flatMap((port) => {
    const scheme = schemeOf(port);
    return scheme === undefined ? [] : [{ port: port.port, scheme }];
  })[0];
  return Promise.all(
    clientVantages(config.vantages).map(async (vantage): Promise<ClientView> => {
      const target = { kind: "vantage", name: vantage.name } as const;
      const ask = <const Args extends readonly unknown[], E>(
        probe: Probe<Args, E>,
        ...args: Args
      ): Promise<Answer<E>> =>
        within(clock, { until, what: `${probe.tool} on ${vantage.name}`, signal }, async (late) =>
          probe.read(await shell(target, probe.argv(...args), { signal: late })),
        );
      const isBehind = vantage.place === "behind-router";
      const [route, hops, tcp, http, neighbours] = await Promise.all([
        ask(ipRoute, ip),
        isBehind
          ? within(clock, { until, what: `ping on ${vantage.name}`, signal }, (late) =>
              pathTo(shell, vantage.name, ip, objects, late),
            )
          : undefined,
        Promise.all(ports.map(async ({ port }) => ({ port, answer: await ask(tcpConnect, ip, port) }))),
        web === undefined
          ? undefined
          : ask(httpGet, {
              scheme: web.scheme,
              address: ip,
              port: web.port,
              ...(subject.hostname === undefined ? {} : { name: subject.hostname }),
            }),
        isBehind ? undefined : ask(nodeNeighbours),
      ]);
      return {
        vantage,
        route,
        hops,
        tcp,
        http: web === undefined || http === undefined ? undefined : { ...web, answer: http },
        neighbour:
          neighbours === undefined || !neighbours.ok
            ? neighbours
            : { ok: true, evidence: macIn(neighbours.evidence, ip) },
      };
    }),
  );
}
