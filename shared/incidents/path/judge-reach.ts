import { poolOnLan } from "../../checks/pool-on-lan.ts";
import { judgeAll } from "../../checks/run.ts";
import { isFailure } from "../../finding.ts";
import { contains, parseAddresses, parseIp } from "../../metallb/ip.ts";
import type { MetalLbObjects } from "../../metallb/resources.ts";
import { code, join, type Text, text } from "../../text.ts";
import { holds, skipped, unseen } from "../make-link.ts";
import { answeredInSegment, reachedFrom, unreachedFrom } from "./clients.ts";
import { type ClientView, type PathEvidence, theRouter } from "./evidence.ts";
import { fails, type Judged, only, type Reason } from "./reason.ts";

const heads = {
  route: { id: "route", title: "Clients and router send to the address itself" },
  tcp: { id: "tcp", title: "New connections open" },
} as const;

const nodeWith = (objects: MetalLbObjects, address: string): string | undefined =>
  objects.nodes.find(({ addresses }) => addresses.some((each) => each.address === address))?.name;

const isInLan = (ip: string, lanPrefix: string): boolean => {
  const prefix = parseAddresses(lanPrefix);
  const address = parseIp(ip);
  return address !== undefined && !("error" in prefix) && prefix.some((range) => contains(range, address));
};

/** Where a client of the segment sends what it sends to the address. */
function clientRoute(evidence: PathEvidence, { vantage, route }: ClientView, ip: string): readonly Reason[] {
  if (!route.ok) return [];
  const { kind } = route.evidence;
  const base = { link: "route", certain: true, subject: { kind: "vantage", name: vantage.name } } as const;
  if (kind === "unreachable")
    return [
      {
        ...base,
        code: "vantage-no-route",
        text: text`${vantage.name} has no route to ${code(ip)}`,
        next: [text`On ${vantage.name}: ${code("ip route")}`],
        explains: evidence.clients.length === 1 ? ["tcp", "tls", "http"] : [],
      },
    ];
  if (kind !== "via" || vantage.place === "behind-router" || !isInLan(ip, evidence.config.site.lanPrefix))
    return [];
  const { gateway } = route.evidence;
  const node = nodeWith(evidence.surroundings.objects, gateway);
  return [
    {
      ...base,
      code: node === undefined ? "vantage-route-via-gateway" : "vantage-route-via-node",
      severity: node === undefined ? "warning" : "error",
      text:
        node === undefined
          ? text`${vantage.name} sends ${code(ip)} to ${gateway} instead of asking by ARP`
          : text`${vantage.name} sends ${code(ip)} through node ${node} (${gateway}): that node is its only way, whoever announces`,
      next: [
        text`On ${vantage.name}: ${code(`ip route get ${ip}`)}, and remove that route where it is configured`,
      ],
      explains: evidence.clients.length === 1 ? ["tcp", "tls", "http"] : [],
    },
  ];
}

/** What the site's own description says is wrong with the router's way to the pools. */
function configured({ config, lists, surroundings }: PathEvidence): readonly Text[] {
  if (surroundings.faults.has("ipaddresspools") || surroundings.faults.has("nodes")) return [];
  const results = judgeAll([poolOnLan], { cluster: config.name, site: config.site, nodes: [], lists });
  return results.flatMap((result) =>
    result.outcome === "failed" ? result.findings.filter(isFailure).map((each) => each.text) : [],
  );
}

