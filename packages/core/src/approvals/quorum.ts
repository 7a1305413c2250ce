import type { Consent } from '../domain/decision.ts';

/** One person who consents, with the groups they may be counted for. */
export interface Vote {
  readonly person: string;
  readonly groups: readonly string[];
}

/**
 * Whether every consent is given by enough different people, where each person counts for one group only: two groups
 * need two people, even when one belongs to both. Policies that ask the same group share its people, so the highest
 * quorum asked of a group is what it must give. Without any consent to give the answer is no: nothing was asked.
 */
export function consentsMet(consents: readonly Consent[], votes: readonly Vote[]): boolean {
  if (consents.length === 0) return false;
  const voters = distinctPeople(votes);
  const counted = new Map<Vote, string>();
  for (const [group, quorum] of quorumByGroup(consents)) {
    for (let place = 0; place < quorum; place += 1) {
      // More places than people can never be filled; also ends the loop for an endless quorum.
      if (place >= voters.length || !fill(group, voters, counted, new Set())) return false;
    }
  }
  return true;
}

/** Groups in the order asked, each with the highest quorum asked of it; at least one person each. */
function quorumByGroup(consents: readonly Consent[]): Map<string, number> {
  const quorums = new Map<string, number>();
  for (const { group, quorum } of consents) {
    const asked = Number.isFinite(quorum) ? Math.max(1, Math.ceil(quorum)) : Number.POSITIVE_INFINITY;
    quorums.set(group, Math.max(quorums.get(group) ?? 0, asked));
  }
  return quorums;
}

function distinctPeople(votes: readonly Vote[]): Vote[] {
  const first = new Map<string, Vote>();
  for (const vote of votes) if (!first.has(vote.person)) first.set(vote.person, vote);
  return [...first.values()];
}

/** Augmenting path of a bipartite matching: takes a free voter, or moves one to another of their groups. */
function fill(group: string, voters: readonly Vote[], counted: Map<Vote, string>, tried: Set<Vote>): boolean {
  for (const voter of voters) {
    if (tried.has(voter) || counted.get(voter) === group || !voter.groups.includes(group)) continue;
    tried.add(voter);
    const elsewhere = counted.get(voter);
    if (elsewhere === undefined || fill(elsewhere, voters, counted, tried)) {
      counted.set(voter, group);
      return true;
    }
  }
  return false;
}
