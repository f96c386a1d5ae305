import * as z from "zod";
import { zoneOrName } from "../dns/dns-words.ts";
import { defineVerb } from "./command.ts";
import { offlineAlone, offlineOptions, offlineProblems, offlineShape, offlineUsage } from "./dns-forecast.ts";

const input = z.object({ name: zoneOrName.optional(), ...offlineShape }).superRefine((given, context) => {
  const { name, ...files } = given;
  for (const { path, message } of offlineProblems(files))
    context.addIssue({ code: "custom", path: [path], message });
  if (name !== undefined && files.zoneFile !== undefined)
    context.addIssue({
      code: "custom",
      path: ["name"],
      message: "is for the cluster as it is; with --zone-file the whole file is compared",
    });
});

/**
 * `/dns check [NAME]`: what differs between the zones and what the cluster wants. With `--zone-file` it looks at files
 * alone, as `arpeggio dns forecast` does.
 */
export const dnsCheck = defineVerb({
  path: ["check"],
  usage: "[NAME | ZONE]",
  shellUsages: [offlineUsage],
  summary: "What differs between zones and what the cluster wants, who owns it, and who will put it right.",
  examples: [
    "",
    "httpbin.services.k8s.goldentooth.net",
    "--zone-file zone.json --endpoints dump.json --zone example.com --owner default --policy sync --release 0.22.0",
    "--zone-file zone.json --endpoints dump.json --zone example.com --deployment external-dns.json --json",
  ],
  positionals: ["name"],
  options: [...offlineOptions],
  input,
  role: "viewer",
  effect: "read",
  takes: (given) => (given.zoneFile === undefined ? undefined : offlineAlone),
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async (context) => {
    const { input: given, deps, caller } = context;
    // Loaded when asked for: planner, sources and detectors are the largest part of the command line.
    if (given.zoneFile === undefined) {
      const { checkLive } = await import("../dns/live-check.ts");
      return checkLive(context, given.name);
    }
    const { filesOnlyInShell, offlineInput } = await import("./dns-forecast.ts");
    if (caller.door !== "cli") return filesOnlyInShell("dns check");
    const { checkFiles } = await import("../run-dns-check.ts");
    return checkFiles(offlineInput.parse(given), deps);
  },
});
