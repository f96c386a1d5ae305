import type { PersonRef, Text } from "../text.ts";
import { text } from "../text.ts";
import type { Person, Role, RoleRule } from "./identity.ts";

/** What a verb does to the world: nothing at all (help, whoami), reads, sends packets, or changes something. */
export type Effect = "none" | "read" | "probe" | "change";

export type Door = "slack" | "console" | "cli";

/** Where somebody stands when they ask. */
type Standing = Readonly<{
  /** Undefined: the config does not know this account. */
  person: Person | undefined;
  /** Ids of the Slack user groups the person is in; undefined when Slack could not be asked. */
  groups: readonly string[] | undefined;
  rules: readonly RoleRule[];
  /** Undefined for what concerns no single cluster: then only rules for `*` grant more than reading. */
  cluster: string | undefined;
  /** Slack channel id; undefined outside Slack. */
  channel: string | undefined;
  door: Door;
}>;

export type Question = Standing &
  Readonly<{
    need: Role;
    effect: Effect;
    /** Everybody in the config, to name who could. */
    people: readonly Person[];
    /** Names of Slack user groups by id, to name those who could; a group without a name is shown by its id. */
    groupNames?: ReadonlyMap<string, string>;
  }>;

export type Denied = Readonly<{
  allowed: false;
  /** Ends the sentence "`/migrate next` on goldentooth …", full stop included. */
  why: Text;
  whoCould: readonly PersonRef[];
}>;

export type Decision = Readonly<{ allowed: true; roles: readonly Role[] }> | Denied;

const everyRole: readonly Role[] = ["viewer", "operator", "approver"];

const isAbout = (rule: RoleRule, cluster: string | undefined): boolean =>
  rule.clusters.includes("*") || (cluster !== undefined && rule.clusters.includes(cluster));

const names = (rule: RoleRule, person: Person, groups: readonly string[]): boolean =>
  rule.people.includes(person.name) || rule.groups.some((group) => groups.includes(group));

/** Channels restrict Slack alone: a terminal has none. */
const isOpenIn = (rule: RoleRule, { door, channel }: Pick<Standing, "door" | "channel">): boolean =>
  door !== "slack" ||
  rule.channels.length === 0 ||
  (channel !== undefined && rule.channels.includes(channel));

const isDirectMessage = ({ door, channel }: Standing): boolean =>
  door === "slack" && channel?.startsWith("D") === true;

/**
 * The roles somebody holds on a cluster, from where they ask. Operators and approvers may read, so both bring viewer;
 * an approver is no operator and an operator no approver unless a rule says so. Everybody whom the config knows is a
 * viewer of a cluster that no viewer rule is about; one viewer rule closes it to all others.
 */
export function heldRoles(standing: Standing): readonly Role[] {
  const { person, groups, rules, cluster } = standing;
  if (person === undefined) return [];
  const granted = new Set<Role>();
  for (const rule of rules)
    if (isAbout(rule, cluster) && isOpenIn(rule, standing) && names(rule, person, groups ?? []))
      granted.add(rule.role);
  const viewerRules = rules.filter((rule) => rule.role === "viewer" && isAbout(rule, cluster));
  // Who is in a group is not known: reading stays open to the people of the config, changing does not.
  const isGroupUnknown = groups === undefined && viewerRules.some((rule) => rule.groups.length > 0);
  if (granted.size > 0 || viewerRules.length === 0 || isGroupUnknown) granted.add("viewer");
  return everyRole.filter((role) => granted.has(role));
}

/** A change takes an operator at least, whatever its verb asks for. */
const needed = (need: Role, effect: Effect): Role =>
  effect === "change" && need === "viewer" ? "operator" : need;

/** Everybody a rule names for the role on this cluster, people before groups, each once. */
export function holders(
  question: Pick<Question, "rules" | "cluster" | "people" | "groupNames">,
  role: Role,
): readonly PersonRef[] {
  const rules = question.rules.filter(
    (rule) => isAbout(rule, question.cluster) && (rule.role === role || role === "viewer"),
  );
  const people = new Set(rules.flatMap((rule) => rule.people));
  const groups = new Set(rules.flatMap((rule) => rule.groups));
  const ref = (name: string): PersonRef => {
    const slack = question.people.find((person) => person.name === name)?.slack;
    return { name, ...(slack !== undefined && { slack }) };
  };
  return [
    ...[...people].map(ref),
    ...[...groups].map((id): PersonRef => ({ name: question.groupNames?.get(id) ?? id, slack: id })),
  ];
}

/**
 * Whether somebody may. Pure; everything that is not granted is denied:
 * - `none` is open to everybody, known or not;
 * - `read` and `probe` to viewers; outside Slack to everybody, because there it is the account's own kubeconfig and
 *   SSH key that look (docs/decisions/0003);
 * - `change` needs a rule that names the person or a group they are known to be in, on this cluster, in this channel,
 *   and never a direct message unless the rule lists it.
 * People of another Slack workspace never get this far: the door refuses them.
 */
export function decide(question: Question): Decision {
  const { person, effect, door, cluster } = question;
  const roles = heldRoles(question);
  const need = needed(question.need, effect);
  if (effect === "none") return { allowed: true, roles };
  const looks = effect !== "change" && need === "viewer";
  if (looks && door !== "slack") return { allowed: true, roles: roles.length > 0 ? roles : ["viewer"] };
  const deny = (why: Text, whoCould = holders(question, need)): Denied => ({
    allowed: false,
    why,
    whoCould: whoCould.filter((ref) => ref.name !== person?.name),
  });

  if (person === undefined) {
    return deny(text`is for people of the config, and it does not know your account (people:).`);
  }
  if (roles.includes(need)) {
    const isListed = question.rules.some(
      (rule) =>
        rule.role === need && question.channel !== undefined && rule.channels.includes(question.channel),
    );
    if (effect !== "change" || !isDirectMessage(question) || isListed) return { allowed: true, roles };
    return deny(text`changes something, and that is asked for in a channel, where others see it.`, []);
  }

  const mine = question.rules.filter(
    (rule) => rule.role === need && isAbout(rule, cluster) && names(rule, person, question.groups ?? []),
  );
  if (mine.length > 0) {
    const channels = [...new Set(mine.flatMap((rule) => rule.channels))];
    return deny(text`needs ${need}, which you are only in ${channels.join(", ")}.`);
  }
  const isGroupUnknown =
    question.groups === undefined &&
    question.rules.some((rule) => rule.role === need && isAbout(rule, cluster) && rule.groups.length > 0);
  if (isGroupUnknown) return deny(text`needs ${need}, and Slack could not be asked who is in which group.`);
  return deny(text`needs ${need}.`);
}
