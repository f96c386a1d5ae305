import { type Endpoint, sameTargets } from "../dns/endpoint.ts";
import { decodeName, isWithin } from "../dns/fqdn.ts";
import type { AesKey } from "../dns/ownership-encryption.ts";
import type { Affixes } from "../dns/ownership-name.ts";
import { type RecordSet, type RecordSetId, recordSetKey } from "../dns/record-set.ts";
import { canonicalJson } from "./canonical-digest.ts";
import {
  allowedDeletes,
  changedTypes,
  type DeleteLimits,
  deletes,
  isApexCore,
  isChangeable,
} from "./guards.ts";
import { claimsOf, isClaimed, isForeignText, isOutranked, isOwnText } from "./owned-count.ts";
import { planDigest, undoOf } from "./plan-digest.ts";
import type { Plan, PlannedBatch } from "./plan-value.ts";
import { sameSet } from "./same-set.ts";
import { freshForMs, isShrunken } from "./sources.ts";

/** What the writer knows by its own configuration, never by what it is told. */
export type ApplyRules = Readonly<{
  zoneIds: readonly string[];
  /** Names of people who may approve. */
  approvers: readonly string[];
  limits: DeleteLimits;
  /** Owner ids of ours, and how their ownership TXTs are named and read. */
  owners: readonly string[];
  affixes: readonly Affixes[];
  key: AesKey | undefined;
}>;

type WantedRecord = Pick<Endpoint, "name" | "type" | "targets" | "setIdentifier">;

/** As the ledger has it. */
export type ApplyRequest = Readonly<{
  plan: Plan;
  /** Digest the request was made for. */
  digest: string;
  requester: string;
  /** Milliseconds since the epoch; after that nothing is applied. */
  until: number;
  approvals: readonly Readonly<{ by: string; digest: string; at: number }>[];
  /** Records and ownership TXTs that are ours in the zone as it stands now. */
  owned: Readonly<{ records: number; txts: number }>;
  /** The newest snapshot of wanted endpoints there is. */
  snapshot:
    | Readonly<{
        hash: string;
        takenAt: number;
        controllers?: readonly Readonly<{
          name?: string;
          endpoints: readonly WantedRecord[];
          unknown?: readonly string[];
        }>[];
        faults?: readonly Readonly<{ source: string; detail: string }>[];
      }>
    | undefined;
  /** Endpoints of the last snapshot that was taken for whole. */
  lastAccepted?: number;
  /** The zone as it stands now: told where the plan writes ownership TXTs, as they take over what they speak for. */
  standing?: readonly RecordSet[];
  /** Milliseconds since the epoch. */
  now: number;
}>;

export type Refused =
  | "plan-changed"
  | "zone-not-allowed"
  | "expired"
  | "not-approved"
  | "own-approval"
  | "not-an-approver"
  | "snapshot-moved"
  | "snapshot-stale"
  | "over-the-limits"
  | "outside-the-zone"
  | "not-provably-ours"
  | "undo-is-no-inverse"
  | "type-not-allowed"
  | "source-in-doubt";

export type ApplyJudgement =
  | Readonly<{ ok: true; approver: string }>
  | Readonly<{ ok: false; because: Refused; text: string }>;

const refuse = (because: Refused, text: string): ApplyJudgement => ({ ok: false, because, text });

function judgeApprovals(
  { plan, requester, approvals, now, until }: ApplyRequest,
  rules: ApplyRules,
): ApplyJudgement {
  const votes = approvals.filter(
    ({ digest, at }) => digest === plan.digest && at <= until && at <= now + 60_000,
  );
  if (votes.length === 0)
    return refuse("not-approved", `nobody approved plan ${plan.digest.slice(0, 4)}; nothing was changed`);
  const others = votes.filter(({ by }) => by !== requester);
  if (others.length === 0)
    return refuse("own-approval", `${requester} asked for it and approved it; it takes somebody else`);
  const approver = others.find(({ by }) => rules.approvers.includes(by));
  return approver === undefined
    ? refuse(
        "not-an-approver",
        `${others.map(({ by }) => by).join(", ")} may not approve changes of this zone`,
      )
    : { ok: true, approver: approver.by };
}

/** Exactly this name, type and target is what an object wants. */
const isWanted = (set: RecordSet, { snapshot }: ApplyRequest): boolean =>
  (snapshot?.controllers ?? []).some(({ endpoints }) =>
    endpoints.some(
      (wanted) =>
        decodeName(wanted.name) === set.name &&
        wanted.setIdentifier === (set.setIdentifier ?? "") &&
        (set.answer.kind === "alias"
          ? wanted.targets.length === 1 &&
            sameTargets(wanted.targets, [set.answer.target.name]) &&
            (wanted.type === set.type || wanted.type === "CNAME")
          : wanted.type === set.type && sameTargets(wanted.targets, set.answer.values)),
    ),
  );

/**
 * Record sets of a batch that nothing lets us change: no ownership TXT of ours which has to stand speaks for what is
 * changed or deleted, none of the same batch for what is created, and what would be taken over is not wanted so.
 */
