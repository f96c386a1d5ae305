const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A member of its own: every object inherits a `valueOf` that nobody wrote. */
const member = (object: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/** Nothing, however it is written: the API server leaves out what is empty. */
const isNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.values(value).every(isNothing));

/**
 * Whether everything that is wanted is there, read as a merge patch: null means absent, members that are not named may
 * be anything (the server fills in defaults), and lists are as long as wanted.
 */
export function holds(there: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true;
  if (wanted === null || (Array.isArray(wanted) && wanted.length === 0)) return isNothing(there);
  if (Array.isArray(wanted))
    return (
      Array.isArray(there) &&
      there.length === wanted.length &&
      wanted.every((item, i) => holds(there[i], item))
    );
  if (!isObject(wanted)) return there === wanted;
  if (there !== undefined && there !== null && !isObject(there)) return false;
  return Object.entries(wanted).every(([key, value]) =>
    holds(isObject(there) ? member(there, key) : undefined, value),
  );
}

/** Paths of what is wanted and is not there, `spec.ipAddressPools`; for people. */
export function missing(there: unknown, wanted: unknown, path = ""): readonly string[] {
  if (holds(there, wanted)) return [];
  if (!isObject(wanted) || !isObject(there)) return [path === "" ? "the object" : path];
  return Object.entries(wanted).flatMap(([key, value]) =>
    missing(member(there, key), value, path === "" ? key : `${path}.${key}`),
  );
}
