import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  ListHostedZonesByNameCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandOutput,
  type ResourceRecordSet,
  Route53Client,
  type HostedZone as SdkHostedZone,
} from "@aws-sdk/client-route-53";
import * as z from "zod";
import type { Clock } from "../clock.ts";
import { sameZone } from "../dns/aws-change.ts";
import { type Fqdn, readFqdn, route53Name } from "../dns/fqdn.ts";
import { listedRecordSet, type RecordSet, type RecordSetId, recordSetKey } from "../dns/record-set.ts";
import { readRecordSets } from "../dns/zone-file.ts";
import type { ChangeZone, HostedZone, ReadZones, RecordChange } from "../dns/zones.ts";
import { FaultError } from "../fault.ts";
import { awsFault, isThrottled, isUncertain } from "./aws-fault.ts";
import { createCallPace } from "./call-pace.ts";
import { refusedBatch } from "./route53-refused-batch.ts";
import { createSharedReads } from "./shared-reads.ts";

export type AwsCredentials = Readonly<{
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}>;

export type Route53Options = Readonly<{
  /** Route 53 is one for all regions; this picks the partition (`aws`, `aws-cn`, `aws-us-gov`). */
  region: string;
  /** Left out: what AWS_ENDPOINT_URL_ROUTE_53, AWS_ENDPOINT_URL or the region say. */
  endpoint?: string;
  /** Left out: the SDK's chain (environment, profile, role of the machine or function). */
  credentials?: AwsCredentials;
  clock: Clock;
  /** 2 for a scan, 1 for applying: the account has 5 for all its callers. Retries count like first calls. */
  callsPerSecond: number;
  /** From 0 to below 1, for the jitter of the back-off. */
  random?: () => number;
  /** Tries of one throttled call before its fault is told. */
  attempts?: number;
  /** Longest wait for one answer, milliseconds. */
  requestMs?: number;
}>;

export type Route53Connection = Readonly<{ read: ReadZones; change: ChangeZone; close: () => void }>;

/** More than 300 the API does not give (ListResourceRecordSets, MaxItems). */
const pageSize = 300;
/** Names that are looked up by a call each whatever the zone holds. */
const fewNames = 4;
const zonesPageSize = 100;
/** A storm of throttling passes; who does not answer three times is told. */
const unansweredTries = 3;
const firstBackOffMs = 1_000;
const longestBackOffMs = 20_000;

/** `/hostedzone/Z1` and `/change/C1` without their kind. */
const bareId = (id: string): string => id.replace(/^\/?(hostedzone|change|delegationset)\//, "");

const zoneShape = z.object({
  Id: z.string().transform(bareId),
  Name: z.string().transform((value, context) => {
    const read = readFqdn(value);
    if (read.ok) return read.fqdn;
    context.addIssue({ code: "custom", message: read.problem });
    return z.NEVER;
  }),
  ResourceRecordSetCount: z.number().int().nonnegative().default(0),
  Config: z.object({ PrivateZone: z.boolean().default(false), Comment: z.string().optional() }).optional(),
});

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new FaultError({
    kind: "unreadable",
    what,
    detail: z.prettifyError(result.error).replaceAll("\n", " ").slice(0, 300),
  });
}

function toZone(zone: unknown, nameServers: readonly string[] | undefined, what: string): HostedZone {
  const { Id, Name, ResourceRecordSetCount, Config } = parse(zoneShape, zone, what);
  return {
    id: Id,
    name: Name,
    private: Config?.PrivateZone ?? false,
    recordCount: ResourceRecordSetCount,
    nameServers,
    ...(Config?.Comment !== undefined && Config.Comment !== "" && { comment: Config.Comment }),
  };
}

