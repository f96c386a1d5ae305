import type { Clock } from "../clock.ts";
import { type AwsChange, sameZone } from "../dns/aws-change.ts";
import type { Fqdn } from "../dns/fqdn.ts";
import { route53Name } from "../dns/fqdn.ts";
import { type RecordSet, type RecordSetId, recordSetKey, valuesOf } from "../dns/record-set.ts";
import { type Refusal, type ZoneModel, zoneModel } from "../dns/route53-judge.ts";
import type { BatchResult, ChangeZone, HostedZone, ReadZones, RecordChange } from "../dns/zones.ts";
import { FaultError, type FaultKind } from "../fault.ts";
import type { Schedule } from "./schedule.ts";

export type NameServer = Readonly<{ name: Fqdn; ip: string }>;

export type ZoneSpec = Readonly<{
  /** Without the `/hostedzone/` prefix. */
  id: string;
  name: Fqdn;
  private?: boolean;
  comment?: string;
  /** The delegation set. A private zone has name servers too, but the API does not tell them. */
  nameServers: readonly NameServer[];
  /** The zone's own NS and SOA are made where they are left out. */
  recordSets: readonly RecordSet[];
}>;

/** One call to the API, as quota and faults see it. Pages count from 0. */
export type ZoneCall = Readonly<{
  operation:
    | "ListHostedZones"
    | "ListHostedZonesByName"
    | "GetHostedZone"
    | "ListResourceRecordSets"
    | "ChangeResourceRecordSets"
    | "GetChange";
  zone?: string;
  page?: number;
}>;

/** Route 53's refusal of a call: HTTP status, error code, message. */
export type ZoneCallRefusal = Readonly<{ status: number; code: string; message: string }>;

export type ZoneHistoryEntry = Readonly<{
  at: number;
  zone: string;
  changeId: string;
  comment: string;
  changes: readonly RecordChange[];
}>;

export type ZoneFaults = Readonly<{
  /** The next so many calls are over the account's rate; `Number.POSITIVE_INFINITY` until it is set to 0. */
  throttle: (calls: number) => void;
  /** This page of the zone's listing fails until it is lifted with `undefined`. */
  failPage: (zone: string, page: number | undefined) => void;
  /** While held no change reaches the name servers: GetChange says PENDING. */
  holdChanges: (on: boolean) => void;
  /** The next so many changes are made, but their answer is lost. */
  loseAnswers: (changes: number) => void;
  /** How long a zone refuses further changes after one, milliseconds. */
  setBusyMs: (ms: number) => void;
}>;

export type TwinZones = Readonly<{
  read: ReadZones;
  change: ChangeZone;
  all: () => readonly HostedZone[];
  nameServers: (id: string) => readonly NameServer[];
  /** Every record set as the API lists it, pending changes included, in Route 53's order. */
  recordSets: (id: string) => readonly RecordSet[];
  /** One page of the listing, from a record set on; `next` is where the following page begins. */
  page: (
    id: string,
    start: Readonly<{ name: Fqdn; type?: string; setIdentifier?: string }> | undefined,
    maxItems: number,
  ) => Readonly<{ sets: readonly RecordSet[]; next: RecordSet | undefined }>;
  /** The record sets that one of the zone's name servers has by now. */
  served: (id: string, server: number) => readonly RecordSet[];
  /** What the API says to a call before it looks at anything; undefined lets it pass. Counts against the faults. */
  admit: (call: ZoneCall) => ZoneCallRefusal | undefined;
  /** The API without faults and without a history of its own: what a person does in the console. Throws on a refusal. */
  edit: (id: string, changes: readonly RecordChange[]) => void;
  history: () => readonly ZoneHistoryEntry[];
  faults: ZoneFaults;
  /** Called after every change of the API's record sets. Returns the way to stop. */
  subscribe: (listener: (zone: string) => void) => () => void;
}>;

/** A change is usually everywhere within 60 s (Route 53 developer guide); name servers follow one after the other. */
const propagationMs = 30_000;

/** Route 53 gives 300 at most (api_op_ListResourceRecordSets.go). */
export const pageSize = 300;

const limits = { values: 1_000, characters: 32_000 };

/** Bytes of `name` from the root on, each label ended by a dot: Route 53's order of names. */
const orderKey = (name: Fqdn): string =>
  `${name.split(".").reverse().join(".")}.`.replaceAll("\\056", ".").replaceAll("\\134", "\\");

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

