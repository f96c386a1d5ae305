import { acceptSnapshot, lastAccepted } from "#shared/drift/accepted.ts";
import { lookAtCluster } from "#shared/drift/look.ts";
import { wantedCount } from "#shared/drift/look-at-zone.ts";
import { isShrunken } from "#shared/drift/sources.ts";
import type { Reply } from "#shared/reply.ts";
import { code, type Text, text } from "#shared/text.ts";
import type { Context } from "../commands/command.ts";
import { noZones } from "./dns-words.ts";

/**
 * Takes what the cluster wants now for whole, where it wants far fewer names than the last snapshot that was taken for
 * whole: until somebody does, nothing is deleted. What is empty or could not be read is never taken so.
 */
export async function acceptLive(context: Context<unknown>, reason: string): Promise<Reply> {
  const { deps, cluster, caller, signal } = context;
  if (cluster === undefined) throw new Error("to accept what a cluster wants takes a cluster");
  const { name, dns } = cluster.config;
  const { ledger, clock } = deps;
  const answer = (
    word: string,
    outcome: Reply["verdict"]["outcome"],
    words: Text,
    next: readonly Text[],
  ): Reply => ({
    verdict: { word, outcome, text: words },
    cluster: name,
    findings: [],
    blocks: [],
    next,
    actions: [],
  });
  const look = text`What differs: ${code("/dns check")}`;
  if (dns === undefined) return noZones(cluster.config);
  if (ledger === undefined)
    return answer(
      "UNKNOWN",
      "unknown",
      text`what is taken for whole is kept by the bot, and there is no ledger here`,
      [look],
    );
  const { snapshot } = await lookAtCluster({ read: cluster.read, clock }, name, signal);
  const [fault] = snapshot.faults;
  if (fault !== undefined)
    return answer(
      "Refused",
      "denied",
      text`${fault.source} could not be read (${fault.detail}), so nobody knows what ${name} wants. Nothing was accepted.`,
      [look],
    );
  const endpoints = wantedCount(snapshot);
  if (endpoints === 0)
    return answer(
      "Refused",
      "denied",
      text`${name} wants no endpoint at all, and that is never taken for whole. Nothing was accepted.`,
      [look],
    );
  const before = await lastAccepted(ledger, name);
  if (!isShrunken(endpoints, before?.endpoints))
    return answer(
      "NOTHING TO DO",
      "ok",
      text`${name} wants ${endpoints} endpoints, and nobody doubts it${before === undefined ? "" : `; last accepted: ${before.endpoints}`}`,
      [look],
    );
  const by = caller.person?.name ?? caller.account;
  const { hash, takenAt } = snapshot;
  await acceptSnapshot(ledger, name, { hash, takenAt, endpoints, by, reason });
  return {
    ...answer(
      "ACCEPTED",
      "info",
      text`${name} wants ${endpoints} endpoints, ${(before?.endpoints ?? endpoints) - endpoints} fewer than before`,
      [
        text`What we will do, after approval: ${code("/dns plan")}`,
        text`Was it wrong? What the cluster wants more is accepted by itself with the next scan.`,
      ],
    ),
    why: text`Reason: ${reason}. By ${by}. Nothing was changed in a zone; plans may delete again, within their limits.`,
    data: { endpoints, before: before?.endpoints ?? null, by, reason },
  };
}