/** How the router passes packets on, by the machines that a client behind it meets. */
function behindRouter(evidence: PathEvidence, client: ClientView, ip: string): readonly Reason[] {
  const { hops, vantage, tcp } = client;
  const announcer = evidence.wire?.ok ? evidence.wire.evidence.verdict.node : undefined;
  const base = { link: "route", subject: { kind: "address", name: ip } } as const;
  const first = hops?.ok ? hops.evidence.nodes[0] : undefined;
  const connects = tcp.some(
    ({ answer }) => answer.ok && (answer.evidence === "open" || answer.evidence === "refused"),
  );
  const tried = tcp.some(({ answer }) => answer.ok);
  const route = evidence.config.site.staticRoutes.find(
    ({ via }) => first !== undefined && nodeWith(evidence.surroundings.objects, via) === first,
  );
  if (first !== undefined && announcer !== undefined && first !== announcer) {
    const said = text`from behind the router, ${code(ip)} goes through ${first}, which does not announce it (${announcer} does)`;
    return [
      {
        ...base,
        code: "via-a-node",
        certain: true,
        text:
          route === undefined
            ? text`${said}: a static route by way of that node, or an ARP entry of the router that is out of date`
            : text`${said}: the static route ${route.to} via ${route.via}`,
        facts: { node: first, announcer },
        next: [
          text`On the router: delete the route by way of ${first}; its LAN prefix has to hold the pool`,
          text`If there is none: clear its ARP entry for ${code(ip)}, then look again`,
        ],
      },
    ];
  }
  if (first !== undefined || connects || !tried || !hops?.ok) return [];
  const { routerIp, resolvers } = evidence.config.site;
  const ping = evidence.pings.find(({ node }) => node === theRouter);
  const mute = hops.evidence.hops.every((each) => each === "*");
  if (mute && ping?.answer.ok && ping.answer.evidence.kind !== "answer")
    return [
      {
        ...base,
        code: "router-silent",
        certain: true,
        subject: { kind: "address", name: routerIp ?? ip },
        text: text`the router ${code(routerIp ?? "")} answers neither ${ping.vantage} in the segment nor ${vantage.name} behind it: it is off or hangs`,
        facts: { hops: hops.evidence.hops.join(" > ") },
        explains: [
          "tcp",
          "tls",
          "http",
          ...(resolvers.includes(routerIp ?? "") ? (["resolver"] as const) : []),
        ],
        next: [text`Look at the router; whoever is in the segment reaches ${code(ip)} without it`],
      },
    ];
  // Nothing gets past the router, and in the segment it works: the fault is the router's.
  if (answeredInSegment(evidence).length === 0) return [];
  const said = configured(evidence);
  const [told] = said;
  const hopWords = hops.evidence.hops.join(" > ") || "nothing";
  if (told !== undefined)
    return [
      {
        ...base,
        code: "router-way",
        certain: true,
        text: text`the router does not pass ${code(ip)} on to the segment: ${told}`,
        next: [text`Correct it on the router; ${code("/migrate plan bgp-to-l2")} shows what it needs`],
        facts: { hops: hopWords },
      },
    ];
  const open = { ...base, certain: false, facts: { hops: hopWords } } as const;
  return [
    {
      ...open,
      code: "router-stale-arp",
      text: text`the router still has an old MAC for ${code(ip)}, of a machine that is gone`,
      next: [
        text`On the router: clear its ARP entry for ${code(ip)}. If ${vantage.name} connects then, that was it`,
      ],
    },
    {
      ...open,
      code: "router-no-way",
      text: text`the router has no way to ${code(ip)} in the segment: its LAN prefix does not hold it, or a route leads elsewhere`,
      next: [text`On the router: its LAN prefix must hold the pool; then set ${code("site.routerPrefix")}`],
    },
    {
      ...open,
      code: "router-filters",
      text: text`the router filters what ${vantage.name}'s network sends to ${code(ip)}`,
      next: [text`On the router: rules between the two networks`],
    },
  ];
}

const routeWords = ({ vantage, route, hops }: ClientView): string => {
  const way = !route.ok
    ? `could not look: ${route.fault.detail}`
    : route.evidence.kind === "via"
      ? `via ${route.evidence.gateway}`
      : route.evidence.kind === "on-link"
        ? `on-link (${route.evidence.nic})`
        : route.evidence.kind;
  const seen =
    hops === undefined
      ? ""
      : hops.ok
        ? `; hops ${hops.evidence.hops.join(" > ") || "none"}`
        : `; hops: ${hops.fault.detail}`;
  return `${vantage.name} (${vantage.place})  ${way}${seen}`;
};