type Position = Readonly<{ name: Fqdn; type?: string; setIdentifier?: string }>;

/** The order of a listing: names from the root on, then types, then set identifiers. */
export const compareListed = (a: Position, b: Position): number =>
  byText(orderKey(a.name), orderKey(b.name)) ||
  byText(a.type ?? "", b.type ?? "") ||
  byText(a.setIdentifier ?? "", b.setIdentifier ?? "");

/** The record sets a new zone begins with: TTLs and timers of the developer guide. */
export function apexRecordSets(name: Fqdn, servers: readonly NameServer[]): readonly RecordSet[] {
  const first = servers[0]?.name ?? name;
  return [
    {
      name,
      type: "NS",
      routing: { policy: "simple" },
      answer: { kind: "values", ttl: 172_800, values: servers.map((server) => route53Name(server.name)) },
    },
    {
      name,
      type: "SOA",
      routing: { policy: "simple" },
      answer: {
        kind: "values",
        ttl: 900,
        values: [`${route53Name(first)} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400`],
      },
    },
  ];
}

const withAliases = (set: RecordSet, from: string, to: string): RecordSet =>
  set.answer.kind === "alias" && set.answer.target.hostedZoneId.replace(/^\/hostedzone\//, "") === from
    ? { ...set, answer: { ...set.answer, target: { ...set.answer.target, hostedZoneId: to } } }
    : set;

/** Route 53's wording of what it dislikes in a batch. */
function refusalText({ change: { action, set }, why }: Refusal, zone: Fqdn): string {
  const what = `resource record set [name='${route53Name(set.name)}', type='${set.type}'${
    set.setIdentifier === undefined ? "" : `, set-identifier='${set.setIdentifier}'`
  }]`;
  if (why === "it already exists") return `Tried to create ${what} but it already exists`;
  if (why === "there is no such record set to delete") return `Tried to delete ${what} but it was not found`;
  if (why.startsWith("the record set is another"))
    return `Tried to delete ${what} but the values provided do not match the current values`;
  if (why.startsWith("a CNAME cannot stand beside"))
    return `RRSet of type ${set.type} with DNS name ${route53Name(set.name)} is not permitted as it conflicts with other records with the same DNS name in zone ${route53Name(zone)}`;
  return `Invalid request for ${action} of ${what}: ${why}`;
}

const counted = (changes: readonly RecordChange[]) => {
  let values = 0;
  let characters = 0;
  for (const { action, set } of changes) {
    const times = action === "UPSERT" ? 2 : 1;
    for (const value of valuesOf(set)) {
      values += times;
      characters += times * value.length;
    }
  }
  return { values, characters };
};

type Zone = {
  readonly spec: ZoneSpec;
  readonly model: ZoneModel;
  listed: readonly RecordSet[] | undefined;
  readonly served: (readonly RecordSet[])[];
  busyUntil: number;
  failingPage: number | undefined;
};

/**
 * The hosted zones of one account: batches are atomic and judged as Route 53 judges them, listings show a change at
 * once, name servers some time later. Faults are switched by hand.
 */
export function createZones(
  options: Readonly<{
    zones: readonly ZoneSpec[];
    clock: Clock;
    schedule: Schedule;
    newId: () => string;
    /** Until the last name server has a change, milliseconds. */
    propagationMs?: number;
  }>,
): TwinZones {
  const { clock, schedule, newId } = options;
  const lastServerMs = options.propagationMs ?? propagationMs;
  const listeners = new Set<(zone: string) => void>();
  const history: ZoneHistoryEntry[] = [];
  const pending = new Set<string>();
  const known = new Set<string>();
  const held: (() => void)[] = [];
  let holding = false;
  let throttled = 0;
  let lost = 0;
  let busyMs = 0;

  const zones = new Map<string, Zone>(
    options.zones.map((spec) => {
      const own = spec.recordSets.map((set) => withAliases(set, spec.id, sameZone));
      const there = new Set(own.map(recordSetKey));
      const apex = apexRecordSets(spec.name, spec.nameServers).filter((set) => !there.has(recordSetKey(set)));
      const model = zoneModel([...apex, ...own], spec.name);
      const listed = listing(spec.id, model);
      return [
        spec.id,
        {
          spec,
          model,
          listed,
          served: spec.nameServers.map(() => listed),
          busyUntil: 0,
          failingPage: undefined,
        },
      ];
    }),
  );

  const find = (id: string): Zone | undefined => zones.get(id.replace(/^\/hostedzone\//, ""));
  const must = (id: string): Zone => {
    const zone = find(id);
    if (zone === undefined) throw new Error(`no hosted zone ${id} in the model`);
    return zone;
  };
  const setsOf = (zone: Zone): readonly RecordSet[] => {
    zone.listed ??= listing(zone.spec.id, zone.model);
    return zone.listed;
  };
  const described = (zone: Zone): HostedZone => ({
    id: zone.spec.id,
    name: zone.spec.name,
    private: zone.spec.private === true,
    recordCount: setsOf(zone).length,
    nameServers: zone.spec.private === true ? undefined : zone.spec.nameServers.map(({ name }) => name),
    ...(zone.spec.comment === undefined ? {} : { comment: zone.spec.comment }),
  });

  const admit: TwinZones["admit"] = ({ operation, zone: id, page }) => {
    if (throttled > 0) {
      throttled -= 1;
      return { status: 400, code: "Throttling", message: "Rate exceeded" };
    }
    if (id === undefined) return undefined;
    const zone = find(id);
    if (zone === undefined)
      return { status: 404, code: "NoSuchHostedZone", message: `No hosted zone found with ID: ${id}` };
    if (operation === "ListResourceRecordSets" && page !== undefined && zone.failingPage === page)
      return { status: 503, code: "ServiceUnavailable", message: "Service Unavailable" };
    if (operation === "ChangeResourceRecordSets" && clock.now() < zone.busyUntil)
      return {
        status: 400,
        code: "PriorRequestNotComplete",
        message: `The request was rejected because Route 53 was still processing a prior request.`,
      };
    return undefined;
  };

  const faultOf = ({ code, message }: ZoneCallRefusal, what: string): FaultError => {
    const kinds: Readonly<Record<string, FaultKind>> = {
      NoSuchHostedZone: "not-configured",
      ServiceUnavailable: "unreachable",
    };
    return new FaultError({ kind: kinds[code] ?? "refused", what, detail: `${code}: ${message}` });
  };
  const pass = (call: ZoneCall, what: string): void => {
    const refusal = admit(call);
    if (refusal !== undefined) throw faultOf(refusal, what);
  };

  const deliver = (zone: Zone, changeId: string): void => {
    const sets = setsOf(zone);
    const servers = zone.served.length;
    const reach = (server: number): void => {
      zone.served[server] = sets;
      if (server >= servers - 1) pending.delete(changeId);
    };
    if (servers === 0) pending.delete(changeId);
    for (let server = 0; server < servers; server++)
      schedule((lastServerMs * (server + 1)) / servers, () => {
        if (holding) held.push(() => reach(server));
        else reach(server);
      });
  };

  const apply = (zone: Zone, changes: readonly RecordChange[]): readonly Refusal[] => {
    const batch = changes.map(
      ({ action, set }): AwsChange => ({
        action,
        set: withAliases(set, zone.spec.id, sameZone),
        group: set.name,
        unpredictable: false,
      }),
    );
    const refusals = zone.model.apply(batch);
    if (refusals.length === 0) zone.listed = undefined;
    return refusals;
  };
  const told = (zone: Zone): void => {
    for (const listener of [...listeners]) listener(zone.spec.id);
  };

  const changeZone: ChangeZone = async (id, changes, comment): Promise<BatchResult> => {
    const what = `change of hosted zone ${id}`;
    pass({ operation: "ChangeResourceRecordSets", zone: id }, what);
    const zone = must(id);
    const { values, characters } = counted(changes);
    if (changes.length === 0) return { ok: false, messages: ["The request contains no changes"] };
    if (values > limits.values)
      return { ok: false, messages: [`Number of records limit of ${limits.values} exceeded.`] };
    if (characters > limits.characters)
      return {
        ok: false,
        messages: [`Number of characters in Value element limit of ${limits.characters} exceeded.`],
      };
    const refusals = apply(zone, changes);
    if (refusals.length > 0)
      return { ok: false, messages: refusals.map((refusal) => refusalText(refusal, zone.spec.name)) };
    const changeId = `C${newId().replaceAll("-", "").slice(-20).toUpperCase()}`;
    known.add(changeId);
    pending.add(changeId);
    history.push({ at: clock.now(), zone: zone.spec.id, changeId, comment, changes });
    zone.busyUntil = clock.now() + busyMs;
    deliver(zone, changeId);
    told(zone);
    if (lost > 0) {
      lost -= 1;
      throw new FaultError({ kind: "timed-out", what, detail: "no answer came" });
    }
    return { ok: true, changeId, status: pending.has(changeId) ? "PENDING" : "INSYNC" };
  };

  const page: TwinZones["page"] = (id, start, maxItems) => {
    const sets = setsOf(must(id));
    const from = start === undefined ? 0 : sets.findIndex((set) => compareListed(set, start) >= 0);
    if (from < 0) return { sets: [], next: undefined };
    return { sets: sets.slice(from, from + maxItems), next: sets[from + maxItems] };
  };

  const read: ReadZones = {
    zones: async (name) => {
      pass(
        { operation: name === undefined ? "ListHostedZones" : "ListHostedZonesByName" },
        "list of hosted zones",
      );
      return [...zones.values()]
        .filter(({ spec }) => name === undefined || spec.name === name)
        .map(described);
    },
    zone: async (id) => {
      pass({ operation: "GetHostedZone", zone: id }, `hosted zone ${id}`);
      return described(must(id));
    },
    recordSets: async (id, signal) => {
      const what = `listing of hosted zone ${id}`;
      const sets: RecordSet[] = [];
      let start: RecordSet | undefined;
      for (let number = 0; ; number++) {
        if (signal?.aborted) throw new FaultError({ kind: "cancelled", what, detail: "cancelled" });
        pass({ operation: "ListResourceRecordSets", zone: id, page: number }, what);
        const { sets: found, next } = page(id, start, pageSize);
        sets.push(...found);
        if (next === undefined) return sets;
        start = next;
      }
    },
    lookUp: async (id, ids) => {
      const found: (RecordSet | undefined)[] = [];
      for (const wanted of ids) {
        pass({ operation: "ListResourceRecordSets", zone: id }, `listing of hosted zone ${id}`);
        found.push(lookUpIn(setsOf(must(id)), wanted));
      }
      return found;
    },
    change: async (changeId) => {
      pass({ operation: "GetChange" }, `change ${changeId}`);
      const bare = changeId.replace(/^\/change\//, "");
      if (!known.has(bare))
        throw new FaultError({
          kind: "not-configured",
          what: `change ${changeId}`,
          detail: `NoSuchChange: Could not find resource with ID: ${bare}`,
        });
      return pending.has(bare) ? "PENDING" : "INSYNC";
    },
  };

  return {
    read,
    change: changeZone,
    all: () => [...zones.values()].map(described),
    nameServers: (id) => must(id).spec.nameServers,
    recordSets: (id) => setsOf(must(id)),
    page,
    served: (id, server) => must(id).served[server] ?? [],
    admit,
    edit: (id, changes) => {
      const zone = must(id);
      const refusals = apply(zone, changes);
      if (refusals.length > 0)
        throw new Error(refusals.map((refusal) => refusalText(refusal, zone.spec.name)).join("; "));
      const sets = setsOf(zone);
      for (let server = 0; server < zone.served.length; server++) zone.served[server] = sets;
      told(zone);
    },
    history: () => history,
    faults: {
      throttle: (calls) => {
        throttled = calls;
      },
      failPage: (id, number) => {
        must(id).failingPage = number;
      },
      holdChanges: (on) => {
        holding = on;
        if (!on) for (const reach of held.splice(0)) reach();
      },
      loseAnswers: (changes) => {
        lost = changes;
      },
      setBusyMs: (ms) => {
        busyMs = ms;
      },
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const lookUpIn = (sets: readonly RecordSet[], wanted: RecordSetId): RecordSet | undefined =>
  sets.find((set) => recordSetKey(set) === recordSetKey(wanted));

function listing(id: string, model: ZoneModel): readonly RecordSet[] {
  return model
    .recordSets()
    .map((set) =>
      set.answer.kind === "alias" && set.answer.target.hostedZoneId === sameZone
        ? { ...set, answer: { ...set.answer, target: { ...set.answer.target, hostedZoneId: id } } }
        : set,
    )
    .map((set) => ({ set, key: orderKey(set.name) }))
    .sort(
      (a, b) =>
        byText(a.key, b.key) ||
        byText(a.set.type, b.set.type) ||
        byText(a.set.setIdentifier ?? "", b.set.setIdentifier ?? ""),
    )
    .map(({ set }) => set);
}
