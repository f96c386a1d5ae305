import { expect, it } from "vitest";
import { fqdn } from "#shared/dns/fqdn.ts";
import { lastChange } from "#shared/explain/last-change.ts";
import { dangling, dnsSite } from "../../bot/commands/dns-site.ts";

it("tells the state of what we last wrote to the name's zone, and of no other zone", async () => {
  const on = dnsSite();
  on.twin.zones.edit(on.hellholt, [{ action: "CREATE", set: dangling }]);
  const zones = on.twin.zones.read;
  const asked: string[] = [];
  const watched: typeof zones = {
    ...zones,
    change: async (id) => {
      asked.push(id);
      return "PENDING";
    },
  };
  const look = (name: string) =>
    on.clock.runUntil(lastChange({ ledger: on.ledger, zones: watched, now: on.clock.now() }, fqdn(name)));
  expect(await look("web.hellholt.net")).toMatchObject({ ok: false });
  const { plan, digest } = (await on.ask("operator", "dns plan hellholt.net")).data as Record<string, string>;
  await on.press("approver", "drift-approve", `${plan} ${digest}`);
  expect(await look("web.hellholt.net")).toEqual({ ok: true, from: "Route 53", value: "PENDING" });
  expect(asked).toHaveLength(1);
  expect(await look("web.goldentooth.net")).toMatchObject({ ok: false });
  await on.clock.advance(25 * 3_600_000);
  expect(await look("web.hellholt.net")).toMatchObject({ ok: false });
  expect(await lastChange({ ledger: undefined, zones, now: 0 }, fqdn("web.hellholt.net"))).toMatchObject({
    ok: false,
  });
  on.twin.stop();
});
