/** Every verdict about who answers ARP for an address. Stable, never reused, each explained in `docs/verdicts/`. */
export const verdictCodes = [
  "expected",
  "answered",
  "two-nics",
  "two-nodes",
  "two-macs",
  "foreign-mac",
  "proxy-arp",
  "elsewhere",
  "wrong-nic",
  "silence",
  "free",
  "could-not-look",
] as const;

export type VerdictCode = (typeof verdictCodes)[number];

/** The word a message starts with. */
export const verdictWord: Readonly<Record<VerdictCode, string>> = {
  expected: "OK",
  answered: "UNKNOWN",
  "two-nics": "CONFLICT",
  "two-nodes": "CONFLICT",
  "two-macs": "CONFLICT",
  "foreign-mac": "FOREIGN",
  "proxy-arp": "PROXY",
  elsewhere: "ELSEWHERE",
  "wrong-nic": "ELSEWHERE",
  silence: "SILENT",
  free: "FREE",
  "could-not-look": "UNKNOWN",
};

/** What exit codes and gates go by: a verdict that compares nothing is unknown, never a pass. */
export const verdictOutcome = (code: VerdictCode): "ok" | "failed" | "unknown" =>
  code === "expected" || code === "free"
    ? "ok"
    : code === "answered" || code === "could-not-look"
      ? "unknown"
      : "failed";
