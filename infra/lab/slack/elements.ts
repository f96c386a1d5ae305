import type { Json } from "#shared/json.ts";
import type { JsonObject } from "./message.ts";

/** Something in a message or view that a person can use. */
export type Element = Readonly<{ blockId: string; actionId: string; label: string; element: JsonObject }>;

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const objectsIn = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];

const labelOf = (element: JsonObject): string => {
  const text = isObject(element.text)
    ? element.text
    : isObject(element.placeholder)
      ? element.placeholder
      : {};
  return typeof text.text === "string" ? text.text : "";
};

/** Buttons, menus and the like in reading order, also inside containers and cards. */
export const elementsOf = (blocks: readonly JsonObject[]): readonly Element[] =>
  blocks.flatMap((block) => {
    const own = [
      ...(block.type === "actions" || block.type === "context_actions" ? objectsIn(block.elements) : []),
      ...(isObject(block.accessory) ? [block.accessory] : []),
      ...(isObject(block.element) ? [block.element] : []),
      ...(block.type === "card" ? objectsIn(block.actions) : []),
    ].filter((element) => element.type !== "image");
    return [
      ...own.map((element) => ({
        blockId: String(block.block_id ?? ""),
        actionId: String(element.action_id ?? ""),
        label: labelOf(element),
        element,
      })),
      ...elementsOf(objectsIn(block.child_blocks)),
      ...(block.type === "carousel" ? elementsOf(objectsIn(block.elements)) : []),
    ];
  });
