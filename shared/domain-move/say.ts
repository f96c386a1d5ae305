import type { Finding } from "../finding.ts";
import { finding } from "../migration/define-step.ts";
import { type Text, text } from "../text.ts";
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
