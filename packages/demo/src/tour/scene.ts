/**
 * What a scene of the tour is: something that happens between the agent, the gateway and the people behind it, and claims
 * about it that must hold. Who they are and how they are told lies beside it; the scenes themselves in scenes/. Nothing
 * here decides what passes through the gateway: that is up to the gateway alone.
 */
import type { ApiClient } from '@sluice/api/client.ts';
import type { Stage } from '../start.ts';
import type { Agent } from './agent.ts';
import type { Check, Narrator } from './narrator.ts';
import type { Witness } from './witness.ts';

/** Who and what a scene can use. */
export interface Props {
  readonly stage: Stage;
  readonly agent: Agent;
  /** The DBA's view of the gateway. */
  readonly dba: ApiClient;
  readonly witness: Witness;
  readonly narrator: Narrator;
  /** What earlier scenes leave for later ones. */
  readonly memory: Memory;
}

export interface Memory {
  /** The access request that the agent's first write became. */
  firstRequest?: string;
  /** The agent's session. */
  session?: string;
  /** Its recording's file. */
  recording?: string;
}

/** States what must hold; a scene whose checks don't all hold has failed. */
export type Claim = (what: string, ok: boolean, detail?: string) => void;

export interface Scene {
  /** Stable, for scripts that read `--json`. */
  readonly name: string;
  readonly title: string;
  play(props: Props, claim: Claim): Promise<void>;
}

export interface SceneResult {
  readonly step: number;
  readonly name: string;
  readonly title: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** Why it could not be played to its end. */
  readonly error?: string;
  readonly ms: number;
}
