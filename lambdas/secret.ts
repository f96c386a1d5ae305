/** A value that prints as `[secret]` wherever it may end up: logs, JSON, errors, string templates. */
export type Secret = Readonly<{ reveal: () => string }>;

export const secret = (value: string): Secret =>
  Object.freeze({
    reveal: () => value,
    toString: () => "[secret]",
    toJSON: () => "[secret]",
    [Symbol.for("nodejs.util.inspect.custom")]: () => "[secret]",
  });
