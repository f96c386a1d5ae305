import * as z from "zod";
import type { Json } from "#shared/json.ts";
import { configJsonSchema } from "../config-schema.ts";
import { type Command, defineVerb } from "./command.ts";

/** Prints the JSON Schema of the config file, for editors and for people who write one. */
export const schema: Command = {
  name: "schema",
  summary: "The JSON Schema of the config file.",
  verbs: [
    defineVerb({
      path: [],
      usage: "",
      summary: "Print the JSON Schema of the config file.",
      examples: [""],
      positionals: [],
      options: [],
      input: z.object({}),
      role: "viewer",
      effect: "none",
      slow: false,
      cluster: "none",
      doors: ["cli"],
      handle: async () => {
        const json = configJsonSchema() as Json;
        return {
          verdict: { word: "OK", outcome: "ok", text: ["the schema of the config file."] },
          findings: [],
          blocks: [],
          actions: [],
          json,
          document: `${JSON.stringify(json, null, 2)}\n`,
        };
      },
    }),
  ],
};
