import type { StormLimits } from "#shared/alerts/decide-received.ts";
import type { RouteSpec } from "#shared/alerts/routes.ts";
import type { ConfigFile } from "./config-schema.ts";

export type AlertsConfig = Readonly<{
  channel?: string;
  tokenFile?: string;
  quietSeconds: number;
  storm: StormLimits;
  watchdog?: Readonly<{ alertname: string; withinSeconds: number }>;
  routes: readonly RouteSpec[];
}>;

export type HeartbeatConfig = Readonly<{ urlFile?: string; everySeconds: number; method: "GET" | "POST" }>;

export const toRoutes = (routes: NonNullable<ConfigFile["alerts"]>["routes"]): readonly RouteSpec[] =>
  routes.map(({ match, runbook, subject, cluster }) => ({
    match,
    runbook,
    ...(subject === undefined ? {} : { subject }),
    ...(cluster === undefined ? {} : { cluster }),
  }));

export function toAlerts(
  { channel, tokenFile, watchdog, routes, quietSeconds, storm }: NonNullable<ConfigFile["alerts"]>,
  resolve: (path: string) => string,
): AlertsConfig {
  return {
    quietSeconds,
    storm,
    routes: toRoutes(routes),
    ...(channel === undefined ? {} : { channel }),
    ...(tokenFile === undefined ? {} : { tokenFile: resolve(tokenFile) }),
    ...(watchdog === undefined ? {} : { watchdog }),
  };
}

export function toHeartbeat(
  { urlFile, everySeconds, method }: NonNullable<ConfigFile["heartbeat"]>,
  resolve: (path: string) => string,
): HeartbeatConfig {
  return { everySeconds, method, ...(urlFile === undefined ? {} : { urlFile: resolve(urlFile) }) };
}