export function judgeRoute(evidence: PathEvidence): Judged {
  const { subject, clients } = evidence;
  const { ip } = subject;
  const head = heads.route;
  if (ip === undefined) return only(skipped(head, text`there is no address to send to`));
  if (clients.length === 0)
    return only(
      unseen(head, {
        kind: "not-configured",
        what: "vantages",
        detail: "no vantage outside the cluster is configured",
      }),
    );
  const shown = { title: "ways to the address", lines: clients.map(routeWords) };
  const at = { ...head, from: clients.map(({ vantage }) => vantage.name).join(", ") };
  const reasons = clients.flatMap((client) => [
    ...clientRoute(evidence, client, ip),
    ...(client.vantage.place === "behind-router" ? behindRouter(evidence, client, ip) : []),
  ]);
  const [first, ...rest] = reasons;
  if (first !== undefined) return fails(at, first.text, [first, ...rest], shown);
  const seen = clients.filter(({ route }) => route.ok);
  const [blind] = clients.flatMap(({ route }) => (route.ok ? [] : [route.fault]));
  if (seen.length === 0 && blind !== undefined) return only(unseen(at, blind, shown));
  const passing = clients.flatMap(({ hops }) => (hops?.ok ? hops.evidence.nodes.slice(0, 1) : []));
  return only(
    holds(
      at,
      passing.length > 0
        ? text`the router passes it on to ${passing.join(", ")}; ${seen.length} of ${clients.length} vantages have a way`
        : text`${seen.length} of ${clients.length} vantages have a way of their own`,
      { evidence: shown },
    ),
  );
}

const stateWords = {
  open: "open",
  refused: "refused",
  filtered: "no answer",
  unreachable: "unreachable",
} as const;

const tcpWords = ({ vantage, tcp }: ClientView): string =>
  `${vantage.name} (${vantage.place})  ${tcp.map(({ port, answer }) => `${port} ${answer.ok ? stateWords[answer.evidence] : `could not look: ${answer.fault.detail}`}`).join(", ")}`;

/** Readings of a connection that the announcing node takes no part in, though ARP and the way are fine. */
function notServed(evidence: PathEvidence, ip: string, port: number): readonly Reason[] {
  const base = { link: "tcp", certain: false, subject: { kind: "address", name: ip } } as const;
  const { leader, wire } = evidence;
  const answeredOn = wire?.ok
    ? `${wire.evidence.verdict.node ?? ""}/${wire.evidence.verdict.nic ?? ""}`
    : undefined;
  const found = (leader?.results ?? []).flatMap((result) =>
    result.outcome === "failed" ? result.findings.filter(isFailure) : [],
  );
  return [
    ...found.map(
      (finding): Reason => ({
        ...base,
        // It drops what arrives on the very interface that answers ARP: then nothing gets through.
        certain: finding.code === "rp-filter" && finding.subject.name === answeredOn,
        code: finding.code,
        subject: finding.subject,
        text: finding.text,
        next: [finding.remedy ?? text`${code(`/nodes check ${leader?.node ?? ""}`)}`],
      }),
    ),
    {
      ...base,
      code: "not-forwarded",
      text: text`${leader?.node ?? "the announcing node"} gets the packets for ${code(`${ip}:${port}`)} and does not lead them to a pod (kube-proxy has no rule, or hangs)`,
      next: [text`On ${leader?.node ?? "the node"}: ${code(`sudo iptables-save | grep ${ip}`)}`],
    },
    {
      ...base,
      code: "traffic-dropped",
      text: text`a firewall, a NetworkPolicy or loadBalancerSourceRanges drops what clients send to port ${port}`,
      next: [
        text`${code("kubectl get networkpolicies -A")}, and spec.loadBalancerSourceRanges of the Service`,
      ],
    },
  ];
}

