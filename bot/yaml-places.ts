import { isMap, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type * as z from "zod";
import { nearest } from "#shared/nearest.ts";

/** One thing that is wrong with a file: where, what stands there, what was expected. */
export type FileProblem = Readonly<{ line: number; column: number; path: string; message: string }>;

export type Path = readonly PropertyKey[];

const show = (path: Path): string =>
  path.reduce<string>(
    (out, key) =>
      typeof key === "number" ? `${out}[${key}]` : out === "" ? String(key) : `${out}.${String(key)}`,
    "",
  );

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    root,
  );
}

/** As messages show what stands there. */
export const quote = (value: unknown): string => {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
};

/** Valid keys of an object schema's `unrecognized_keys` issue, found by walking the schema along the path. */
function keysAt(schema: z.ZodType, path: Path): readonly string[] {
  let current: unknown = schema;
  const unwrap = (value: unknown): unknown => {
    const def = (value as { def?: { type: string; innerType?: unknown; schema?: unknown } } | undefined)?.def;
    return def && "innerType" in def ? unwrap(def.innerType) : value;
  };
  for (const key of path) {
    current = unwrap(current);
    const def = (current as { def?: { type: string; shape?: Record<string, unknown>; element?: unknown } })
      .def;
    current = def?.type === "array" ? def.element : def?.shape?.[String(key)];
  }
  const shape = (unwrap(current) as { def?: { shape?: Record<string, unknown> } } | undefined)?.def?.shape;
  return Object.keys(shape ?? {});
}

/** Something wrong at a path; `key` when it is the key itself. */
export type Issue = Readonly<{ path: Path; message: string; key?: string }>;

/** What a schema says, with the nearest valid word where one is near. */
export function schemaIssues(schema: z.ZodType, error: z.ZodError, root: unknown): Issue[] {
  return error.issues.flatMap((issue): Issue[] => {
    const value = valueAt(root, issue.path);
    if (issue.code === "unrecognized_keys") {
      const valid = keysAt(schema, issue.path);
      return issue.keys.map((key) => {
        const near = nearest(key, valid);
        const expected = near ? `nearest: "${near}"` : `expected one of ${valid.join(", ")}`;
        return { path: [...issue.path, key], key, message: `there is no "${key}" here; ${expected}` };
      });
    }
    if (value === undefined && issue.code === "invalid_type") {
      return [{ path: issue.path, message: `is missing; expected ${issue.expected}` }];
    }
    if (issue.code === "invalid_value") {
      const valid = issue.values.map(String);
      const near = typeof value === "string" ? nearest(value, valid) : undefined;
      const hint = near ? `; nearest: "${near}"` : "";
      return [
        { path: issue.path, message: `is ${quote(value)}; expected one of ${valid.join(", ")}${hint}` },
      ];
    }
    if (issue.code === "invalid_type") {
      return [{ path: issue.path, message: `is ${quote(value)}; expected ${issue.expected}` }];
    }
    return [{ path: issue.path, message: `is ${quote(value)}; ${issue.message}` }];
  });
}

type Read =
  | Readonly<{
      ok: true;
      root: unknown;
      /** Issues with their places in the text, in its order. */
      told: (issues: readonly Issue[]) => readonly FileProblem[];
    }>
  | Readonly<{ ok: false; problems: readonly FileProblem[] }>;

const whyNoValue = (error: unknown): string =>
  error instanceof TypeError ? "an alias stands in what it is an alias of" : (error as Error).message;

/** A YAML text as plain values, and where each of them stands. */
export function readYaml(source: string): Read {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(Math.min(Math.max(offset, 0), source.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document.errors.length > 0) {
    return {
      ok: false,
      problems: document.errors.map((error) => ({
        ...place(error.pos[0]),
        path: "",
        message: `is not YAML here: ${error.message}`,
      })),
    };
  }
  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: 100 });
    // An alias of what it stands in makes a value without an end: nothing could walk it.
    JSON.stringify(root);
  } catch (error) {
    return { ok: false, problems: [{ line: 1, column: 1, path: "", message: whyNoValue(error) }] };
  }
  const offsetOf = (path: Path, key?: string): number => {
    if (key !== undefined) {
      const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
      if (isMap(parent)) {
        const pair = parent.items.find(
          (item) => String((item.key as { value?: unknown } | null)?.value) === key,
        );
        const start = (pair?.key as Node | undefined)?.range?.[0];
        if (start !== undefined) return start;
      }
    }
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as Node | undefined;
      if (node?.range && (isMap(node) || isSeq(node) || length === path.length)) return node.range[0];
    }
    return document.contents?.range?.[0] ?? 0;
  };
  const locate = (issue: Issue): FileProblem => ({
    ...place(offsetOf(issue.path, issue.key)),
    path: show(issue.path),
    message: issue.message,
  });
  return {
    ok: true,
    root,
    told: (issues) => issues.map(locate).sort((a, b) => a.line - b.line || a.column - b.column),
  };
}
