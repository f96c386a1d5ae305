import type { Json } from "../json.ts";

/** Above this many addresses a sweep by ARP takes minutes: a vantage sends ten requests a second over all. */
const mostAskedWhole = 100;
/** With three requests each they take twelve seconds. */
const sample = 40;

type Predicted = Readonly<{ ip: string; order: readonly string[] }>;

/**
 * Which addresses are asked on the wire again where `prove-on-wire` of the same run has asked all of them: those whose
 * announcer is another one now or was never proven, and of the others every so manieth. `undefined` means all.
 */
export function askedAgain(
  notes: Readonly<Record<string, Json>>,
  addresses: readonly Predicted[],
): readonly string[] | undefined {
  const { announcers } = (notes["prove-on-wire"] ?? {}) as Readonly<{
    announcers?: Readonly<Record<string, string>>;
  }>;
  if (addresses.length <= mostAskedWhole || announcers === undefined) return undefined;
  const isProven = ({ ip, order }: Predicted): boolean =>
    order[0] !== undefined && announcers[ip] === order[0];
  const proven = addresses.filter(isProven);
  const every = Math.ceil(proven.length / sample);
  return [...addresses.filter((each) => !isProven(each)), ...proven.filter((_, i) => i % every === 0)].map(
    ({ ip }) => ip,
  );
}
