import type { Command } from "./command.ts";
import { dnsCheck } from "./dns-check.ts";
import { dnsExplain } from "./dns-explain.ts";
import { dnsForecast } from "./dns-forecast.ts";
import { ownership } from "./dns-ownership.ts";
import { dnsPlanEndpoints } from "./dns-plan-endpoints.ts";

export const dns: Command = {
  name: "dns",
  summary: "What ExternalDNS owns in Route 53, and what it would do.",
  verbs: [ownership, dnsCheck, dnsExplain, dnsForecast, dnsPlanEndpoints],
};