/** What a whole listing says; a record set that cannot be read makes the whole of it unreadable. */
function toRecordSets(items: readonly unknown[], what: string): readonly RecordSet[] {
  const read = readRecordSets(items);
  if (read.ok) return read.recordSets;
  const more = read.problems.length > 3 ? `; ${read.problems.length - 3} more` : "";
  throw new FaultError({
    kind: "unreadable",
    what,
    detail: `${read.problems.slice(0, 3).join("; ")}${more}`,
  });
}

const startOf = (start: RecordSetId | undefined) =>
  start && {
    StartRecordName: route53Name(start.name),
    StartRecordType: start.type as "A",
    ...(start.setIdentifier !== undefined && { StartRecordIdentifier: start.setIdentifier }),
  };

/** The SDK reads any XML, also the page of a captive portal, as an answer without contents: that is no empty list. */
function mustBeListing(anyOf: readonly unknown[], what: string): void {
  if (anyOf.some((field) => field !== undefined)) return;
  throw new FaultError({ kind: "unreadable", what, detail: "what came back is no list of Route 53" });
}

type Page = Readonly<{ items: readonly ResourceRecordSet[]; next: RecordSetId | undefined }>;

function toPage(answer: ListResourceRecordSetsCommandOutput, what: string): Page {
  const { ResourceRecordSets: items = [], IsTruncated, NextRecordName, NextRecordType } = answer;
  mustBeListing([IsTruncated], what);
  if (!IsTruncated) return { items, next: undefined };
  const name = NextRecordName === undefined ? undefined : readFqdn(NextRecordName);
  if (!name?.ok || NextRecordType === undefined)
    throw new FaultError({ kind: "truncated", what, detail: "a page says there is more but not where" });
  const setIdentifier = answer.NextRecordIdentifier;
  return {
    items,
    next: {
      name: name.fqdn,
      type: NextRecordType,
      ...(setIdentifier !== undefined && { setIdentifier }),
    },
  };
}

const sent = (zoneId: string, { action, set }: RecordChange) => {
  if (set.unmodelled !== undefined && Object.keys(set.unmodelled).length > 0)
    throw new FaultError({
      kind: "not-modelled",
      what: `change of ${set.name} ${set.type}`,
      detail: `it has ${Object.keys(set.unmodelled).join(", ")}, which would be lost`,
    });
  const { answer } = set;
  const whole: RecordSet =
    answer.kind === "alias" && answer.target.hostedZoneId === sameZone
      ? { ...set, answer: { ...answer, target: { ...answer.target, hostedZoneId: zoneId } } }
      : set;
  return { Action: action, ResourceRecordSet: listedRecordSet(whole) as unknown as ResourceRecordSet };
};

/**
 * Route 53 over the AWS SDK. A listing of n record sets is `ceil(n / 300)` calls and is not a snapshot: a change made
 * between two pages may be missed or seen twice. Twice with different content makes the listing a fault; what was missed
 * nobody can tell, so whoever writes reads the affected record sets again first. Listings of one zone asked for at once
 * are one listing.
 */
