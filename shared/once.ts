/** Made when it is first asked for, and kept: a function on Lambda does not build at its start what it may never need. */
export function once<T>(make: () => T): () => T {
  let made: Readonly<{ value: T }> | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
