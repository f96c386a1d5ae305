import type { Ledger } from "../ledger/ledger.ts";

type Driver = { by: string; since: number; again: boolean };

// Within one process a run is driven by one at a time; over processes the versions of its stream decide.
const driving = new WeakMap<Ledger, Map<string, Driver>>();

const driversOf = (ledger: Ledger): Map<string, Driver> => {
  const found = driving.get(ledger) ?? new Map<string, Driver>();
  driving.set(ledger, found);
  return found;
};

/** Who drives the run in this process, since when (milliseconds since the epoch). */
export const driverOf = (ledger: Ledger, run: string): Readonly<{ by: string; since: number }> | undefined =>
  driversOf(ledger).get(run);

/**
 * Drives while nobody else does; undefined when somebody does. Whoever drives then goes round once more before it
 * stops, so that what was written for it meanwhile is not left lying. `drive` is given `mayStop`.
 */
export async function driveAlone<T>(
  ledger: Ledger,
  run: string,
  who: Readonly<{ by: string; since: number }>,
  drive: (mayStop: () => boolean) => Promise<T>,
): Promise<T | undefined> {
  const drivers = driversOf(ledger);
  const other = drivers.get(run);
  if (other !== undefined) {
    other.again = true;
    return undefined;
  }
  const driver: Driver = { ...who, again: false };
  drivers.set(run, driver);
  const leave = (): void => {
    if (drivers.get(run) === driver) drivers.delete(run);
  };
  try {
    return await drive(() => {
      if (driver.again) {
        driver.again = false;
        return false;
      }
      leave();
      return true;
    });
  } finally {
    leave();
  }
}
