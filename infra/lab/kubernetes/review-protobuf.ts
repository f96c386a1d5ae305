/**
 * `kubectl auth can-i` sends its review as protobuf, whatever else it speaks. Read here are the two self-subject reviews only;
 * field numbers are those of k8s.io/api/authorization/v1/generated.proto, the envelope that of runtime.Unknown.
 */
const magic = Buffer.from("k8s\0");

const malformed = (): Error => new RangeError("malformed protobuf message");

/** The length-delimited fields of a message by number, the last one of each; others are skipped. */
function fields(message: Buffer): ReadonlyMap<number, Buffer> {
  const out = new Map<number, Buffer>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw malformed();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed();
  };
  while (at < message.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      if (at + length > message.length) throw malformed();
      out.set(tag >>> 3, message.subarray(at, at + length));
      at += length;
    } else throw malformed();
  }
  return out;
}

const named = (message: Buffer | undefined, names: readonly string[]): Readonly<Record<string, string>> => {
  const read = message ? fields(message) : new Map<number, Buffer>();
  return Object.fromEntries(
    names.flatMap((name, i) => {
      const value = read.get(i + 1);
      return value ? [[name, value.toString()] as const] : [];
    }),
  );
};

/** The `spec` of a protobuf SelfSubjectAccessReview or SelfSubjectRulesReview as JSON would have it; undefined if it is neither. */
export function readReview(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (!body.subarray(0, magic.length).equals(magic)) return undefined;
  try {
    const envelope = fields(body.subarray(magic.length));
    const { kind } = named(envelope.get(1), ["apiVersion", "kind"]);
    const spec = fields(envelope.get(2) ?? Buffer.alloc(0)).get(2) ?? Buffer.alloc(0);
    if (kind === "SelfSubjectRulesReview") return { kind, spec: named(spec, ["namespace"]) };
    if (kind !== "SelfSubjectAccessReview") return undefined;
    const asked = fields(spec);
    const resource = ["namespace", "verb", "group", "version", "resource", "subresource", "name"];
    return {
      kind,
      spec: {
        ...(asked.has(1) ? { resourceAttributes: named(asked.get(1), resource) } : {}),
        ...(asked.has(2) ? { nonResourceAttributes: named(asked.get(2), ["path", "verb"]) } : {}),
      },
    };
  } catch {
    return undefined;
  }
}
