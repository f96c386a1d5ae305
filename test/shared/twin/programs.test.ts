import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { namespaceSite } from "./namespace-site.ts";
import type { TwinFixture } from "./twin-fixture.ts";
import { twinOf } from "./twin-fixture.ts";

type Ran = Readonly<{
  machine: string;
  command: string;
  exitCode: number;
  stdout: string;
  stderr: string;
  arping?: "habets";
  unprivileged?: true;
  meanwhile?: readonly Ran[];
}>;
type Changed = Readonly<{
  machine: string;
  link?: Readonly<{ nic: string; up?: boolean; carrier?: boolean }>;
  sysctl?: Readonly<Record<string, string>>;
}>;

/** What real programs printed in network namespaces of this topology; `programs` in the file names their versions. */
const { entries } = JSON.parse(
  readFileSync(new URL("../../fixtures/twin/transcript.json", import.meta.url), "utf8"),
) as { entries: readonly (Ran | Changed)[] };

const isRun = (entry: Ran | Changed): entry is Ran => "command" in entry;

/** Times, and a namespace's name, are what differs between two runs of the same command. */
const masked = (text: string): string =>
  text
    .replace(/^\d{10}\.\d{6} /gm, "TIME ")
    .replace(/\d+\.\d{3}ms$/gm, "RTT")
    .replace(/time=\d+\.\d{3} [mu]?sec/g, "time=RTT")
    // A namespace has a name for whoever made it, a number for everybody else.
    .replace(/link-netns(id)? \S+/g, "link-netns PEER")
    .replace(/^rtt min\/avg\/max\/std-dev = .*$/gm, "rtt RTT");

const outcome = ({
  exitCode,
  stdout,
  stderr,
}: Readonly<{ exitCode: number | null; stdout: string; stderr: string }>) => ({
  exitCode,
  stdout: masked(stdout),
  stderr: masked(stderr),
});

async function change(fixture: TwinFixture, entry: Ran | Changed): Promise<void> {
  const { twin, clock } = fixture;
  if (isRun(entry)) {
    if (entry.command.startsWith("ip link set") && entry.exitCode === 0)
      await fixture.run(entry.machine, entry.command);
    return;
  }
  if (entry.link !== undefined) {
    const { nic, ...state } = entry.link;
    twin.setLink(entry.machine, nic, state);
    await clock.advance(11_000);
  }
  for (const [key, value] of Object.entries(entry.sysctl ?? {})) twin.setSysctl(entry.machine, key, value);
}

const prepare = (fixture: TwinFixture, entry: Ran) => {
  fixture.twin.installArping(entry.machine, entry.arping ?? "iputils");
  if (entry.unprivileged === true) fixture.twin.dropPrivilege(entry.machine);
};

describe("programs print what the real ones print", () => {
  entries.forEach((entry, at) => {
    if (!isRun(entry)) return;
    const how = [entry.arping, entry.unprivileged === true ? "unprivileged" : undefined]
      .filter(Boolean)
      .join(" ");
    test(`${at} ${entry.machine}$ ${entry.command} ${how}`, async () => {
      const fixture = twinOf(namespaceSite());
      for (const earlier of entries.slice(0, at)) await change(fixture, earlier);
      prepare(fixture, entry);
      const running = fixture.start(entry.machine, entry.command);
      if (entry.meanwhile !== undefined) {
        await fixture.clock.advance(1_000);
        for (const inner of entry.meanwhile) {
          prepare(fixture, inner);
          expect(outcome(await fixture.run(inner.machine, inner.command)), inner.command).toEqual(
            outcome(inner),
          );
        }
      }
      expect(outcome(await fixture.clock.runUntil(running))).toEqual(outcome(entry));
    });
  });
});