function unproven(
  { changes, given }: PlannedBatch,
  request: ApplyRequest,
  rules: ApplyRules,
): readonly RecordSet[] {
  const standing = [...changes.flatMap(({ before }) => before ?? []), ...given];
  const proofs = claimsOf(
    standing.filter((set) => isOwnText(set, rules)),
    rules,
  );
  const foreign = claimsOf(
    (request.standing ?? []).filter((set) => isForeignText(set, rules)),
    rules,
  );
  const created = changes.filter(({ before }) => before === undefined).map(({ set }) => set);
  const texts = created.filter((set) => isOwnText(set, rules));
  const speaking = claimsOf(texts, rules);
  const strange = changes.flatMap(({ action, before, set }) => {
    if (before === undefined)
      return action === "CREATE" &&
        (texts.includes(set) || isClaimed(set, speaking) || isClaimed(set, proofs))
        ? []
        : [set];
    if (recordSetKey(before) !== recordSetKey(set)) return [set];
    const own = isOwnText(before, rules) && (action === "DELETE" || isOwnText(set, rules));
    if (isOutranked(before, proofs, foreign)) return [before];
    return own || isClaimed(before, proofs) ? [] : [before];
  });
  if (texts.length === 0) return strange;
  const zone = request.standing ?? [];
  const owned = claimsOf(
    zone.filter((set) => isOwnText(set, rules)),
    rules,
  );
  const adopted = [...given, ...zone].filter(
    (set) =>
      !isOwnText(set, rules) &&
      isClaimed(set, speaking) &&
      !isClaimed(set, proofs) &&
      !isClaimed(set, owned) &&
      // Somebody else's may have come since the plan was made.
      (!isWanted(set, request) || isClaimed(set, foreign)),
  );
  return [...strange, ...adopted];
}

/** Why what the cluster wants may be more than the snapshot says; `undefined` where nothing speaks for it. */
function doubt({ snapshot, lastAccepted }: ApplyRequest): string | undefined {
  const [fault] = snapshot?.faults ?? [];
  if (fault !== undefined) return `${fault.source} could not be read (${fault.detail})`;
  const { controllers } = snapshot ?? {};
  if (controllers === undefined) return undefined;
  for (const { name = "an ExternalDNS", unknown = [] } of controllers)
    if (unknown[0] !== undefined) return `${name}: not modelled or not known: ${unknown[0]}`;
  const endpoints = controllers.reduce((sum, each) => sum + each.endpoints.length, 0);
  if (endpoints === 0) return "the cluster wants no endpoint at all";
  return isShrunken(endpoints, lastAccepted)
    ? `the cluster wants ${endpoints} endpoints; the last accepted snapshot wanted ${lastAccepted}`
    : undefined;
}

function judgeContents(request: ApplyRequest, rules: ApplyRules): ApplyJudgement | undefined {
  const { plan, owned } = request;
  const changes = plan.batches.flatMap((batch) => batch.changes);
  const outside = changes.find(
    ({ set }) => !isWithin(set.name, plan.zone.name) || isApexCore(plan.zone.name, set),
  );
  if (outside !== undefined)
    return refuse("outside-the-zone", `${outside.set.name} ${outside.set.type} is not for us to change`);
  const other = changes.find(({ set }) => !isChangeable(set));
  if (other !== undefined)
    return refuse(
      "type-not-allowed",
      `${other.set.name} ${other.set.type}: only ${changedTypes.join(", ")} are ours to change`,
    );
  const why = deletes(changes).length > 0 ? doubt(request) : undefined;
  if (why !== undefined)
    return refuse("source-in-doubt", `nothing is deleted while sources are in doubt: ${why}`);
  const strange = plan.batches.flatMap((batch) => unproven(batch, request, rules))[0];
  if (strange !== undefined)
    return refuse(
      "not-provably-ours",
      `nothing in the plan proves that ${strange.name} ${strange.type} is ours; told, never touched`,
    );
  const gone = deletes(changes);
  const records = gone.filter(({ type }) => type !== "TXT").length;
  const txts = gone.length - records;
  const allowedRecords = allowedDeletes(owned.records, rules.limits);
  // Every record that goes takes its ownership TXTs along.
  const allowedTxts = allowedDeletes(owned.txts, rules.limits) + 3 * records;
  if (records > allowedRecords || txts > allowedTxts)
    return refuse(
      "over-the-limits",
      `${records} records and ${txts} ownership records would go; ${allowedRecords} and ${allowedTxts} are allowed`,
    );
  if (canonicalJson(undoOf(plan.batches)) !== canonicalJson(plan.undo))
    return refuse(
      "undo-is-no-inverse",
      "the way back that is stored is not the inverse of what would be done",
    );
  return undefined;
}

