import type { SlackApi, SlackResult } from "#shared/adapters/slack-api.ts";

type Call = (...args: readonly unknown[]) => Promise<SlackResult<unknown>>;

/** The same API; every 429 is told, by the name of the call. */
export const countLimits = (api: SlackApi, limited: (call: string) => void): SlackApi =>
  Object.fromEntries(
    Object.entries(api as unknown as Readonly<Record<string, Call>>).map(([name, call]) => [
      name,
      async (...args: readonly unknown[]) => {
        const result = await call(...args);
        if (!result.ok && result.trouble.kind === "rate-limited") limited(name);
        return result;
      },
    ]),
  ) as unknown as SlackApi;
