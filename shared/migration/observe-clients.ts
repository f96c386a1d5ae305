import type { Finding } from "../finding.ts";
import { connectionsPicture, type WatchedAddress } from "../pictures/connections.ts";
import type { Vantage } from "../site/site.ts";
import type { Observation, Observed, StepContext } from "../steps/step.ts";
import { text } from "../text.ts";
import {
  clientVantage,
  feltBy,
  feltJson,
  feltText,
  feltTogether,
  periodFor,
  type Sampling,
  sampleConnections,
  secondsText,
} from "./clients.ts";
import { couldNotLook, finding } from "./define-step.ts";

type Target = Readonly<{ ip: string; port: number; service: string }>;

/** Time after the last deed that still counts to it: speakers act on it, and the router forgets its route. */
const afterMs = 10_000;

/** More addresses would only be looked at less often; those in between tell nothing else. */
const mostWatched = 40;

/** Every so manieth, so that all parts of the pools are among them. */
const spread = (targets: readonly Target[]): readonly Target[] =>
  targets.length <= mostWatched
    ? targets
    : targets.filter((_, i) => i % Math.ceil(targets.length / mostWatched) === 0);

/**
 * What was seen during the act, as history: it is told and judges nothing, since what is true now is looked at by
 * itself, and a retry could never mend what was missed then.
 */
export const asHistory = (observed: Observed | undefined): readonly Finding[] =>
  (observed?.findings ?? []).map((each) => ({ ...each, severity: "info" }));

/** Added to a verdict where the probe did not see all of the act, or nothing of it. */
export const missedText = (observed: Observed | undefined): string => {
  if (!hasMeasured(observed)) return "; what new connections felt during the act was not measured";
  return observed?.findings.some(({ severity }) => severity === "unknown") === true
    ? "; what new connections felt during the act was not all seen"
    : "";
};

/** Whether any new connection was tried during the act. A probe dies with the process that had it. */
export const hasMeasured = (observed: Observed | undefined): boolean =>
  typeof (observed?.facts as Readonly<{ together?: unknown }> | null | undefined)?.together === "string";

/** Told where an act that should have been measured was not. */
export const notMeasured = (observed: Observed | undefined, cluster: string): readonly Finding[] =>
  hasMeasured(observed) || observed?.findings.some(({ code }) => code === "gap-not-measured") === true
    ? []
    : [
        finding(
          "gap-not-measured",
          "info",
          { kind: "cluster", name: cluster },
          text`how long new connections failed during the act is not known: nothing was measured while it happened`,
        ),
      ];

/**
 * Opens new connections to these addresses until it is stopped, and tells the gaps: from behind the router unless
 * another vantage is given. Resolves when each was tried once, so that what comes after has a before.
 */
export async function observeClients(
  context: StepContext,
  /** What is done meanwhile, for the picture: "withdrawal of BGP". */
  what: string,
  all: readonly Target[],
  vantage: Vantage | undefined = clientVantage(context.ports.config),
): Promise<Observation> {
  const { shell, clock } = context.ports;
  const targets = spread(all);
  const period = periodFor(targets.length);
  const over = new AbortController();
  const stop = AbortSignal.any([over.signal, context.signal]);
  const running: readonly Promise<Sampling>[] =
    vantage === undefined
      ? []
      : targets.map(async (target, i) => {
          // One after the other over the period: no burst, and the moments of all together are close.
          await clock.sleep((i * period) / targets.length, stop);
          return sampleConnections({ shell, clock }, vantage.name, target, period, stop);
        });
  if (running.length > 0) await clock.sleep(period, stop);
  return {
    stop: async () => {
      if (running.length > 0) await clock.sleep(afterMs, context.signal);
      over.abort();
      const end = clock.now();
      const samplings = await Promise.all(running);
      if (vantage === undefined || targets.length === 0)
        return {
          findings:
            vantage === undefined && targets.length > 0
              ? [
                  finding(
                    "gap-not-measured",
                    "unknown",
                    { kind: "cluster", name: context.run.cluster },
                    text`no vantage behind the router is configured: how long new connections failed is not known`,
                  ),
                ]
              : [],
          blocks: [],
          facts: null,
        };
      const felt = samplings.map(({ samples }) => feltBy(samples, end));
      const faults = samplings.flatMap((sampling) => sampling.faults);
      const [fault] = faults;
      const [first, ...others] = targets.flatMap(({ ip, service }, i): readonly WatchedAddress[] => {
        const each = felt[i];
        return each === undefined ? [] : [{ ip, service, felt: each }];
      });
      const together = feltTogether(felt.filter((each) => each !== undefined));
      return {
        ...(first !== undefined && {
          pictures: [
            connectionsPicture(
              context.run.cluster,
              `${what}, ${context.run.id}`,
              `new connections from ${vantage.name}: ${together}`,
              [first, ...others],
            ),
          ],
        }),
        findings: [
          ...(fault === undefined ? [] : [couldNotLook(fault, { kind: "vantage", name: vantage.name })]),
          ...felt.flatMap((each, i) => {
            const target = targets[i] as Target;
            const open = each?.gaps.find((gap) => gap.open);
            if (each === undefined || open === undefined) return [];
            return [
              finding(
                "address-lost",
                "error",
                { kind: "address", name: target.ip },
                text`${target.service} ${target.ip} opens no new connection from ${vantage.name} for ${secondsText(open.ms)} now`,
              ),
            ];
          }),
        ],
        blocks: [
          {
            kind: "table",
            title: `New connections from ${vantage.name} (${vantage.place})${all.length > targets.length ? `, ${targets.length} of ${all.length} addresses watched` : ""}`,
            columns: [{ title: "address" }, { title: "service" }, { title: "seen" }],
            rows: targets.map(({ ip, service }, i) => {
              const each = felt[i];
              return [[ip], [service], [each === undefined ? "could not look" : feltText(each)]];
            }),
          },
        ],
        facts: {
          vantage: vantage.name,
          together: together ?? null,
          addresses: Object.fromEntries(
            targets.map(({ ip }, i) => {
              const each = felt[i];
              return [ip, each === undefined ? null : feltJson(each)] as const;
            }),
          ),
        },
      };
    },
  };
}
