/** `14:02:11 UTC`; with its day when that is not the day of `now`: `11-22 23:58:00 UTC`. Whole seconds, as the API keeps. */
export function utcTime(at: number, now: number): string {
  const [day = "", rest = ""] = new Date(at).toISOString().split("T");
  const today = new Date(now).toISOString().slice(0, 10);
  return `${day === today ? "" : `${day.slice(5)} `}${rest.slice(0, 8)} UTC`;
}
