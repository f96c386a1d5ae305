/** What one line of a speaker's log says about another member. */
export type MemberTrouble = Readonly<{
  member: string;
  /** `udp`: TCP worked where UDP did not. `silent`: neither did, so that the member is suspected. */
  trouble: "udp" | "silent";
  /** As the log has it, RFC 3339; speakers write whole seconds. */
  at: string;
}>;

// Words of hashicorp/memberlist 0.5.1, state.go, which MetalLB passes on with a prefix (internal/speakerlist/log.go).
const udp = /Was able to connect to (\S+) over TCP but UDP probes failed/;
const silent = /Suspect (\S+) has failed, no acks received/;

type Fields = Readonly<{ msg?: unknown; ts?: unknown; event?: unknown; ip?: unknown; ips?: unknown }>;

function fields(line: string): Fields {
  if (!line.startsWith("{")) return {};
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

/** What speakers' lines say about members that do not answer; every other line is left alone. */
export const memberTroubles = (lines: readonly string[]): readonly MemberTrouble[] =>
  lines.flatMap((line): readonly MemberTrouble[] => {
    const { msg, ts } = fields(line);
    if (typeof msg !== "string") return [];
    const at = typeof ts === "string" ? ts : "";
    const overTcp = udp.exec(msg)?.[1];
    if (overTcp !== undefined) return [{ member: overTcp, trouble: "udp", at }];
    const suspect = silent.exec(msg)?.[1];
    return suspect === undefined ? [] : [{ member: suspect, trouble: "silent", at }];
  });

/** When a speaker gave an address up, RFC 3339; it says so when a Service leaves the last protocol it announced it by. */
export const withdrawals = (lines: readonly string[], ip: string): readonly string[] =>
  lines.flatMap((line) => {
    const { event, ts, ip: one, ips } = fields(line);
    // The address stands alone or in a list, by release.
    const about = JSON.stringify([one ?? null, ips ?? null]);
    const named = about.split(/[^0-9A-Fa-f.:]+/).includes(ip);
    return event === "serviceWithdrawn" && named && typeof ts === "string" ? [ts] : [];
  });
