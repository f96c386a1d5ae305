const secretFlag =
  /^--?[A-Za-z0-9-]*(?:secret|password|passwd|token|credential|api-?key|aes-key)[A-Za-z0-9-]*$/i;

/** `$(NAME)` stands for a variable of the container, whose value is elsewhere. */
const isReference = (value: string): boolean => value === "" || /^\$\([A-Za-z_][A-Za-z0-9_]*\)$/.test(value);

/** Flags of a command line whose values are secrets and stand in it as plain text: `--pdns-api-key`. */
export const secretFlags = (words: readonly string[]): readonly string[] =>
  words.flatMap((word, i) => {
    const [flag = "", value = words[i + 1] ?? ""] = word.includes("=")
      ? [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]
      : [word];
    return secretFlag.test(flag) && !isReference(value) && !value.startsWith("--") ? [flag] : [];
  });

/** A command line as people and the ledger may see it. */
export const withoutSecrets = (words: readonly string[], instead: string): readonly string[] =>
  words.map((word, i) => {
    const at = word.indexOf("=");
    if (at > 0 && secretFlags([word]).length > 0) return `${word.slice(0, at)}=${instead}`;
    const before = words[i - 1];
    return before !== undefined && !before.includes("=") && secretFlags([before, word]).length > 0
      ? instead
      : word;
  });