export function judgeTcp(evidence: PathEvidence): Judged {
  const { subject, clients, service } = evidence;
  const { ip } = subject;
  if (ip === undefined) return only(skipped(heads.tcp, text`there is no address to connect to`));
  if (subject.service === undefined) return only(skipped(heads.tcp, text`no Service says which port to try`));
  if (service === undefined)
    return only(
      unseen(heads.tcp, { kind: "unreadable", what: subject.service, detail: "its ports could not be read" }),
    );
  const port = service.ports.find(({ protocol }) => protocol === "TCP")?.port;
  if (port === undefined)
    return only(skipped(heads.tcp, text`it has no TCP port: UDP cannot be tried from outside`));
  if (clients.length === 0)
    return only(
      unseen(heads.tcp, {
        kind: "not-configured",
        what: "vantages",
        detail: "no vantage outside the cluster is configured, so reachability cannot be judged",
      }),
    );
  const head = { ...heads.tcp, from: clients.map(({ vantage }) => vantage.name).join(", ") };
  const shown = { title: "TCP", lines: clients.map(tcpWords) };
  const tries = clients.flatMap(({ vantage, tcp }) =>
    tcp.flatMap(({ port: each, answer }) =>
      answer.ok ? [{ vantage, port: each, state: answer.evidence }] : [],
    ),
  );
  const [blind] = clients.flatMap(({ tcp }) =>
    tcp.flatMap(({ answer }) => (answer.ok ? [] : [answer.fault])),
  );
  if (tries.length === 0 && blind !== undefined) return only(unseen(head, blind, shown));
  const bad = tries.filter(({ state }) => state !== "open");
  const reached = reachedFrom(evidence);
  if (bad.length === 0)
    return only(
      holds(
        head,
        text`port ${join([...new Set(tries.map((each) => String(each.port)))], ", ")} opens from ${reached.join(", ")}`,
        { evidence: shown },
      ),
    );
  const because: Text = text`${bad
    .slice(0, 4)
    .map((each) => `${each.vantage.name}: port ${each.port} ${stateWords[each.state]}`)
    .join("; ")}${reached.length > 0 ? `; open from ${reached.join(", ")}` : ""}`;
  const base = { link: "tcp", certain: false, subject: { kind: "address", name: ip } } as const;
  const refused = bad.find(({ state }) => state === "refused");
  const [first, second, ...rest] = (
    refused !== undefined
      ? [
          {
            ...base,
            code: "pod-refuses",
            text: text`the pods are ready and nothing in them listens on the port that ${code(`${ip}:${refused.port}`)} leads to`,
            next: [
              text`${code(`kubectl -n ${subject.service.split("/")[0]} get endpointslices -l kubernetes.io/service-name=${subject.service.split("/")[1]}`)}: does the port fit the container's?`,
            ],
          },
          {
            ...base,
            code: "policy-rejects",
            text: text`something on the way rejects it: kube-proxy without an endpoint for port ${refused.port}, or a firewall that says so`,
            next: [text`From a pod of the cluster: connect to the pod's own address and port`],
          },
        ]
      : reached.length > 0 && unreachedFrom(evidence).length > 0
        ? [
            {
              ...base,
              code: "client-way-back",
              text: text`answers to ${unreachedFrom(evidence)
                .map(({ vantage }) => vantage.name)
                .join(", ")} leave another way than the question came, and are dropped there`,
              next: [
                text`On the announcing node: ${code("ip route get CLIENT")}; then its rp_filter: ${code(`/nodes check ${evidence.leader?.node ?? ""}`)}`,
              ],
            },
            ...notServed(evidence, ip, port),
          ]
        : notServed(evidence, ip, bad[0]?.port ?? port)
  ) as readonly Reason[];
  return fails(head, because, [first as Reason, ...(second === undefined ? [] : [second]), ...rest], shown);
}
