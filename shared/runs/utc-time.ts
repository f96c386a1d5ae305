/** `14:30 UTC`. Every time people read names its zone. */
export const utcTime = (at: number): string => `${new Date(at).toISOString().slice(11, 16)} UTC`;

/** `2026-11-23 14:30 UTC`. */
export const utcDateTime = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** `0:09`, `12:40`, `1:02:03`. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3_600);
  const rest = `${two(seconds % 60)}`;
  return hours > 0
    ? `${hours}:${two(Math.floor((seconds % 3_600) / 60))}:${rest}`
    : `${Math.floor(seconds / 60)}:${rest}`;
}