export function connectRoute53(options: Route53Options): Route53Connection {
  const { clock, random = Math.random, attempts = 8 } = options;
  const client = new Route53Client({
    region: options.region,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.credentials && { credentials: options.credentials }),
    // The pace and the back-off are ours; a second opinion inside would spend calls nobody counted.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: options.requestMs ?? 30_000,
      throwOnRequestTimeout: true,
    },
  });
  const pace = createCallPace(clock, options.callsPerSecond);
  const cancelled = (what: string) =>
    new FaultError({ kind: "cancelled", what, detail: "nobody waits for it any more" });

  /** Throttled calls were not made and are made again; others only where making them twice does no harm. */
  async function call<T>(
    what: string,
    harmlessTwice: boolean,
    send: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      await pace(signal);
      if (signal?.aborted) throw cancelled(what);
      try {
        return await send();
      } catch (error) {
        if (signal?.aborted) throw cancelled(what);
        const throttled = isThrottled(error);
        if (!throttled && !(harmlessTwice && isUncertain(error))) throw error;
        if (attempt >= (throttled ? attempts : Math.min(attempts, unansweredTries))) {
          const { fault } = awsFault(error, what);
          const tries = attempt === 1 ? "" : ` (${attempt} tries)`;
          throw new FaultError({ ...fault, detail: `${fault.detail}${tries}` }, { cause: error });
        }
        const pause = Math.min(firstBackOffMs * 2 ** (attempt - 1), longestBackOffMs);
        await clock.sleep(pause / 2 + (random() * pause) / 2, signal);
      }
    }
  }

  const look = async <T>(what: string, send: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      return await call(what, true, send, signal);
    } catch (error) {
      throw awsFault(error, what);
    }
  };

  async function page(id: string, start: object | undefined, what: string, signal?: AbortSignal) {
    const command = new ListResourceRecordSetsCommand({ HostedZoneId: id, MaxItems: pageSize, ...start });
    const send = () => client.send(command, signal ? { abortSignal: signal } : {});
    return toPage(await look(what, send, signal), what);
  }

  async function listing(id: string, signal: AbortSignal): Promise<readonly RecordSet[]> {
    const what = `record sets of zone ${id}`;
    const items: ResourceRecordSet[] = [];
    const starts = new Set<string>();
    for (let next: RecordSetId | undefined, first = true; first || next; first = false) {
      const got = await page(id, startOf(next), what, signal);
      items.push(...got.items);
      next = got.next;
      if (next === undefined) break;
      const key = recordSetKey(next);
      if (starts.has(key))
        throw new FaultError({ kind: "unreadable", what, detail: `its pages go round at ${key.trim()}` });
      starts.add(key);
    }
    const sets = toRecordSets(items, what);
    if (!sets.some(({ type }) => type === "SOA"))
      throw new FaultError({ kind: "truncated", what, detail: "no SOA is among them; every zone has one" });
    return sets;
  }

  const listings = createSharedReads(listing, (id) => cancelled(`record sets of zone ${id}`));

  /** Everything at one name and whatever else came on the same pages. */
  async function around(id: string, name: Fqdn): Promise<readonly RecordSet[]> {
    const what = `${name} in zone ${id}`;
    const items: ResourceRecordSet[] = [];
    let got = await page(id, { StartRecordName: route53Name(name) }, what);
    items.push(...got.items);
    while (got.next?.name === name) {
      const before = recordSetKey(got.next);
      got = await page(id, startOf(got.next), what);
      items.push(...got.items);
      if (got.next !== undefined && recordSetKey(got.next) === before)
        throw new FaultError({ kind: "unreadable", what, detail: "its pages go round" });
    }
    return toRecordSets(items, what);
  }

  async function zone(id: string): Promise<HostedZone> {
    const what = `zone ${id}`;
    const { HostedZone, DelegationSet } = await look(what, () =>
      client.send(new GetHostedZoneCommand({ Id: id })),
    );
    const isPrivate = HostedZone?.Config?.PrivateZone ?? false;
    return toZone(
      HostedZone,
      isPrivate ? undefined : DelegationSet?.NameServers?.map((server) => server.replace(/\.$/, "")),
      what,
    );
  }

  async function allZones(): Promise<readonly HostedZone[]> {
    const what = "list of hosted zones";
    const found: SdkHostedZone[] = [];
    for (let marker: string | undefined, more = true; more; ) {
      const Marker = marker;
      const answer = await look(what, () =>
        client.send(new ListHostedZonesCommand({ MaxItems: zonesPageSize, ...(Marker && { Marker }) })),
      );
      mustBeListing([answer.IsTruncated, answer.HostedZones], what);
      found.push(...(answer.HostedZones ?? []));
      more = answer.IsTruncated ?? false;
      if (more && (!answer.NextMarker || answer.NextMarker === marker))
        throw new FaultError({ kind: "truncated", what, detail: "a page says there is more but not where" });
      marker = answer.NextMarker;
    }
    return found.map((each) => toZone(each, undefined, what));
  }

  /** ListHostedZonesByName starts at a name and goes on to later ones, so names are compared; several may be equal. */
  async function zonesNamed(name: Fqdn): Promise<readonly HostedZone[]> {
    const what = `hosted zones named ${name}`;
    const ids: string[] = [];
    let start: Readonly<{ DNSName: string; HostedZoneId?: string }> | undefined = {
      DNSName: route53Name(name),
    };
    while (start) {
      const from: Readonly<{ DNSName: string; HostedZoneId?: string }> = start;
      const answer = await look(what, () =>
        client.send(new ListHostedZonesByNameCommand({ MaxItems: zonesPageSize, ...from })),
      );
      mustBeListing([answer.IsTruncated, answer.HostedZones], what);
      const listed = (answer.HostedZones ?? []).map((each) => toZone(each, undefined, what));
      ids.push(...listed.filter((each) => each.name === name).map((each) => each.id));
      const next = answer.NextDNSName === undefined ? undefined : readFqdn(answer.NextDNSName);
      const goesOn = answer.IsTruncated && next?.ok && next.fqdn === name && answer.NextHostedZoneId;
      start =
        goesOn && bareId(goesOn) !== from.HostedZoneId
          ? { DNSName: route53Name(name), HostedZoneId: bareId(goesOn) }
          : undefined;
    }
    const out: HostedZone[] = [];
    for (const id of new Set(ids)) out.push(await zone(id));
    return out;
  }

  const read: ReadZones = {
    zones: (name) => (name === undefined ? allZones() : zonesNamed(name)),
    zone,
    recordSets: listings.read,
    lookUp: async (id, ids) => {
      const seen = new Map<string, RecordSet>();
      const asked = new Set<string>();
      const names = new Set(ids.map(({ name }) => name)).size;
      // A plan's batch may name a thousand: a listing of the zone is then fewer calls, and it is one of now.
      if (names > fewNames && Math.ceil((await zone(id)).recordCount / pageSize) < names) {
        for (const set of await listing(id, new AbortController().signal)) seen.set(recordSetKey(set), set);
        return ids.map((wanted) => seen.get(recordSetKey(wanted)));
      }
      for (const wanted of ids) {
        if (asked.has(wanted.name) || seen.has(recordSetKey(wanted))) continue;
        asked.add(wanted.name);
        for (const set of await around(id, wanted.name)) seen.set(recordSetKey(set), set);
      }
      return ids.map((wanted) => seen.get(recordSetKey(wanted)));
    },
    change: async (changeId) => {
      const what = `change ${changeId}`;
      const { ChangeInfo } = await look(what, () =>
        client.send(new GetChangeCommand({ Id: bareId(changeId) })),
      );
      return parse(z.enum(["PENDING", "INSYNC"]), ChangeInfo?.Status, what);
    },
  };

  const change: ChangeZone = async (id, changes, comment) => {
    const what = `batch of ${changes.length} for zone ${id}`;
    const command = new ChangeResourceRecordSetsCommand({
      HostedZoneId: id,
      ChangeBatch: { Comment: comment.slice(0, 256), Changes: changes.map((each) => sent(id, each)) },
    });
    try {
      const { ChangeInfo } = await call(what, false, () => client.send(command));
      return {
        ok: true,
        changeId: bareId(parse(z.string(), ChangeInfo?.Id, what)),
        status: ChangeInfo?.Status === "INSYNC" ? "INSYNC" : "PENDING",
      };
    } catch (error) {
      const messages = refusedBatch(error);
      if (messages !== undefined) return { ok: false, messages };
      throw awsFault(error, what);
    } finally {
      // What is being listed now may miss it.
      listings.forget(id);
    }
  };

  return { read, change, close: () => client.destroy() };
}
