import { isMap, isScalar, isSeq, parseAllDocuments } from "yaml";

/** Keys whose values are secrets themselves; `passwordSecret`, `existingSecret` and `tokenKey` only name where one is. */
const secretKey =
  /(?:password|passwd|passphrase|(?:^|[a-z_.-])token|api[_-]?key|secret[_-]?key|access[_-]?key|private[_-]?key|client[_-]?secret)$/i;

/** What parsing does not show: comments, templates, command lines, JSON inside of strings. */
const anywhere: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key"],
  [/\bstringData\b|^[ \t]*#.*\bkind["']?[ \t]*:[ \t]*["']?Secret\b/m, "a Secret"],
  [/\bsecretGenerator\b/, "a secretGenerator"],
  [/(?:password|passwd|passphrase)\\?["']?[ \t]*[:=][ \t]*\\?["']?[^\s"'\\#{}[\],]/i, "a password"],
];

/** A manifest inside of a text. */
const secretInText = /\bkind["']?[ \t]*:[ \t]*["']?Secret\b/;

function inNode(node: unknown): string | undefined {
  if (isSeq(node)) return firstOf(node.items);
  if (isScalar(node)) return secretInText.test(String(node.value)) ? "a Secret" : undefined;
  if (!isMap(node)) return undefined;
  // A reference to one has a kind and a name, and neither metadata nor data.
  if (node.get("kind") === "Secret" && (node.has("metadata") || node.has("data"))) return "a Secret";
  const name = node.get("name");
  for (const { key, value } of node.items) {
    const word = isScalar(key) ? String(key.value) : String(key);
    const said = isScalar(value) && typeof value.value !== "boolean" ? String(value.value ?? "") : "";
    if (word === "secretGenerator") return "a secretGenerator";
    // An environment variable or a parameter of Helm: `name` says what the value is.
    const means = word === "value" && typeof name === "string" ? name : word;
    if (said !== "" && secretKey.test(means)) return `a value of ${means}`;
    const found = inNode(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstOf(nodes: readonly unknown[]): string | undefined {
  for (const node of nodes) {
    const found = inNode(node);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * What in a YAML file is, or may be, a secret, as a noun phrase without the secret itself; undefined where there is
 * none. Such a file goes into no deed, no ledger and no thread. What cannot be parsed may hold one.
 */
export function heldSecret(text: string): string | undefined {
  const [, said] = anywhere.find(([pattern]) => pattern.test(text)) ?? [];
  if (said !== undefined) return said;
  const read = parseAllDocuments(text);
  const documents = Array.isArray(read) ? read : [];
  return (
    firstOf(documents.map(({ contents }) => contents)) ??
    (documents.some(({ errors }) => errors.length > 0) ? "YAML that cannot be read" : undefined)
  );
}
