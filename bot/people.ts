import type { Person } from "#shared/policy/identity.ts";

/** Finds people by the account a door knows them by. */
export const bySlack = (people: readonly Person[], id: string): Person | undefined =>
  people.find((p) => p.slack === id);

export const byAccount = (people: readonly Person[], account: string): Person | undefined =>
  people.find((p) => p.os === account);
