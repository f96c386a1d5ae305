import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { badRequest } from "#shared/kubernetes/refusals.ts";
import { Refused } from "./refused.ts";

const pointer = z.string().regex(/^(\/.*)?$/, "a JSON pointer starts with /");
const operations = z.array(
  z.discriminatedUnion("op", [
    z.object({ op: z.literal("add"), path: pointer, value: z.unknown() }),
    z.object({ op: z.literal("replace"), path: pointer, value: z.unknown() }),
    z.object({ op: z.literal("test"), path: pointer, value: z.unknown() }),
    z.object({ op: z.literal("remove"), path: pointer }),
    z.object({ op: z.literal("move"), path: pointer, from: pointer }),
    z.object({ op: z.literal("copy"), path: pointer, from: pointer }),
  ]),
);

// The API server hides the cause of a patch that does not apply behind this sentence (apimachinery, NewGenericServerResponse).
const rejected = (why: string): Refused =>
  new Refused({
    code: 422,
    reason: "Invalid",
    message: "the server rejected our request due to an error in our request",
    details: { causes: [{ reason: "UnexpectedServerResponse", message: why }] },
  });

const steps = (path: string): string[] =>
  path === ""
    ? []
    : path
        .slice(1)
        .split("/")
        .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

function index(list: readonly unknown[], step: string, limit: number): number {
  if (!/^(0|[1-9]\d*)$/.test(step) || Number(step) > limit)
    throw rejected(`index ${step} is outside a list of ${list.length}`);
  return Number(step);
}

function read(target: unknown, path: readonly string[]): unknown {
  let value = target;
  for (const step of path) {
    if (Array.isArray(value)) value = value[index(value, step, value.length - 1)];
    else if (typeof value === "object" && value !== null && Object.hasOwn(value, step))
      value = (value as Record<string, unknown>)[step];
    else throw rejected(`nothing at /${path.join("/")}`);
  }
  return value;
}

/** A copy of `target` in which the holder of the last step was changed. */
function edit(
  target: unknown,
  path: readonly string[],
  change: (holder: unknown[] | Record<string, unknown>, step: string) => void,
): unknown {
  const out = structuredClone(target);
  const holder = read(out, path.slice(0, -1));
  if (typeof holder !== "object" || holder === null) throw rejected(`nothing at /${path.join("/")}`);
  change(holder as unknown[] | Record<string, unknown>, path.at(-1) ?? "");
  return out;
}

const add = (target: unknown, path: readonly string[], value: unknown): unknown =>
  path.length === 0
    ? value
    : edit(target, path, (holder, step) => {
        if (!Array.isArray(holder)) holder[step] = value;
        else holder.splice(step === "-" ? holder.length : index(holder, step, holder.length), 0, value);
      });

function remove(target: unknown, path: readonly string[]): unknown {
  read(target, path);
  return path.length === 0
    ? null
    : edit(target, path, (holder, step) => {
        if (Array.isArray(holder)) holder.splice(index(holder, step, holder.length - 1), 1);
        else delete holder[step];
      });
}

/** JSON patch (RFC 6902). A patch that cannot be read is refused with 400, one that does not apply with 422. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  const parsed = operations.safeParse(patch);
  if (!parsed.success)
    throw new Refused(
      badRequest(`error decoding patch: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`),
    );
  let out: unknown = target;
  for (const operation of parsed.data) {
    const path = steps(operation.path);
    if (operation.op === "test") {
      if (!isDeepStrictEqual(read(out, path), operation.value))
        throw rejected(`test of ${operation.path} failed`);
    } else if (operation.op === "add") out = add(out, path, operation.value);
    else if (operation.op === "remove") out = remove(out, path);
    else if (operation.op === "replace") {
      read(out, path);
      out =
        path.length === 0
          ? operation.value
          : edit(out, path, (holder, step) => {
              if (Array.isArray(holder)) holder[index(holder, step, holder.length - 1)] = operation.value;
              else holder[step] = operation.value;
            });
    } else {
      const from = steps(operation.from);
      const value = structuredClone(read(out, from));
      out = add(operation.op === "move" ? remove(out, from) : out, path, value);
    }
  }
  return out;
}
