import { defineVerb } from "./command.ts";
import { forecastInput, forecastOptions, forecastUsage } from "./dns-forecast.ts";

/** `arpeggio dns check`: what differs between a zone and what is wanted, from files alone. */
export const dnsCheck = defineVerb({
  path: ["check"],
  usage: forecastUsage,
  summary: "What differs between a zone and what the cluster wants, who owns it, and who will put it right.",
  examples: [
    "--zone-file zone.json --endpoints dump.json --zone example.com --owner default --policy sync --release 0.22.0",
    "--zone-file zone.json --endpoints dump.json --zone example.com --deployment external-dns.json --json",
  ],
  positionals: [],
  options: [...forecastOptions],
  input: forecastInput,
  role: "viewer",
  effect: "none",
  slow: false,
  cluster: "none",
  doors: ["cli"],
  handle: async ({ input, deps }) => {
    // Loaded when asked for: planner, sources and detectors are the largest part of the command line.
    const { checkFiles } = await import("../run-dns-check.ts");
    return checkFiles(input, deps);
  },
});
