/** Whether `zone` is a time zone of the IANA database that this machine knows, such as `Europe/Berlin`. */
export function isTimeZone(zone: string): boolean {
  try {
    // Offsets such as +02:00 are accepted by the platform, and say nothing about summer time.
    return /^[A-Za-z]/.test(zone) && new Intl.DateTimeFormat("en", { timeZone: zone }).format(0) !== "";
  } catch {
    return false;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  });
  formats.set(timeZone, made);
  return made;
}

/** `2026-11-23 15:02:07 CET`, as clocks at the site showed it; the zone's short name tells summer from winter. */
export function siteTime(at: number, timeZone: string): string {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second} ${parts.timeZoneName}`;
}

/** `2026-11-23 14:02:07Z`. */
export const utcSeconds = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;
