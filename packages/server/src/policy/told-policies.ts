import type { Log } from '@sluice/core/contract/connector.ts';
import type { PolicyTextSource, PolicyTexts } from '@sluice/core/contract/control-plane.ts';
import type { Declarations } from '@sluice/core/contract/declarations.ts';
import type { PolicySnapshot, PolicySource } from '@sluice/core/contract/policy.ts';
import type { HoldDefaults } from '@sluice/policy/annotations.ts';
import { formatPolicyError } from '@sluice/policy/error.ts';
import { loadPolicies } from '@sluice/policy/load.ts';
import { EnforcedPolicies } from '@sluice/policy/snapshot.ts';

export interface ToldPoliciesOptions {
  /** Of all connectors. */
  readonly declarations: readonly Declarations[];
  readonly holdDefaults: HoldDefaults;
  readonly log: Log;
  /** Called once when what was told could not be taken over; from then on everything is denied. */
  readonly onBroken: (error: Error) => void;
}

/**
 * Policies that somebody else accepted, compiled here from the texts. Whoever gets another set from them than was
 * accepted must not decide by it, nor go on deciding by the one before: then everything is denied.
 */
export class ToldPolicies implements PolicySource {
  readonly #options: ToldPoliciesOptions;
  readonly #changed = new Set<(snapshot: PolicySnapshot) => void>();
  readonly #unfollow: () => void;
  #snapshot: EnforcedPolicies;
  #broken = false;

  constructor(source: PolicyTextSource, options: ToldPoliciesOptions) {
    this.#options = options;
    this.#snapshot = this.#compile({ hash: '', epoch: 0, files: [] });
    this.#adopt(source.current());
    this.#unfollow = source.onChange((texts) => this.#adopt(texts));
  }

  current(): EnforcedPolicies {
    return this.#snapshot;
  }

  onChange(callback: (snapshot: PolicySnapshot) => void): () => void {
    this.#changed.add(callback);
    return () => this.#changed.delete(callback);
  }

  close(): void {
    this.#unfollow();
    this.#changed.clear();
  }

  #adopt(texts: PolicyTexts): void {
    if (this.#broken) return;
    const { log, onBroken } = this.#options;
    try {
      const compiled = this.#compile(texts);
      if (compiled.hash !== texts.hash) throw new Error(`they make the set ${compiled.hash}, not ${texts.hash}`);
      this.#snapshot = compiled;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const error = new Error(`policies that were accepted could not be taken over: ${why}`, { cause });
      this.#broken = true;
      this.#snapshot = this.#compile({ hash: '', epoch: texts.epoch, files: [] });
      log.error({ hash: texts.hash, epoch: texts.epoch, err: error }, 'everything is denied from now on');
      onBroken(error);
    }
    for (const callback of [...this.#changed]) {
      try {
        callback(this.#snapshot);
      } catch (error) {
        // One that fails must not keep the others from hearing that a policy was tightened.
        log.error({ err: error }, 'a change of policies could not be passed on');
      }
    }
  }

  #compile({ files, epoch }: PolicyTexts): EnforcedPolicies {
    const { declarations, holdDefaults, log } = this.#options;
    const loaded = loadPolicies(files, declarations, holdDefaults);
    if (!loaded.ok) throw new Error(loaded.errors.map(formatPolicyError).join('\n'));
    const { set } = loaded;
    return new EnforcedPolicies(set, epoch, { onFault: (message) => log.warn({ hash: set.hash }, message) });
  }
}
