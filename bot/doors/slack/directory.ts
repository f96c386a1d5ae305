import type { SlackApi, SlackTrouble } from "#shared/adapters/slack-api.ts";
import type { Clock } from "#shared/clock.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import { code, type Text, text } from "#shared/text.ts";

/** The names of Slack that the config speaks of: are they still there, and who is in them. */
export type Directory = Readonly<{
  /** Ids of the config's user groups that this person is in. Throws FaultError when Slack cannot be asked. */
  groupsOf: (user: string) => Promise<readonly string[]>;
  /** Forgets a group's members, because Slack says that they changed. */
  forget: (group: string) => void;
  /** Looks every name up anew; the findings name what is lost and what could not be looked up. */
  check: (scopes: readonly string[] | undefined) => Promise<readonly Finding[]>;
}>;

const freshMs = 5 * 60_000;

export const inWords = (trouble: SlackTrouble): string => {
  if (trouble.kind === "rate-limited")
    return `Slack asks to wait ${Math.ceil(trouble.retryAfterMs / 1_000)} s`;
  if (trouble.kind === "unavailable") return `no answer (${trouble.detail})`;
  return trouble.needed === undefined ? trouble.error : `${trouble.error}: ${trouble.needed}`;
};

const isTransient = (trouble: SlackTrouble): boolean =>
  trouble.kind !== "refused" ||
  ["internal_error", "service_unavailable", "fatal_error"].includes(trouble.error);

const gone = new Set(["no_such_subteam", "subteam_not_found", "channel_not_found", "is_archived"]);

function nameFinding(kind: "group" | "channel", id: string, trouble: SlackTrouble): Finding {
  const what = kind === "group" ? "user group" : "channel";
  const unknown = isTransient(trouble);
  const why: Text = unknown
    ? text`Slack could not be asked about ${what} ${code(id)}: ${inWords(trouble)}.`
    : gone.has(trouble.kind === "refused" ? trouble.error : "")
      ? text`Slack knows no ${what} ${code(id)} any more (${inWords(trouble)}): every rule that names it is disabled.`
      : text`Slack tells nothing about ${what} ${code(id)} (${inWords(trouble)}): every rule that names it is disabled.`;
  return {
    code: unknown ? `slack-${kind}-unchecked` : `slack-${kind}-lost`,
    severity: unknown ? "unknown" : "error",
    subject: { kind: "config", name: id },
    facts: { id, error: inWords(trouble) },
    text: why,
    ...(unknown ? {} : { remedy: text`put the id of a living ${what} into roles: of the config` }),
  };
}

const missingScope = (scope: string, cost: string): Finding => ({
  code: "slack-scope-missing",
  severity: "info",
  subject: { kind: "config", name: scope },
  facts: { scope },
  text: text`The app lacks the scope ${code(scope)}: ${cost}.`,
});

const costs: readonly (readonly [string, string, "required" | "optional"])[] = [
  [
    "chat:write",
    "it can post no message, so answers come in acknowledgements and reply addresses only",
    "required",
  ],
  ["files:write", "results that do not fit a message are cut, and the message says so", "required"],
  ["usergroups:read", "rules that name a user group deny", "required"],
  ["channels:history", "after a restart or a lost answer a message may be repeated, and says so", "optional"],
  ["users:read", "guests that the config does not know cannot be told from members", "optional"],
  ["channels:read", "a rule for an archived channel is not noticed at start", "optional"],
];

/** What each missing scope costs; nothing when Slack did not tell the scopes. */
export const scopeFindings = (scopes: readonly string[] | undefined): readonly Finding[] =>
  scopes === undefined
    ? []
    : costs
        .filter(([scope]) => !scopes.includes(scope))
        .map(([scope, cost, need]) => ({
          ...missingScope(scope, cost),
          severity: need === "required" ? "warning" : "info",
        }));

export function createDirectory(
  options: Readonly<{
    api: SlackApi;
    clock: Clock;
    groups: readonly string[];
    channels: readonly string[];
  }>,
): Directory {
  const { api, clock } = options;
  const groups = [...new Set(options.groups)];
  const channels = [...new Set(options.channels)];
  const known = new Map<string, Readonly<{ members: readonly string[]; at: number }>>();
  const asking = new Map<string, ReturnType<SlackApi["groupMembers"]>>();

  const ask = (group: string): ReturnType<SlackApi["groupMembers"]> => {
    const under = asking.get(group);
    if (under !== undefined) return under;
    const asked = api.groupMembers(group).then((answer) => {
      asking.delete(group);
      if (answer.ok) known.set(group, { members: answer.value, at: clock.now() });
      else if (!isTransient(answer.trouble)) known.delete(group);
      return answer;
    });
    asking.set(group, asked);
    return asked;
  };

  const membersOf = async (group: string): Promise<readonly string[]> => {
    const cached = known.get(group);
    if (cached !== undefined && cached.at > clock.now() - freshMs) return cached.members;
    const answer = await ask(group);
    if (answer.ok) return answer.value;
    // A group that is gone has no members; that is an answer. No answer is none.
    if (answer.trouble.kind === "refused" && answer.trouble.error === "no_such_subteam") return [];
    throw new FaultError({
      kind: answer.trouble.kind === "refused" ? "denied" : "unreachable",
      what: `members of Slack user group ${group}`,
      detail: inWords(answer.trouble),
    });
  };

  return {
    groupsOf: async (user) => {
      const lists = await Promise.all(
        groups.map(async (group) => ((await membersOf(group)).includes(user) ? [group] : [])),
      );
      return lists.flat();
    },
    forget: (group) => {
      known.delete(group);
    },
    check: async (scopes) => {
      const found: Finding[] = [];
      // One after the other: usergroups.users.list is allowed about 20 times a minute.
      for (const group of groups) {
        const answer = await ask(group);
        if (!answer.ok) found.push(nameFinding("group", group, answer.trouble));
      }
      if (scopes !== undefined && !scopes.includes("channels:read")) return found;
      for (const channel of channels) {
        const answer = await api.channel(channel);
        if (answer.ok) {
          if (answer.value.archived)
            found.push(
              nameFinding("channel", channel, { kind: "refused", error: "is_archived", messages: [] }),
            );
        } else if (answer.trouble.kind !== "refused" || answer.trouble.error !== "missing_scope")
          found.push(nameFinding("channel", channel, answer.trouble));
      }
      return found;
    },
  };
}
