import { FaultError } from "../fault.ts";

/** The value, or the fault when it could not be looked at. Anything else that is thrown is a bug and goes on. */
export async function looked<T>(
  work: () => Promise<T>,
): Promise<Readonly<{ value: T }> | Readonly<{ fault: FaultError }>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof FaultError) return { fault: error };
    throw error;
  }
}
