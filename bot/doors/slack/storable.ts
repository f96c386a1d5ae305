import type { Json } from "#shared/json.ts";
import type { Reply } from "#shared/reply.ts";

/** A reply as the ledger keeps it. A picture does not survive a restart; its words do. */
export const storable = (reply: Reply): Json =>
  JSON.parse(
    JSON.stringify({
      ...reply,
      blocks: reply.blocks.map((block) =>
        block.kind === "image" ? { kind: "prose", text: [`${block.title}: ${block.alt}`] } : block,
      ),
    }),
  ) as Json;
