import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as z from "zod";
import { once } from "../once.ts";
import { canonicalJson } from "../runs/digest.ts";
import { canonicalText, type Endpoint } from "./endpoint.ts";

// Every schema is built when the program starts: what is the same is built once.
const string = z.string();
const strings = z.array(string).readonly();

const endpoint = once(() =>
  z
    .strictObject({
      name: string,
      type: string,
      targets: strings,
      ttl: z.number(),
      setIdentifier: string,
      labels: z.record(string, string).readonly(),
      providerSpecific: z
        .array(z.strictObject({ name: string, value: string }).readonly())
        .readonly()
        .optional(),
    })
    .transform((value): Endpoint => ({ ...value, providerSpecific: value.providerSpecific })),
);

const controller = once(() =>
  z.strictObject({
    /** `namespace/name` of the Deployment. */
    name: string,
    image: string,
    /** As `readDeployment` gives them, by name; {@link snapshotFlags} has taken keys out. */
    flags: z.record(string, strings).readonly(),
    /** Environment variables whose values stand in a Secret or ConfigMap. */
    hidden: strings,
    endpoints: z.array(endpoint()).readonly(),
    dropped: z.array(z.strictObject({ endpoint: endpoint(), why: string }).readonly()).readonly(),
    /** What is not modelled and may change the answer. */
    unknown: strings,
  }),
);

const content = once(() =>
  z.strictObject({
    cluster: string,
    controllers: z.array(controller().readonly()).readonly(),
    /** Sources that could not be read: what they want is missing, so nothing may be deleted. */
    faults: z.array(z.strictObject({ source: string, kind: string, detail: string }).readonly()).readonly(),
    /** Objects read, by kind: a source that shrinks is told by this. */
    counts: z.record(string, z.int().nonnegative()).readonly(),
    /** Addresses in the status of each Service, by `namespace/name`. */
    services: z.record(string, strings).readonly(),
  }),
);

const kept = once(() =>
  z.strictObject({ format: z.literal(1), takenAt: z.number(), hash: string, content: content() }),
);

export type SnapshotController = Readonly<z.output<ReturnType<typeof controller>>>;
export type SnapshotContent = Readonly<z.output<ReturnType<typeof content>>>;

/** What a cluster wants in its zones, as the bot saw it at one time. */
export type Snapshot = SnapshotContent &
  Readonly<{
    /** Milliseconds since the epoch. */
    takenAt: number;
    /** SHA-256 over the content without `takenAt`: the same wish a minute later has the same hash. */
    hash: string;
  }>;

/**
 * Where the bot leaves snapshots and the Lambdas find them. Throws FaultError for what could not be read or written;
 * `undefined` is said only of what is known not to be there.
 */
export type SnapshotStore = Readonly<{
  /** Keeps it under its hash and makes it the cluster's latest. */
  put: (snapshot: Snapshot) => Promise<void>;
  latest: (cluster: string) => Promise<Snapshot | undefined>;
  get: (cluster: string, hash: string) => Promise<Snapshot | undefined>;
}>;

const keyFlag = /key|passwd|password|credential|secret|token/;

/** The flag's value is, or may be, a secret: providers have `--pdns-api-key`, `--godaddy-api-secret` and more. */
export const isSecretFlag = (name: string): boolean => keyFlag.test(name.toLowerCase());

/** Flags for a snapshot: values that are keys are replaced, as it is read by more machines than the Deployment is. */
export const snapshotFlags = (
  flags: ReadonlyMap<string, readonly string[]>,
): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    [...flags].map(([name, values]) => [name, isSecretFlag(name) ? values.map(() => "[secret]") : values]),
  );

/** SHA-256, hexadecimal; the order in which objects were listed does not matter. */
export const snapshotHash = (value: SnapshotContent): string =>
  createHash("sha256").update(canonicalJson(value)).digest("hex");

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const sorted = (value: SnapshotContent): SnapshotContent => ({
  cluster: value.cluster,
  controllers: [...value.controllers]
    .map((each) => ({
      ...each,
      endpoints: sortedEndpoints(each.endpoints, (item) => item),
      dropped: sortedEndpoints(each.dropped, (item) => item.endpoint),
      unknown: [...each.unknown].sort(),
      hidden: [...each.hidden].sort(),
    }))
    .sort((a, b) => byText(a.name, b.name)),
  faults: [...value.faults].sort((a, b) => byText(canonicalJson(a), canonicalJson(b))),
  counts: value.counts,
  services: value.services,
});

const sortedEndpoints = <T>(items: readonly T[], of: (item: T) => Endpoint): readonly T[] =>
  items
    .map((item) => ({ item, text: canonicalText(of(item)) }))
    .sort((a, b) => byText(a.text, b.text))
    .map(({ item }) => item);

export function makeSnapshot(value: SnapshotContent, takenAt: number): Snapshot {
  const ordered = sorted(value);
  return { ...ordered, takenAt, hash: snapshotHash(ordered) };
}

const pack = promisify(gzip);
const unpack = promisify(gunzip);
/** 100,000 endpoints are about 40 MB. */
const mostUnpacked = 512 * 1024 * 1024;

export async function encodeSnapshot({ takenAt, hash, ...rest }: Snapshot): Promise<Uint8Array> {
  return pack(JSON.stringify({ format: 1, takenAt, hash, content: rest }));
}

export type ReadSnapshot =
  | Readonly<{ ok: true; snapshot: Snapshot }>
  | Readonly<{ ok: false; problem: string }>;

/** Reads what {@link encodeSnapshot} wrote; a hash that is not the content's makes it unreadable. */
export async function decodeSnapshot(bytes: Uint8Array): Promise<ReadSnapshot> {
  let json: unknown;
  try {
    json = JSON.parse((await unpack(bytes, { maxOutputLength: mostUnpacked })).toString("utf8"));
  } catch (error) {
    return {
      ok: false,
      problem: `no packed JSON (${error instanceof Error ? error.message : String(error)})`,
    };
  }
  const read = kept().safeParse(json);
  if (!read.success) {
    const [first, ...more] = z.prettifyError(read.error).split(/\n(?=✖)/);
    const rest = more.length > 0 ? ` and ${more.length} more` : "";
    return { ok: false, problem: `${first?.replace(/\s+/g, " ")}${rest}` };
  }
  const { takenAt, hash, content: found } = read.data;
  if (snapshotHash(found) !== hash)
    return { ok: false, problem: `its hash ${hash.slice(0, 12)} is not that of its content` };
  return { ok: true, snapshot: { ...found, takenAt, hash } };
}
