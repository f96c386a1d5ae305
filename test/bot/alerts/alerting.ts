import { createAlertTender } from "#bot/alerts/tend-alerts.ts";
import type { AlertsConfig } from "#bot/config-alerts.ts";
import type { Alert } from "#shared/alerts/alert.ts";
import { createAlertLog } from "#shared/alerts/alert-log.ts";
import { type RouteSpec, readRoutes, routeAlert } from "#shared/alerts/routes.ts";
import type { Ledger } from "#shared/ledger/ledger.ts";
import { product, type World } from "../incidents/incident-product.ts";

export const routes: readonly RouteSpec[] = [
  { match: { alertname: "ServiceDown" }, runbook: "toy-unreachable", subject: "service" },
];

export const config: AlertsConfig = {
  quietSeconds: 300,
  storm: { over: 5, withinSeconds: 60, calmSeconds: 300 },
  routes,
  channel: "C0ALERTS",
};

/** A bot of a world that takes alerts: made anew after a crash, while world and ledger stay. */
export function alerting(
  world: World,
  options: Readonly<{ ledger?: Ledger; config?: Partial<AlertsConfig>; clusters?: readonly string[] }> &
    Omit<NonNullable<Parameters<typeof product>[1]>, "ledger"> = {},
) {
  const { config: changed, clusters = ["toy"], ...others } = options;
  const ledger = options.ledger ?? world.ledger;
  const bot = product(world, { ...others, ledger });
  const mine = { ...config, ...changed };
  const read = readRoutes(mine.routes, { clusters });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const alerts = createAlertLog({
    ledger,
    clock: world.clock,
    route: (alert: Alert) => routeAlert(read.routes, clusters, alert),
    limits: mine.storm,
  });
  const tender = createAlertTender(bot.deps, ledger, { alerts, config: mine, log: bot.log });
  const never = new AbortController().signal;
  /** Rounds of the tender over a while, as the bot makes them. */
  const tend = async (ms = 10_000): Promise<void> => {
    for (let left = ms; left >= 0; left -= 2_000) {
      await world.clock.runUntil(tender.once(never));
      await world.clock.advance(2_000);
    }
  };
  return { ...bot, alerts, tender, tend };
}
