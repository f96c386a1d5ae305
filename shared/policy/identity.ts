import type { PersonRef } from "../text.ts";

export type Role = "viewer" | "operator" | "approver";

/** A person of the config: one name, one Slack id, one account of the operating system. */
export type Person = PersonRef & Readonly<{ os?: string }>;

/** Grants a role to people and Slack user groups (by id), on clusters, and from Slack only in the listed channels. */
export type RoleRule = Readonly<{
  role: Role;
  people: readonly string[];
  groups: readonly string[];
  /** Cluster names, or `*`. */
  clusters: readonly string[];
  /** Slack channel ids; empty means every channel. */
  channels: readonly string[];
}>;
