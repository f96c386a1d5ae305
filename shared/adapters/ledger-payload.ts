import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** An event's data as DynamoDB takes it: an item holds 400 KB, names of its attributes included. */
export type Payload =
  | Readonly<{ kind: "text"; text: string }>
  /** gzip, in one piece that fits beside the event or in several items of their own. */
  | Readonly<{ kind: "packed"; pieces: readonly Uint8Array[] }>;

/** UTF-8 bytes of the plain text up to which nothing is packed. */
const plainBytes = 32 * 1024;
export const pieceBytes = 350 * 1024;
/** About 22 MB packed; plans of 100,000 records are a twentieth of that. */
export const mostPieces = 64;
/** What may come out of packed bytes: a guard against an item that somebody else wrote. */
const mostUnpacked = 512 * 1024 * 1024;

/** `undefined` when it is too large even packed. */
export async function pack(text: string): Promise<Payload | undefined> {
  if (Buffer.byteLength(text) <= plainBytes) return { kind: "text", text };
  const packed = await compress(text);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < packed.length; at += pieceBytes) pieces.push(packed.subarray(at, at + pieceBytes));
  return pieces.length > mostPieces ? undefined : { kind: "packed", pieces };
}

/** Throws when the pieces are not what `pack` made: gzip carries a checksum. */
export const unpack = async (pieces: readonly Uint8Array[]): Promise<string> =>
  (await decompress(Buffer.concat(pieces), { maxOutputLength: mostUnpacked })).toString("utf8");
