import type { Changes } from "./plan.ts";

/** `--policy`; from 0.22 ExternalDNS does not start without it, before that it was `sync` (plan/policy.go). */
export const policies = ["sync", "upsert-only", "create-only"] as const;

export type Policy = (typeof policies)[number];

export const isPolicy = (text: string): text is Policy => (policies as readonly string[]).includes(text);

/** Takes away what the policy forbids; what was blocked by an owner stays blocked. */
export function applyPolicy(policy: Policy, changes: Changes): Changes {
  switch (policy) {
    case "sync":
      return changes;
    case "upsert-only":
      return { ...changes, delete: [] };
    case "create-only":
      return { ...changes, update: [], delete: [] };
  }
}
