import type { Clock } from "#shared/clock.ts";

/**
 * Calls a minute per method, workspace and app (Slack's published tiers); `per-channel` is the special limit of one
 * message a second in each channel with short bursts.
 */
export type Tier = 2 | 3 | 4 | "per-channel" | "unlimited";

const CALLS_PER_MINUTE = { 2: 20, 3: 50, 4: 100 } as const;
/** Slack tolerates bursts without promising a size; a tenth more than the tier and five messages are on the strict side. */
const BURST_SHARE = 0.1;
const CHANNEL_BURST = 5;

/** Zero when the call may go on, else the whole seconds to wait (`Retry-After`). A refused call costs nothing. */
export type TakeCall = (method: string, tier: Tier, channel: string | undefined) => number;

/** Tiers count calls in the last 60 s; a channel has a bucket of five messages that refills by one a second. */
export function rateLimits(clock: Clock): TakeCall {
  const calls = new Map<string, number[]>();
  const buckets = new Map<string, Readonly<{ tokens: number; at: number }>>();

  const takeFromTier = (method: string, tier: 2 | 3 | 4): number => {
    const now = clock.now();
    const recent = (calls.get(method) ?? []).filter((at) => at > now - 60_000);
    calls.set(method, recent);
    const most = Math.floor(CALLS_PER_MINUTE[tier] * (1 + BURST_SHARE));
    if (recent.length >= most) return Math.max(1, Math.ceil((recent[0]! + 60_000 - now) / 1_000));
    recent.push(now);
    return 0;
  };

  const takeFromChannel = (channel: string): number => {
    const now = clock.now();
    const bucket = buckets.get(channel) ?? { tokens: CHANNEL_BURST, at: now };
    const tokens = Math.min(CHANNEL_BURST, bucket.tokens + (now - bucket.at) / 1_000);
    if (tokens < 1) return Math.max(1, Math.ceil(1 - tokens));
    buckets.set(channel, { tokens: tokens - 1, at: now });
    return 0;
  };

  return (method, tier, channel) => {
    if (tier === "unlimited") return 0;
    if (tier === "per-channel") return channel === undefined ? 0 : takeFromChannel(channel);
    return takeFromTier(method, tier);
  };
}
