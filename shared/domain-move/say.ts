import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { couldNotLook, finding } from "../migration/define-step.ts";
import { code, type Text, text } from "../text.ts";
import type { DnsView } from "./dns-view.ts";
import { notModelled } from "./foresee.ts";
import type { Publisher } from "./publishers.ts";

/** Why nothing can be said about what an ExternalDNS will do. */
export function publisherFindings(publisher: Publisher, view: DnsView): readonly Finding[] {
  const subject = { kind: "config", name: `Deployment ${publisher.name}` } as const;
  if (publisher.problems.length > 0)
    return [
      finding(
        "external-dns-unreadable",
        "unknown",
        subject,
        text`${publisher.name} cannot be read: ${publisher.problems.join("; ")}`,
      ),
    ];
  if (publisher.release === undefined)
    return [
      finding(
        "release-unknown",
        "unknown",
        subject,
        text`${publisher.name} runs ${publisher.image || "an image without a tag"}: a digest, latest or a release outside 0.7 to 0.22 does not tell which annotations it reads and what it deletes`,
        { facts: { image: publisher.image }, remedy: text`Run it by its release tag, for example v0.20.0` },
      ),
    ];
  const problems = publisher.read?.problems ?? [];
  const open = notModelled(publisher, view.lists);
  return [
    ...problems.map((problem) =>
      finding("external-dns-would-not-start", "error", subject, text`${publisher.name}: ${problem}`),
    ),
    ...(open.length === 0
      ? []
      : [
          finding(
            "forecast-unknown",
            "unknown",
            subject,
            text`what ${publisher.name} will do cannot be foretold: ${open.join("; ")}`,
            { facts: { open: [...open] } },
          ),
        ]),
  ];
}

/**
 * What is in the way of foretelling anything: of those that move, and of those of which it is not known whether they do.
 * Whoever cannot be read may look at the old domain too.
 */
export const publishersFindings = (view: DnsView): readonly Finding[] => [
  ...view.movers.flatMap((each) => publisherFindings(each, view)),
  ...unreadFindings(view),
];

/** Each ExternalDNS that could not be read: nothing that is said of all of them is known while there is one. */
export const unreadFindings = (view: DnsView): readonly Finding[] =>
  view.publishers.filter(({ read }) => read === undefined).flatMap((each) => publisherFindings(each, view));

/** Lists that tell who puts objects back, and could not be read: a kind the server does not know is no such list. */
export const unseenManagers = (view: DnsView, cluster: string): readonly Finding[] =>
  Object.entries(view.gitOps).flatMap(([kind, listed]) =>
    isFault(listed) && listed.kind !== "not-configured"
      ? [couldNotLook({ ...listed, what: `list of ${kind}` }, { kind: "cluster", name: cluster })]
      : [],
  );

/** With `--registry=noop` no text says what ExternalDNS wrote. */
export const untoldFinding = (view: DnsView, names: readonly string[]): Finding =>
  finding(
    "ownership-not-kept",
    "unknown",
    { kind: "zone", name: view.move.from },
    text`${names.join(", ")} keeps no ownership (--registry=noop), and no survey of this run wrote down which names it published: what of ${view.move.from} is ours is not known`,
    { remedy: text`Retry step ${code("survey-dns")} while the old names are still published` },
  );

/** Nobody is left to move, and nobody is left unread. */
export const noMoverFindings = (view: DnsView): readonly Finding[] =>
  view.movers.length > 0 || unreadFindings(view).length > 0
    ? []
    : [
        finding(
          "no-mover",
          "warning",
          { kind: "zone", name: view.move.from },
          text`no ExternalDNS of this cluster looks at ${view.move.from}`,
          { remedy: text`What looks where: ${code("/dns check")}. If it has moved already, skip this step` },
        ),
      ];

/** `0.17.0` or why it is not known. */
export const releaseText = ({ release, image }: Publisher): string =>
  release?.text ?? `unknown (${image === "" ? "no tag" : image.replace(/^.*\//, "")})`;

/** Policy sync deletes what nobody wants any more, the others keep it. */
export const deletes = ({ read }: Publisher): boolean => read?.controller.policy === "sync";

export const seconds = (n: number): Text =>
  n % 3_600 === 0 && n > 0
    ? text`${n / 3_600} h`
    : n % 60 === 0 && n > 0
      ? text`${n / 60} min`
      : text`${n} s`;
