import type { PersonRef, Text } from "../text.ts";
import { code, join, person, text } from "../text.ts";

/** What waits for a second person: a digest, who asked, and until when. */
export type ApprovalRequest = Readonly<{
  /** What it is about, as a sentence begins: "step 5 of R-17", "plan 5d02". */
  subject: string;
  digest: string;
  requester: string;
  askedAt: number;
  until: number;
}>;

export type Vote = Readonly<{ by: string; digest: string; at: number }>;

export type ApprovalRules = Readonly<{
  /** `self` only by explicit configuration, and said in every message. */
  approvals: "others" | "self";
}>;

export type Click = Readonly<{
  by: string;
  isApprover: boolean;
  digest: string;
  at: number;
}>;

export type ApprovalJudgement =
  | Readonly<{ ok: true }>
  | Readonly<{
      ok: false;
      because: "nothing-asked" | "unauthorised" | "own" | "stale" | "expired" | "duplicate";
      text: Text;
    }>;

const utc = (at: number): string => `${new Date(at).toISOString().slice(11, 16)} UTC`;

/** Digests as people compare them. */
export const shortDigest = (digest: string): string => digest.slice(0, 4);

/**
 * Whether a click approves. Every refusal has its own sentence, because people act on it: their own plan, a plan that
 * has changed since, one that ran out, one that was approved before, or no right at all.
 */
export function judgeApproval(
  request: ApprovalRequest | undefined,
  approved: Vote | undefined,
  click: Click,
  { approvals }: ApprovalRules,
  whoCould: readonly PersonRef[],
): ApprovalJudgement {
  const others = whoCould.filter((ref) => ref.name !== request?.requester);
  const named: Text = others.length === 0 ? ["Nobody else"] : join(others.map(person), " or ");
  if (request === undefined)
    return { ok: false, because: "nothing-asked", text: ["nothing waits for an approval here"] };
  if (!click.isApprover)
    return {
      ok: false,
      because: "unauthorised",
      text: text`${request.subject} needs an approver. ${named} can approve it`,
    };
  if (approved !== undefined && approved.digest === request.digest)
    return {
      ok: false,
      because: "duplicate",
      text: text`${request.subject} was approved by ${person({ name: approved.by })} at ${utc(approved.at)}; it needs no second approval`,
    };
  if (click.digest !== request.digest)
    return {
      ok: false,
      because: "stale",
      text: text`that approval was for plan ${code(shortDigest(click.digest))}; the plan is ${code(shortDigest(request.digest))} now. Read it again before you approve`,
    };
  if (click.at > request.until)
    return {
      ok: false,
      because: "expired",
      text: text`the request for plan ${code(shortDigest(request.digest))} ran out at ${utc(request.until)}. Ask again, so that you approve what is true now`,
    };
  if (click.by === request.requester && approvals !== "self")
    return {
      ok: false,
      because: "own",
      text: text`you asked for ${request.subject} yourself. ${named} can approve it`,
    };
  return { ok: true };
}
