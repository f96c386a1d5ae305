import * as z from "zod";
import { nodeProbes } from "#shared/checks/node-probes.ts";
import { sudoersFile } from "#shared/checks/sudoers.ts";
import { fixCommands } from "#shared/node-network/fix-commands.ts";
import { probes } from "#shared/probes/all.ts";
import { type Command, defineVerb } from "./command.ts";

/** What a visit to any node runs; arguments play no part in what needs root. */
const visits = () =>
  Object.values(nodeProbes).flatMap((probe) => probe.commands({ node: "node", neighbours: [] }));

/** Prints the sudoers file of a node or a vantage, made from the catalogue of commands. */
export const sudoers: Command = {
  name: "sudoers",
  summary: "The sudoers file that nodes and vantages need.",
  verbs: [
    defineVerb({
      path: [],
      usage: "[--user NAME]",
      summary: "Print the sudoers file that allows exactly our privileged commands.",
      examples: ["--user arpeggio", ""],
      positionals: [],
      options: [
        { name: "user", value: "NAME", about: "the account that logs in there; arpeggio unless said" },
      ],
      input: z.object({
        user: z
          .string()
          .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be the name of an account, for example arpeggio")
          .default("arpeggio"),
      }),
      role: "viewer",
      effect: "none",
      slow: false,
      cluster: "none",
      doors: ["cli"],
      handle: async ({ input: { user } }) => {
        const document = sudoersFile(probes, visits(), user, fixCommands());
        return {
          verdict: { word: "OK", outcome: "ok", text: [`the sudoers file for ${user}.`] },
          findings: [],
          blocks: [],
          actions: [],
          json: { user, file: document },
          document,
        };
      },
    }),
  ],
};
