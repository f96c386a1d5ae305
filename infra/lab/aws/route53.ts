import { type Fqdn, readFqdn, route53Name } from "#shared/dns/fqdn.ts";
import type { HostedZone, RecordChange } from "#shared/dns/zones.ts";
import { FaultError } from "#shared/fault.ts";
import { pageSize, type TwinZones, type ZoneCall } from "#shared/twin/zones.ts";
import type { AwsAnswer, AwsRequest } from "./answer.ts";
import { readRecordSetElement, recordSetNode } from "./record-set-xml.ts";
import { child, type Node, readXml, textOf, writeXml } from "./xml.ts";

/** What the API needs of the zones behind it. */
export type ZoneStore = Pick<TwinZones, "all" | "page" | "admit" | "change" | "read">;

const namespace = "https://route53.amazonaws.com/doc/2013-04-01/";
const version = "/2013-04-01";
const mostZones = 100;

const xml = (root: string, content: readonly Node[], status = 200): AwsAnswer => ({
  status,
  headers: { "content-type": "text/xml" },
  body: writeXml(root, namespace, content),
});

/** The envelope of Route 53's errors. */
export const route53Error = (status: number, code: string, message: string, requestId: string): AwsAnswer =>
  xml(
    "ErrorResponse",
    [
      [
        "Error",
        [
          ["Type", status < 500 ? "Sender" : "Receiver"],
          ["Code", code],
          ["Message", message],
        ],
      ],
      ["RequestId", requestId],
    ],
    status,
  );

const zoneNode = (zone: HostedZone): Node => [
  "HostedZone",
  [
    ["Id", `/hostedzone/${zone.id}`],
    ["Name", route53Name(zone.name)],
    ["CallerReference", `lab-${zone.id}`],
    [
      "Config",
      [
        ["Comment", zone.comment],
        ["PrivateZone", zone.private],
      ],
    ],
    ["ResourceRecordSetCount", zone.recordCount],
  ],
];

const statusOf: Readonly<Record<string, number>> = {
  NoSuchHostedZone: 404,
  NoSuchChange: 404,
  ServiceUnavailable: 503,
};

const reversed = (name: Fqdn): string => `${name.split(".").reverse().join(".")}.`;

const mostItems = (query: URLSearchParams, most: number): number | undefined => {
  const asked = query.get("maxitems");
  if (asked === null) return most;
  const items = Number(asked);
  return /^\d+$/.test(asked) && items > 0 ? Math.min(items, most) : undefined;
};

