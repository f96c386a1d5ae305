import * as z from "zod";
import { text } from "#shared/text.ts";
import { defineVerb } from "./command.ts";

/** Who the config takes the caller for, and what that person may do where. */
export const whoami = defineVerb({
  path: ["whoami"],
  usage: "",
  summary: "Who you are to Arpeggio, and what you may do.",
  examples: [""],
  positionals: [],
  options: [],
  input: z.object({}),
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: ["slack", "console", "cli"],
  handle: async ({ caller, deps }) => {
    const name = caller.person?.name;
    const rows = [...deps.clusters.keys()].map((cluster) => {
      const held = deps.rolesOn(caller, cluster);
      return [[cluster], [held.length > 0 ? held.join(", ") : "reads only"]];
    });
    return {
      verdict: {
        word: "You",
        outcome: "info",
        text: name
          ? text`are ${name}, ${caller.account} in ${caller.door}.`
          : text`are ${caller.account} in ${caller.door}; the config names nobody with this account, so changes are closed to you.`,
      },
      findings: [],
      blocks: [{ kind: "table", title: "Roles", columns: [{ title: "cluster" }, { title: "roles" }], rows }],
      next: name ? [] : [["Somebody with access to the config adds you under people, then under roles."]],
      actions: [],
      data: {
        name: name ?? null,
        account: caller.account,
        door: caller.door,
        roles: Object.fromEntries([...deps.clusters.keys()].map((c) => [c, deps.rolesOn(caller, c)])),
      },
    };
  },
});
