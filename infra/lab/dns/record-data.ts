import type * as packet from "dns-packet";
import { readTxtStrings } from "#shared/dns/txt-text.ts";
import type { DnsRecord } from "#shared/twin/dns-message.ts";

/** A name that the wire can carry; a label with a dot, a backslash or bytes outside ASCII in it is none. */
function wireName(text: string): string {
  const bare = text.replace(/\.$/, "");
  if (!/^[!-[\]-~]*$/.test(bare)) throw new RangeError(`${text} cannot be sent`);
  return bare === "" ? "." : bare;
}

const numbers = (texts: readonly string[]): readonly number[] => texts.map(Number);

/** `0 issue "ca.example"`: flags, tag, value. */
function caa(value: string) {
  const [, flags = "", tag = "", text = ""] = /^(\d+)\s+([a-z0-9]+)\s+"(.*)"$/i.exec(value) ?? [];
  return { flags: Number(flags), tag, value: text, issuerCritical: Number(flags) === 128 };
}

function dataOf({ type, value }: DnsRecord): unknown {
  const parts = value.split(/\s+/);
  switch (type) {
    case "A":
    case "AAAA":
      return value;
    case "NS":
    case "CNAME":
    case "PTR":
    case "DNAME":
      return wireName(value);
    case "TXT": {
      const read = readTxtStrings(value);
      if (!read.ok) throw new RangeError(`TXT ${value}: ${read.problem}`);
      return read.strings.map((each) => Buffer.from(each));
    }
    case "SOA": {
      const [serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0] = numbers(parts.slice(2));
      const [mname = "", rname = ""] = parts;
      return {
        mname: wireName(mname),
        rname: wireName(rname),
        serial,
        refresh,
        retry,
        expire,
        minimum,
      };
    }
    case "DS": {
      const [keyTag = 0, algorithm = 0, digestType = 0] = numbers(parts.slice(0, 3));
      return { keyTag, algorithm, digestType, digest: Buffer.from(parts.slice(3).join(""), "hex") };
    }
    case "MX":
      return { preference: Number(parts[0]), exchange: wireName(parts[1] ?? "") };
    case "SRV": {
      const [priority = 0, weight = 0, port = 0] = numbers(parts.slice(0, 3));
      return { priority, weight, port, target: wireName(parts[3] ?? "") };
    }
    case "CAA":
      return caa(value);
    default:
      throw new RangeError(`records of type ${type} cannot be sent`);
  }
}

/** A record of the model as the wire library takes it. Throws RangeError where it cannot be written. */
export const answerOf = (record: DnsRecord): packet.Answer =>
  ({
    name: wireName(record.name),
    type: record.type,
    class: "IN",
    ttl: record.ttl,
    data: dataOf(record),
  }) as packet.Answer;
