import { describe, expect, it } from "vitest";
import { announcerMoved } from "#shared/incidents/runbooks/announcer-moved.ts";
import { plain } from "#shared/text.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { ask, concluded, diagnosed, outcomes, type World } from "../on-twin.ts";

const ip = "10.4.11.1";
const excluded = "node.kubernetes.io/exclude-from-external-load-balancers";
const leaderOf = (twin: Twin): string => twin.layer2Announcers(ip)[0]?.split("/")[0] ?? "nobody";
const label = (twin: Twin, node: string, value: string | null) =>
  twin.store.mergePatch("nodes", undefined, node, { metadata: { labels: { [excluded]: value } } });

/** A minute in the model, while somebody moves its clock. */
const minute = (twin: Twin) => twin.clock.sleep(60_000);

type Row = readonly [what: string, expected: string, world: World, said?: RegExp];

const rows: readonly Row[] = [
  ["it has not moved", "healthy", {}],
  [
    "its node was excluded by label",
    "cause: moved-exclude-label",
    { afterwards: (twin) => void label(twin, leaderOf(twin), "") },
    /cargyll announced it before, dalt since .* cargyll may not announce it any more/,
  ],
  [
    "its speaker was stopped",
    "cause: moved-not-a-speaker",
    { afterwards: (twin) => twin.stopSpeaker(leaderOf(twin)) },
    /no speaker runs there/,
  ],
  [
    "its node died",
    "cause: moved-node-lost",
    { afterwards: (twin) => twin.setPower(leaderOf(twin), false) },
    /cargyll is not Ready/,
  ],
  [
    "its node was deleted",
    "cause: moved-node-deleted",
    {
      afterwards: (twin) => {
        const leader = leaderOf(twin);
        twin.setPower(leader, false);
        twin.store.remove("nodes", undefined, leader);
      },
    },
  ],
  [
    "it came back to the node that comes first",
    "cause: moved-fail-back",
    {
      afterwards: async (twin) => {
        const leader = leaderOf(twin);
        label(twin, leader, "");
        await minute(twin);
        label(twin, leader, null);
        await minute(twin);
      },
      waitSeconds: 180,
    },
    /cargyll comes first by hash/,
  ],
  [
    "it goes to and fro",
    "cause: moved-again-and-again",
    {
      afterwards: async (twin) => {
        const leader = leaderOf(twin);
        for (let i = 0; i < 3; i++) {
          label(twin, leader, "");
          await minute(twin);
          label(twin, leader, null);
          await minute(twin);
        }
      },
      waitSeconds: 400,
    },
  ],
  [
    "two announce it at once",
    "cause: two-nodes",
    { afterwards: (twin) => twin.partition([[leaderOf(twin)]]) },
  ],
];

describe("announcer-moved on a model site", () => {
  for (const [what, expected, world, said] of rows)
    it(`${what}: ${expected}`, async () => {
      const diagnosis = await diagnosed(announcerMoved, "httpbin", world);
      expect(concluded(diagnosis)).toBe(expected);
      expect(diagnosis.tookMs).toBeLessThan(10_000);
      if (diagnosis.conclusion.kind === "cause") {
        expect(announcerMoved.codes).toContain(diagnosis.conclusion.cause.code);
        if (said !== undefined) expect(plain(diagnosis.conclusion.cause.text)).toMatch(said);
      }
    });
});

it("tells a client that still sends to the old announcer, beside the move", async () => {
  const diagnosis = await diagnosed(announcerMoved, "httpbin", {
    // Somebody who hears no gratuitous frame keeps what it has.
    around: (ports) => ({
      ...ports,
      shell: async (target, command, options) => {
        const output = await ports.shell(target, command, options);
        if (target.name !== "laptop" || command.argv.join(" ") !== "ip -j neigh show") return output;
        const stdout = `${JSON.stringify([{ dst: ip, dev: "wlan0", lladdr: "dc:a6:32:0a:14:0b", state: ["STALE"] }])}\n`;
        return { ...output, stdout, exitCode: 0 };
      },
    }),
  });
  expect(outcomes(diagnosis).caches).toBe("failed");
  expect(concluded(diagnosis)).toBe("cause: stale-neighbour");
  expect(plain(diagnosis.links.find(({ id }) => id === "caches")?.because ?? [])).toMatch(
    /laptop holds dc:a6:32:0a:14:0b \(dalt eth0\) .* cargyll announces it/,
  );
});

it("does not know who announced before when events cannot be read", async () => {
  const diagnosis = await diagnosed(announcerMoved, "httpbin", {
    around: (ports) => ({
      ...ports,
      read: async (kinds, signal) => ({
        ...(await ports.read(kinds, signal)),
        ...(kinds.includes("events" as never)
          ? ({ events: { kind: "denied", what: "list of events", detail: "403" } } as object)
          : {}),
      }),
    }),
  });
  expect(outcomes(diagnosis)["same-announcer"]).toBe("unknown");
  expect(diagnosis.conclusion.kind).toBe("unknown");
});

it("is about Services: an address without one is told so", async () => {
  const { answer } = await ask(announcerMoved, "10.4.12.7");
  expect("noSuch" in answer && plain(answer.noSuch)).toMatch(/no Service has 10.4.12.7/);
});
