import { decodeName } from "../dns/fqdn.ts";
import type { Finding } from "../finding.ts";
import type { Json } from "../json.ts";
import { finding, verified } from "../migration/define-step.ts";
import { syncPollMs } from "../migration/way.ts";
import type { StepPlan, Verified } from "../steps/step.ts";
import { type Text, text } from "../text.ts";
import { nameOrMore } from "./asking.ts";
import { type DnsView, wishesOf } from "./dns-view.ts";
import { changesOf, foresee } from "./foresee.ts";
import { isNew, isOld, type Move } from "./move.ts";
import { looksAt } from "./publishers.ts";
import { publishersFindings } from "./say.ts";

/** `CREATE name type publisher`, as plans have it in what they predict. */
const changeWords = (predicted: Json): readonly (readonly string[])[] => {
  const { changes } = (Array.isArray(predicted) ? { changes: predicted } : (predicted ?? {})) as {
    changes?: readonly Json[];
  };
  return (changes ?? []).flatMap((line) => (typeof line === "string" ? [line.split(" ")] : []));
};

/** Names, without ownership texts, to which ExternalDNS was to do this. */
const namesOf = (
  { predicted }: StepPlan,
  action: "CREATE" | "DELETE",
  within: (name: string) => boolean,
): readonly string[] =>
  [
    ...new Set(
      changeWords(predicted).flatMap(([verb, name = "", type]) =>
        verb === action && type !== "TXT" && within(name) ? [decodeName(name)] : [],
      ),
    ),
  ].sort();

const oldOf = (name: string, { from, to }: Move): string =>
  `${name.slice(0, name.length - to.length)}${from}`;

/** Names that ExternalDNS publishes of what the cluster asks for now. */
const published = (view: DnsView): ReadonlySet<string> =>
  new Set(
    view.publishers.flatMap((publisher) =>
      wishesOf(publisher, view.lists).endpoints.flatMap(({ name }) =>
        looksAt(publisher, name) ? [decodeName(name)] : [],
      ),
    ),
  );

/** New names go only while their old ones stand: otherwise the way back would leave them with none. */
export function lastNames(view: DnsView, plan: StepPlan): readonly Finding[] {
  const unknown = publishersFindings(view).filter(({ severity }) => severity === "unknown");
  if (unknown.length > 0) return unknown;
  const now = published(view);
  const alone = namesOf(plan, "CREATE", (name) => isNew(name, view.move)).filter(
    (name) => now.has(name) && !now.has(oldOf(name, view.move)),
  );
  return alone.length === 0
    ? []
    : [
        finding(
          "old-names-gone",
          "error",
          { kind: "zone", name: view.move.from },
          text`${nameOrMore(alone)} has no name below ${view.move.from} beside it any more: without it nobody would reach what it names`,
          { facts: { names: [...alone] }, remedy: text`Put the old names back first, then retry` },
        ),
      ];
}

/** Old names that come back are published only by who looks at them. */
export function nobodyLooks(view: DnsView, plan: StepPlan): readonly Finding[] {
  const unknown = publishersFindings(view).filter(({ severity }) => severity === "unknown");
  if (unknown.length > 0) return unknown;
  const left = namesOf(plan, "DELETE", (name) => isOld(name, view.move)).filter(
    (name) => !view.publishers.some((publisher) => looksAt(publisher, name)),
  );
  return left.length === 0
    ? []
    : [
        finding(
          "nobody-looks-at-old",
          "error",
          { kind: "zone", name: view.move.from },
          text`no ExternalDNS looks at ${nameOrMore(left)}: old names that come back would get no record`,
          { remedy: text`Put ${view.move.from} back into its filter first (the old values), then retry` },
        ),
      ];
}

/**
 * After a way back ExternalDNS has its round before anything earlier is taken back: a filter that is narrowed too early
 * leaves records that nobody looks at any more. What its policy keeps is not waited for.
 */
export async function awaitRound(
  view: DnsView,
  plan: StepPlan,
  was: "CREATE" | "DELETE",
  now: number,
  done: Text,
): Promise<Verified> {
  const unknown = publishersFindings(view).filter(({ severity }) => severity === "unknown");
  if (unknown.length > 0)
    return verified("unknown", text`what ExternalDNS does of it is not known`, { findings: unknown });
  const then = was === "CREATE" ? "DELETE" : "CREATE";
  const planned = new Set(
    changeWords(plan.predicted).flatMap(([verb, name, type]) => (verb === was ? [`${name} ${type}`] : [])),
  );
  const coming = changesOf(await foresee(view, view.publishers)).filter(
    ({ action, name, type }) => action === then && planned.has(`${name} ${type}`),
  );
  return coming.length === 0
    ? verified("passed", done)
    : verified(
        "waiting",
        text`taken back; ExternalDNS has ${coming.length} records to ${then === "DELETE" ? "delete" : "write"} because of it (${nameOrMore([...new Set(coming.map(({ name }) => name))])})`,
        { until: now + syncPollMs },
      );
}
