import * as z from "zod";
import { type Text, text } from "../text.ts";
import { type Change, isIn, type Window } from "./change.ts";
import type { Collector } from "./collector.ts";
import type { Traced } from "./read-traces.ts";
import { partOf } from "./watched-kinds.ts";

const shape = z.looseObject({
  spec: z.looseObject({ nodeName: z.string().nullish() }).nullish(),
  status: z
    .looseObject({
      containerStatuses: z
        .array(
          z.looseObject({
            name: z.string(),
            restartCount: z.number().nullish(),
            state: z
              .looseObject({ running: z.looseObject({ startedAt: z.string().nullish() }).nullish() })
              .nullish(),
            lastState: z
              .looseObject({
                terminated: z
                  .looseObject({ reason: z.string().nullish(), exitCode: z.number().nullish() })
                  .nullish(),
              })
              .nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

type Container = NonNullable<NonNullable<z.output<typeof shape>["status"]>["containerStatuses"]>[number];

function startText(part: string, node: string, container: Container): Text {
  const { restartCount, lastState } = container;
  const restarts = restartCount ?? 0;
  const on = node === "" ? "" : ` on ${node}`;
  if (restarts === 0) return text`${part}${on}: container ${container.name} started`;
  const ended = lastState?.terminated;
  const why = ended
    ? `; before, it ended with ${ended.reason ?? "no reason"} (${ended.exitCode ?? "?"})`
    : "";
  return text`${part}${on}: container ${container.name} restarted, ${restarts} times in all${why}`;
}

function startsOf({ kind, subject, object }: Traced, window: Window): readonly Change[] {
  const part = kind === "pods" ? partOf(object) : undefined;
  const pod = shape.safeParse(object).data;
  if (part === undefined || pod === undefined) return [];
  return (pod.status?.containerStatuses ?? []).flatMap((container) => {
    const at = Date.parse(container.state?.running?.startedAt ?? "");
    if (Number.isNaN(at) || !isIn(window, at)) return [];
    return [
      {
        at,
        subject,
        what: startText(part, pod.spec?.nodeName ?? "", container),
        source: "pod status" as const,
      },
    ];
  });
}

/** When the containers of speakers, ExternalDNS, Calico and kube-proxy last started. Earlier starts are only counted. */
export const podStarts: Collector = {
  source: "pod status",
  collect: ({ traced }, window) => traced.flatMap((each) => startsOf(each, window)),
};
