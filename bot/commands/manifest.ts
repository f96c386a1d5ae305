import * as z from "zod";
import { slackCommands } from "./all.ts";
import { type Command, defineVerb } from "./command.ts";

/** Prints the Slack app manifest, made from the same table of commands that Slack's door answers by. */
export const manifest: Command = {
  name: "manifest",
  summary: "The Slack app manifest, for creating the app.",
  verbs: [
    defineVerb({
      path: [],
      usage: "[--prefix x-] [--request-url URL]",
      summary: "Print the manifest; Socket Mode unless a request URL is given.",
      examples: ["", "--prefix home-"],
      positionals: [],
      options: [
        { name: "prefix", value: "PREFIX", about: "put before every command where a name is taken" },
        { name: "request-url", value: "URL", about: "public address of the bot, instead of Socket Mode" },
      ],
      input: z.object({
        prefix: z
          .string()
          .regex(/^[a-z0-9-]{1,16}$/, "must be at most 16 lower-case letters, digits and dashes")
          .default(""),
        requestUrl: z.url({ protocol: /^https$/, error: "must be an https URL" }).optional(),
      }),
      role: "viewer",
      effect: "none",
      slow: false,
      cluster: "none",
      doors: ["cli"],
      handle: async ({ input }) => {
        const { manifestYaml } = await import("../doors/slack/manifest.ts");
        const document = manifestYaml({
          commands: slackCommands(),
          prefix: input.prefix,
          socketMode: input.requestUrl === undefined,
          ...(input.requestUrl === undefined ? {} : { requestUrl: input.requestUrl }),
        });
        return {
          verdict: { word: "OK", outcome: "ok", text: ["the app manifest."] },
          findings: [],
          blocks: [],
          actions: [],
          data: { manifest: document },
          document,
        };
      },
    }),
  ],
};
