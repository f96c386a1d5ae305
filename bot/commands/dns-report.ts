import * as z from "zod";
import { longestSnoozeMs } from "#shared/drift/snooze.ts";
import { zoneOrName } from "../dns/dns-words.ts";
import { defineVerb } from "./command.ts";

/** `/dns report [ZONE]`: the open reports again, and what changed since they were told. */
export const dnsReport = defineVerb({
  path: ["report"],
  usage: "[ZONE] [--explain]",
  summary: "What is told about zones now, and what is new or gone since the last scan.",
  examples: ["", "goldentooth.net --explain"],
  positionals: ["zone"],
  options: [{ name: "explain", about: "what each difference means, and why we say so" }],
  input: z.object({ zone: zoneOrName.optional(), explain: z.literal(true).optional() }),
  role: "viewer",
  effect: "read",
  slow: true,
  cluster: "one",
  doors: ["slack", "console", "cli"],
  handle: async (context) => {
    const { reportLive } = await import("../dns/live-report.ts");
    return reportLive(context, context.input.zone, context.input.explain === true);
  },
});

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

const duration = z.string().transform((value, context) => {
  const [, count = "", unit = ""] = /^(\d{1,4})([mhdw])$/.exec(value) ?? [];
  const ms = Number(count) * (units[unit] ?? 0);
  if (ms > 0 && ms <= longestSnoozeMs) return ms;
  context.addIssue({ code: "custom", message: "must be a time such as 12h or 7d, 31 days at most" });
  return z.NEVER;
});

/** `/dns snooze ZONE --for 7d --reason TEXT`: quiet about exactly what differs now. */
export const dnsSnooze = defineVerb({
  path: ["snooze"],
  usage: "ZONE|NAME --for 7d --reason TEXT",
  summary: "Keep a zone's report quiet about what differs now; anything that changes it is told again.",
  examples: ['goldentooth.net --for 7d --reason "the old domain goes next week"'],
  positionals: ["zone"],
  options: [
    { name: "for", value: "7d", about: "how long: minutes, hours, days or weeks (30m, 12h, 7d, 2w)" },
    { name: "reason", value: "TEXT", about: "why, for everybody who reads it later" },
  ],
  input: z.object({
    zone: zoneOrName,
    for: duration,
    reason: z.string().trim().min(1, "must not be empty").max(500, "must be at most 500 characters"),
  }),
  role: "operator",
  effect: "read",
  slow: true,
  cluster: "one",
  doors: ["slack", "console"],
  handle: async (context) => {
    const { zone, for: forMs, reason } = context.input;
    const { snooze } = await import("../dns/live-report.ts");
    return snooze(context, zone, forMs, reason);
  },
});
