import type { Refusal } from "../twin/object-store.ts";
import { pluralOf, type ResourceKind, resourceKinds } from "./kinds.ts";

/** How the API server names a resource in messages: `services`, `l2advertisements.metallb.io`. */
export const qualifiedResource = (kind: ResourceKind): string =>
  resourceKinds[kind].group === "" ? kind : `${pluralOf(kind)}.${resourceKinds[kind].group}`;

/** How the API server names a kind in messages: `Service`, `L2Advertisement.metallb.io`. */
export const qualifiedKind = (kind: ResourceKind): string =>
  resourceKinds[kind].group === ""
    ? resourceKinds[kind].kind
    : `${resourceKinds[kind].kind}.${resourceKinds[kind].group}`;

export const apiVersionOf = (kind: ResourceKind): string => {
  const { group, version } = resourceKinds[kind];
  return group === "" ? version : `${group}/${version}`;
};

const details = (kind: ResourceKind, name: string): Readonly<Record<string, unknown>> => ({
  name,
  ...(resourceKinds[kind].group === "" ? {} : { group: resourceKinds[kind].group }),
  kind,
});

/** A field that the API server would not take, in the words of its field errors: `metadata.name: Required value: …`. */
export type FieldError = Readonly<{
  field: string;
  reason: "FieldValueRequired" | "FieldValueInvalid" | "FieldValueForbidden" | "FieldValueNotSupported";
  message: string;
}>;

export const required = (field: string, why: string): FieldError => ({
  field,
  reason: "FieldValueRequired",
  message: `Required value: ${why}`,
});

export const invalidValue = (field: string, value: unknown, why: string): FieldError => ({
  field,
  reason: "FieldValueInvalid",
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
});

export const forbidden = (field: string, why: string): FieldError => ({
  field,
  reason: "FieldValueForbidden",
  message: `Forbidden: ${why}`,
});

export const notFound = (kind: ResourceKind, name: string): Refusal => ({
  code: 404,
  reason: "NotFound",
  message: `${qualifiedResource(kind)} "${name}" not found`,
  details: details(kind, name),
});

export const alreadyExists = (kind: ResourceKind, name: string): Refusal => ({
  code: 409,
  reason: "AlreadyExists",
  message: `${qualifiedResource(kind)} "${name}" already exists`,
  details: details(kind, name),
});

export const conflict = (kind: ResourceKind, name: string, why: string): Refusal => ({
  code: 409,
  reason: "Conflict",
  message: `Operation cannot be fulfilled on ${qualifiedResource(kind)} "${name}": ${why}`,
  details: details(kind, name),
});

export const modified = (kind: ResourceKind, name: string): Refusal =>
  conflict(
    kind,
    name,
    "the object has been modified; please apply your changes to the latest version and try again",
  );

export const invalid = (kind: ResourceKind, name: string, errors: readonly FieldError[]): Refusal => {
  const lines = errors.map((error) => `${error.field}: ${error.message}`);
  return {
    code: 422,
    reason: "Invalid",
    message: `${qualifiedKind(kind)} "${name}" is invalid: ${lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`}`,
    details: {
      name,
      ...(resourceKinds[kind].group === "" ? {} : { group: resourceKinds[kind].group }),
      kind: resourceKinds[kind].kind,
      causes: errors.map(({ field, reason, message }) => ({ reason, message, field })),
    },
  };
};

/** A patch that says another uid than the object has: unlike in an update, a field error (apimachinery, ValidateObjectMetaUpdate). */
export const otherUid = (kind: ResourceKind, name: string, uid: unknown): Refusal =>
  invalid(kind, name, [invalidValue("metadata.uid", uid, "field is immutable")]);

export const badRequest = (message: string): Refusal => ({ code: 400, reason: "BadRequest", message });
