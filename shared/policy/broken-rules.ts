import type { Finding } from "../finding.ts";
import { nearest } from "../nearest.ts";
import type { Text } from "../text.ts";
import { code, join, text } from "../text.ts";
import type { RoleRule } from "./identity.ts";

/** What exists. Groups and channels are undefined when Slack could not be asked: then they are not judged. */
export type Known = Readonly<{
  people: readonly string[];
  clusters: readonly string[];
  groups: readonly string[] | undefined;
  channels: readonly string[] | undefined;
}>;

const missing = (named: readonly string[], known: readonly string[] | undefined): readonly string[] =>
  known === undefined ? [] : named.filter((name) => !known.includes(name));

/** Ids of groups and channels look all alike: a nearest one is offered for names only. */
const lines = (kind: string, unknown: readonly string[], names: readonly string[] = []): readonly Text[] =>
  unknown.map((name) => {
    const near = nearest(name, names);
    return near === undefined
      ? text`${kind} ${code(name)}`
      : text`${kind} ${code(name)} (nearest: ${code(near)})`;
  });

/**
 * Disables rules that name what does not exist (an archived channel, a lost group, a person who left): such a rule
 * grants nothing to anybody. It stays in the list, so that a disabled viewer rule keeps its cluster closed.
 */
export function brokenRules(
  rules: readonly RoleRule[],
  known: Known,
): Readonly<{ rules: readonly RoleRule[]; findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const usable = rules.map((rule, i): RoleRule => {
    const people = missing(rule.people, known.people);
    const groups = missing(rule.groups, known.groups);
    const channels = missing(rule.channels, known.channels);
    const clusters = missing(
      rule.clusters.filter((name) => name !== "*"),
      known.clusters,
    );
    const unknown = [
      ...lines("person", people, known.people),
      ...lines("group", groups),
      ...lines("channel", channels),
      ...lines("cluster", clusters, known.clusters),
    ];
    if (unknown.length === 0) return rule;
    findings.push({
      code: "role-rule-disabled",
      severity: "error",
      subject: { kind: "config", name: `roles[${i}]` },
      facts: { role: rule.role, people, groups, channels, clusters },
      text: text`this ${rule.role} rule grants nothing: it names ${join(unknown, ", ")}, which does not exist`,
      remedy: text`correct or remove the name under ${code(`roles[${i}]`)} and restart`,
    });
    return { ...rule, people: [], groups: [] };
  });
  return { rules: usable, findings };
}