/** Whether this plan may be applied now, by the writer's own rules. The record sets are judged batch by batch. */
export function judgeApplication(request: ApplyRequest, rules: ApplyRules): ApplyJudgement {
  const { plan, now, until, snapshot } = request;
  if (request.digest !== plan.digest || planDigest(plan) !== plan.digest)
    return refuse(
      "plan-changed",
      `the plan is not the one that was asked for (${request.digest.slice(0, 4)})`,
    );
  if (!rules.zoneIds.includes(plan.zone.id))
    return refuse("zone-not-allowed", `zone ${plan.zone.id} is none of those this writer may change`);
  if (now > until) return refuse("expired", "the request ran out; plan again");
  const approved = judgeApprovals(request, rules);
  if (!approved.ok) return approved;
  if (snapshot === undefined || snapshot.hash !== plan.snapshot.hash)
    return refuse(
      "snapshot-moved",
      "the cluster wants something else now than when this was planned; plan again",
    );
  if (Math.abs(now - snapshot.takenAt) > freshForMs)
    return refuse(
      "snapshot-stale",
      "the snapshot of wanted endpoints is not of the last 10 minutes; nothing was changed",
    );
  return judgeContents(request, rules) ?? approved;
}

const idOf = ({ name, type, setIdentifier }: RecordSet): RecordSetId => ({
  name,
  type,
  ...(setIdentifier !== undefined && { setIdentifier }),
});

/** The record sets to read again before a batch is sent, in the order `judgeBatch` takes what was found. */
export const affectedBy = ({ changes, given }: PlannedBatch): readonly RecordSetId[] => [
  ...changes.map(({ set }) => idOf(set)),
  ...given.map(idOf),
];

export type BatchJudgement =
  /** Everything stands as it was planned on. */
  | Readonly<{ state: "apply" }>
  /** Everything stands as it would be afterwards: it was applied before. */
  | Readonly<{ state: "done" }>
  /** Neither: somebody changed these. */
  | Readonly<{
      state: "moved";
      moved: readonly Readonly<{ id: RecordSetId; expected: RecordSet | null; found: RecordSet | null }>[];
    }>;

const equal = (a: RecordSet | undefined, b: RecordSet | undefined): boolean =>
  a === undefined || b === undefined ? a === b : sameSet(a, b);

/**
 * Whether a batch is still to be applied. A batch is atomic, so the zone shows either all of it or nothing; anything
 * between means that somebody else was there. `found` is in the order of `affectedBy`.
 */
export function judgeBatch(batch: PlannedBatch, found: readonly (RecordSet | undefined)[]): BatchJudgement {
  const { changes, given } = batch;
  const before = changes.map(({ before: was }) => was);
  const after = changes.map(({ action, set }) => (action === "DELETE" ? undefined : set));
  const isAt = (states: readonly (RecordSet | undefined)[]): boolean =>
    states.every((state, i) => equal(state, found[i]));
  const rests = given.every((set, i) => equal(set, found[changes.length + i]));
  if (isAt(before) && rests) return { state: "apply" };
  if (isAt(after)) return { state: "done" };
  const expected = [...before, ...given];
  return {
    state: "moved",
    moved: affectedBy(batch).flatMap((id, i) =>
      equal(expected[i], found[i]) ? [] : [{ id, expected: expected[i] ?? null, found: found[i] ?? null }],
    ),
  };
}

/** How one batch ended. Nothing after a batch that did not end well is tried. */
export type BatchOutcome =
  | Readonly<{ state: "applied"; changeId: string; insync: boolean }>
  | Readonly<{ state: "done-before" }>
  | Readonly<{ state: "moved"; records: readonly string[] }>
  | Readonly<{ state: "refused"; messages: readonly string[] }>
  /** No answer came, and reading again did not settle it. */
  | Readonly<{ state: "unknown"; detail: string }>
  | Readonly<{ state: "not-tried" }>;

export type ApplyResult = Readonly<{
  state: "applied" | "partly" | "nothing" | "unknown";
  /** What is true now, for people. */
  text: string;
}>;

const landed = ({ state }: BatchOutcome): boolean => state === "applied" || state === "done-before";

/** What is true after all batches, in one sentence. */
export function judgeOutcome(outcomes: readonly BatchOutcome[]): ApplyResult {
  const good = outcomes.filter(landed).length;
  if (outcomes.some(({ state }) => state === "unknown"))
    return {
      state: "unknown",
      text: `${good} of ${outcomes.length} batches are in the zone; of one nobody knows: read the zone before anything else`,
    };
  if (good === outcomes.length) {
    const pending = outcomes.some((each) => each.state === "applied" && !each.insync);
    return {
      state: "applied",
      text: `${outcomes.length === 1 ? "the one batch is" : `all ${outcomes.length} batches are`} in the zone${pending ? ", not yet at every name server" : ""}`,
    };
  }
  const stopped = outcomes.find((each) => !landed(each));
  const why =
    stopped?.state === "moved"
      ? `${stopped.records.join(", ")} changed since the plan was made`
      : stopped?.state === "refused"
        ? `Route 53 refused: ${stopped.messages.join("; ")}`
        : "it was not tried";
  return good === 0
    ? { state: "nothing", text: `nothing was changed: ${why}` }
    : {
        state: "partly",
        text: `${good} of ${outcomes.length} batches are in the zone, then it stopped: ${why}`,
      };
}
