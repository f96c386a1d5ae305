import type { Fault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { code, text } from "../text.ts";
import type { NodeNics } from "./mac-table.ts";
import type { Skipped } from "./vantage.ts";

/**
 * A machine that shows another key than the pinned one is either rebuilt or somebody else: that is worth more than
 * "could not be used", whatever another machine could see in its place.
 */
export const hostKeyFinding = (kind: "vantage" | "node", name: string, fault: Fault): Finding => ({
  code: "host-key-changed",
  severity: "warning",
  subject: { kind, name },
  facts: { what: fault.what, detail: fault.detail },
  text: text`${kind} ${code(name)} shows another host key than the pinned one: ${fault.detail}`,
  remedy: [
    "Compare the key on the machine's own console; put the new one in place only if the machine was rebuilt.",
  ],
});

type Unread = Extract<NodeNics, Readonly<{ fault: Fault }>>;

/** The changed host keys among what had to be passed over. */
export const hostKeyFindings = (
  skipped: readonly Skipped[],
  unread: readonly Unread[],
): readonly Finding[] => [
  ...skipped
    .filter(({ fault }) => fault.kind === "host-key-changed")
    .map(({ vantage, fault }) => hostKeyFinding("vantage", vantage, fault)),
  ...unread
    .filter(({ fault }) => fault.kind === "host-key-changed")
    .map(({ node, fault }) => hostKeyFinding("node", node, fault)),
];
