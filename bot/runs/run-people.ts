import type { PersonRef } from "#shared/text.ts";
import type { Deps } from "../commands/command.ts";

/** How somebody whom the ledger names is mentioned. */
export const refTo =
  ({ people }: Pick<Deps, "people">) =>
  (name: string): PersonRef => {
    const slack = people?.find((one) => one.name === name)?.slack;
    return { name, ...(slack !== undefined && { slack }) };
  };

export const approversOf = ({ holders }: Pick<Deps, "holders">, cluster: string): readonly PersonRef[] =>
  holders?.("approver", cluster) ?? [];