/** Route 53's REST API (2013-04-01) over zones, in the words of the service, as far as Arpeggio and `aws` need it. */
export function createRoute53Api(
  zones: ZoneStore,
  options: Readonly<{ now: () => number; newId: () => string }>,
): (request: AwsRequest) => Promise<Readonly<{ operation: string; answer: AwsAnswer }>> {
  const error = (status: number, code: string, message: string) =>
    route53Error(status, code, message, options.newId());
  const invalidInput = (message: string) => error(400, "InvalidInput", message);
  const noZone = (id: string) => error(404, "NoSuchHostedZone", `No hosted zone found with ID: ${id}`);

  const admitted = (call: ZoneCall): AwsAnswer | undefined => {
    const refusal = zones.admit(call);
    return refusal && error(refusal.status, refusal.code, refusal.message);
  };

  const fromFault = (fault: unknown): AwsAnswer => {
    if (!(fault instanceof FaultError)) throw fault;
    const said = /^([A-Z][A-Za-z]+): (.*)$/s.exec(fault.fault.detail);
    if (!said) return "no answer";
    const [, code = "", message = ""] = said;
    return error(statusOf[code] ?? 400, code, message);
  };

  const changeInfo = (id: string, status: string, comment?: string): Node => [
    "ChangeInfo",
    [
      ["Id", `/change/${id}`],
      ["Status", status],
      ["SubmittedAt", new Date(options.now()).toISOString()],
      ["Comment", comment],
    ],
  ];

  function listHostedZones(query: URLSearchParams): AwsAnswer {
    const refused = admitted({ operation: "ListHostedZones" });
    if (refused) return refused;
    const most = mostItems(query, mostZones);
    if (most === undefined) return invalidInput("MaxItems must be a positive number");
    const all = [...zones.all()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const marker = query.get("marker");
    const from =
      marker === null ? 0 : all.findIndex((zone) => zone.id === marker.replace(/^\/hostedzone\//, ""));
    if (from < 0) return invalidInput(`No such hosted zone: ${marker}`);
    const next = all[from + most];
    return xml("ListHostedZonesResponse", [
      ["HostedZones", all.slice(from, from + most).map(zoneNode)],
      ["Marker", marker ?? undefined],
      ["IsTruncated", next !== undefined],
      ["NextMarker", next?.id],
      ["MaxItems", most],
    ]);
  }

  function listHostedZonesByName(query: URLSearchParams): AwsAnswer {
    const refused = admitted({ operation: "ListHostedZonesByName" });
    if (refused) return refused;
    const most = mostItems(query, mostZones);
    if (most === undefined) return invalidInput("MaxItems must be a positive number");
    const asked = query.get("dnsname");
    const id = query.get("hostedzoneid")?.replace(/^\/hostedzone\//, "") ?? "";
    const start = asked === null ? undefined : readFqdn(asked);
    if (start && !start.ok) return error(400, "InvalidDomainName", start.problem);
    const key = (zone: Readonly<{ name: Fqdn; id: string }>) => `${reversed(zone.name)} ${zone.id}`;
    const all = [...zones.all()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    const from = start ? all.findIndex((zone) => key(zone) >= key({ name: start.fqdn, id })) : 0;
    const listed = from < 0 ? [] : all.slice(from, from + most);
    const next = from < 0 ? undefined : all[from + most];
    return xml("ListHostedZonesByNameResponse", [
      ["HostedZones", listed.map(zoneNode)],
      ["DNSName", asked ?? undefined],
      ["HostedZoneId", id === "" ? undefined : id],
      ["IsTruncated", next !== undefined],
      ["NextDNSName", next && route53Name(next.name)],
      ["NextHostedZoneId", next?.id],
      ["MaxItems", most],
    ]);
  }

  function getHostedZone(id: string): AwsAnswer {
    const refused = admitted({ operation: "GetHostedZone", zone: id });
    if (refused) return refused;
    const zone = zones.all().find((each) => each.id === id);
    if (zone === undefined) return noZone(id);
    return xml("GetHostedZoneResponse", [
      zoneNode(zone),
      ...(zone.nameServers
        ? [
            [
              "DelegationSet",
              [["NameServers", zone.nameServers.map((name): Node => ["NameServer", name])]],
            ] as Node,
          ]
        : [
            [
              "VPCs",
              [
                [
                  "VPC",
                  [
                    ["VPCRegion", "eu-central-1"],
                    ["VPCId", "vpc-0lab"],
                  ],
                ],
              ],
            ] as Node,
          ]),
    ]);
  }

  /** Which page of the whole listing begins here; faults are switched by page. */
  const pages = new Map<string, number>();

  function listRecordSets(id: string, query: URLSearchParams): AwsAnswer {
    const most = mostItems(query, pageSize);
    if (most === undefined) return invalidInput("MaxItems must be a positive number");
    const name = query.get("name");
    const type = query.get("type") ?? undefined;
    const setIdentifier = query.get("identifier") ?? undefined;
    if (name === null && type !== undefined)
      return invalidInput("StartRecordName must be specified when StartRecordType is specified");
    if (type === undefined && setIdentifier !== undefined)
      return invalidInput("StartRecordType must be specified when StartRecordIdentifier is specified");
    const read = name === null ? undefined : readFqdn(name);
    if (read && !read.ok) return error(400, "InvalidInput", read.problem);
    const where = `${id} ${name} ${type} ${setIdentifier}`;
    const page = name === null ? 0 : pages.get(where);
    const refused = admitted({
      operation: "ListResourceRecordSets",
      zone: id,
      ...(page !== undefined && { page }),
    });
    if (refused) return refused;
    if (!zones.all().some((zone) => zone.id === id)) return noZone(id);
    const start = read && {
      name: read.fqdn,
      ...(type !== undefined && { type }),
      ...(setIdentifier !== undefined && { setIdentifier }),
    };
    const { sets, next } = zones.page(id, start, most);
    if (next !== undefined && page !== undefined)
      pages.set(`${id} ${route53Name(next.name)} ${next.type} ${next.setIdentifier}`, page + 1);
    return xml("ListResourceRecordSetsResponse", [
      ["ResourceRecordSets", sets.map(recordSetNode)],
      ["IsTruncated", next !== undefined],
      ["NextRecordName", next && route53Name(next.name)],
      ["NextRecordType", next?.type],
      ["NextRecordIdentifier", next?.setIdentifier],
      ["MaxItems", most],
    ]);
  }

  async function changeRecordSets(id: string, body: Buffer): Promise<AwsAnswer> {
    const document = readXml(body.toString("utf8"));
    const batch = child(document, "ChangeBatch");
    if (document?.name !== "ChangeResourceRecordSetsRequest" || batch === undefined)
      return error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate");
    const changes: RecordChange[] = [];
    const problems: string[] = [];
    for (const change of child(batch, "Changes")?.children ?? []) {
      const action = textOf(change, "Action");
      const read = readRecordSetElement(child(change, "ResourceRecordSet"));
      if (action !== "CREATE" && action !== "DELETE" && action !== "UPSERT")
        problems.push(`Action ${action} is none of CREATE, DELETE, UPSERT`);
      else if (!read.ok) problems.push(...read.problems);
      else changes.push({ action, set: read.set });
    }
    if (problems.length > 0) return invalidInput(`Invalid request: ${problems.join("; ")}`);
    if (changes.length === 0) return invalidInput("Invalid request: the batch holds no change");
    const outside = changes.filter(({ set }) => {
      const zone = zones.all().find((each) => each.id === id);
      return zone !== undefined && set.name !== zone.name && !set.name.endsWith(`.${zone.name}`);
    });
    if (outside.length > 0) {
      const zone = zones.all().find((each) => each.id === id) as HostedZone;
      const words = outside.map(
        ({ set }) =>
          `RRSet with DNS name ${route53Name(set.name)} is not permitted in zone ${route53Name(zone.name)}`,
      );
      return error(400, "InvalidChangeBatch", `[${words.join(", ")}]`);
    }
    try {
      const comment = textOf(batch, "Comment");
      const result = await zones.change(id, changes, comment ?? "");
      if (!result.ok) return error(400, "InvalidChangeBatch", `[${result.messages.join(", ")}]`);
      return xml("ChangeResourceRecordSetsResponse", [changeInfo(result.changeId, result.status, comment)]);
    } catch (fault) {
      return fromFault(fault);
    }
  }

  async function getChange(id: string): Promise<AwsAnswer> {
    try {
      return xml("GetChangeResponse", [changeInfo(id, await zones.read.change(id))]);
    } catch (fault) {
      return fromFault(fault);
    }
  }

  function getLimit(id: string, type: string): AwsAnswer {
    const zone = zones.all().find((each) => each.id === id);
    if (zone === undefined) return noZone(id);
    if (type !== "MAX_RRSETS_BY_ZONE") return invalidInput(`${type} is not a limit this zone has`);
    return xml("GetHostedZoneLimitResponse", [
      [
        "Limit",
        [
          ["Type", type],
          ["Value", 10_000],
        ],
      ],
      ["Count", zone.recordCount],
    ]);
  }

  return async ({ method, path, query, body }) => {
    const parts = path
      .replace(version, "")
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent);
    const [kind = "", id = "", sub = "", more = ""] = parts;
    const route = `${method} ${kind}${id === "" ? "" : "/id"}${sub === "" ? "" : `/${sub}`}`;
    switch (route) {
      case "GET hostedzone":
        return { operation: "ListHostedZones", answer: listHostedZones(query) };
      case "GET hostedzonesbyname":
        return { operation: "ListHostedZonesByName", answer: listHostedZonesByName(query) };
      case "GET hostedzone/id":
        return { operation: "GetHostedZone", answer: getHostedZone(id) };
      case "GET hostedzone/id/rrset":
        return { operation: "ListResourceRecordSets", answer: listRecordSets(id, query) };
      case "POST hostedzone/id/rrset":
        return { operation: "ChangeResourceRecordSets", answer: await changeRecordSets(id, body) };
      case "GET change/id":
        return { operation: "GetChange", answer: await getChange(id) };
      case "GET hostedzonelimit/id":
      case `GET hostedzonelimit/id/${sub}`:
        return { operation: "GetHostedZoneLimit", answer: getLimit(id, sub || more) };
      default:
        return {
          operation: route,
          answer: error(501, "NotImplemented", `The lab does not speak ${method} ${path}`),
        };
    }
  };
}
