import * as z from "zod";
import { isFault } from "../fault.ts";
import type { Finding } from "../finding.ts";
import { code, text } from "../text.ts";
import { finding } from "./define-step.ts";
import type { MetalLbView } from "./metallb-view.ts";

const shape = z.looseObject({
  status: z.looseObject({ result: z.string().nullish(), errorSummary: z.string().nullish() }).nullish(),
});

/** What every speaker and the controller say of the configuration, by name: `Valid`, `Invalid`, `Unknown`. */
export const configurationStates = (
  view: MetalLbView,
): readonly Readonly<{ name: string; result: string; error: string }>[] | undefined =>
  isFault(view.lists.configurationstates)
    ? undefined
    : view.lists.configurationstates.map((object) => {
        const status = shape.safeParse(object).data?.status;
        return {
          name: object.metadata.name,
          result: status?.result ?? "Unknown",
          error: status?.errorSummary ?? "",
        };
      });

/** Components that reject the configuration. Releases before 0.15.3 do not say, which is no finding. */
export const configurationErrors = (view: MetalLbView): readonly Finding[] =>
  (configurationStates(view) ?? [])
    .filter(({ result }) => result === "Invalid")
    .map(({ name, error }) =>
      finding(
        "configuration-invalid",
        "error",
        { kind: "config", name },
        text`${name} rejects the whole configuration: ${code(error)}`,
        { remedy: text`Do not restart it: it goes on with the last good one it has in memory` },
      ),
    );
