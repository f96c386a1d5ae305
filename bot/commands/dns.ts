import type { Command } from "./command.ts";
import { dnsAccept } from "./dns-accept.ts";
import { dnsApply, dnsUndo, dnsWithdraw } from "./dns-apply.ts";
import { dnsCheck } from "./dns-check.ts";
import { dnsExplain } from "./dns-explain.ts";
import { dnsForecast } from "./dns-forecast.ts";
import { ownership } from "./dns-ownership.ts";
import { dnsPlan } from "./dns-plan.ts";
import { dnsPlanEndpoints } from "./dns-plan-endpoints.ts";
import { dnsReport, dnsSnooze } from "./dns-report.ts";

export const dns: Command = {
  name: "dns",
  summary: "What ExternalDNS owns in Route 53, what it would do, and what we may repair.",
  verbs: [
    dnsCheck,
    dnsPlan,
    dnsApply,
    dnsWithdraw,
    dnsUndo,
    dnsExplain,
    dnsForecast,
    dnsReport,
    dnsSnooze,
    dnsAccept,
    ownership,
    dnsPlanEndpoints,
  ],
};
